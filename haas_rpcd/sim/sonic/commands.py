"""The commands below ``config``: `run` carries out one of them on a database."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from haas_rpcd.sim.sonic.state import Config, Port


class RefusedError(Exception):
    """A command was refused. `lines` are what it prints then."""

    def __init__(self, command: str, arguments: str, sentence: str) -> None:
        super().__init__(sentence)
        self.lines = [
            f"Usage: {command} {arguments}",
            f'Try "{command} -h" for help.',
            "",
            f"Error: {sentence}",
        ]


class UsageError(Exception):
    """The reason why a command is refused, as one sentence."""


class Command(NamedTuple):
    """A command: its arguments as its usage shows them, what it does, and its flags.

    ``run`` takes the database and the arguments, and ``untagged`` as well if there are flags. It
    returns what the command prints, or raises `UsageError`.
    """

    arguments: str
    run: Callable[..., Iterable[str]]
    flags: frozenset[str] = frozenset()


# --- vlan


def _vlan_id(vid: str) -> int:
    if not vid.isdecimal():
        raise UsageError(f"{vid} is not integer")
    if not 1 <= int(vid) <= 4094:
        raise UsageError(f"Invalid VLAN ID {vid} (2-4094)")
    return int(vid)


def _changeable_vlan_id(vid: str) -> int:
    vlan = _vlan_id(vid)
    if vlan == 1:
        raise UsageError("Vlan1 is default VLAN")
    return vlan


def _existing_vlan(config: Config, vid: str) -> int:
    vlan = _vlan_id(vid)
    if vlan not in config.vlans:
        raise UsageError(f"Vlan{vlan} does not exist")
    return vlan


def _add_vlan(config: Config, vid: str) -> Iterable[str]:
    vlan = _changeable_vlan_id(vid)
    if vlan in config.vlans:
        raise UsageError(f"Vlan{vlan} already exists.")
    config.vlans[vlan] = ""
    return ()


def _delete_vlan(config: Config, vid: str) -> Iterable[str]:
    vlan = _existing_vlan(config, vid)
    if any(member == vlan for member, _ in config.members):
        raise UsageError(
            f"VLAN ID {vlan} can not be removed. First remove all members assigned to this VLAN."
        )
    del config.vlans[vlan]
    return () if config.vlans else ("No VLANs remaining, stopping ndppd service",)


def _add_member(
    config: Config, vid: str, name: str, *, untagged: bool, needs_mode: bool = False
) -> Iterable[str]:
    _changeable_vlan_id(vid)
    vlan = _existing_vlan(config, vid)
    if (vlan, name) in config.members:
        raise UsageError(f"{name} is already a member of Vlan{vlan}")
    port = _port(config, name)
    if port.addresses:
        raise UsageError(f"{name} is a router interface!")
    if port.channel is not None:
        raise UsageError(f"{name} is part of portchannel!")
    if untagged and False in config.vlans_of(name).values():
        raise UsageError(f"{name} is already untagged member!")
    if port.mode == "routed" or (port.mode is None and needs_mode):
        raise UsageError(
            f"{name} is in routed mode!\nUse switchport mode command to change port mode"
        )
    if port.mode == "access" and not untagged:
        raise UsageError(f"{name} is in access mode! Tagged Members cannot be added")
    config.members[vlan, name] = not untagged
    return ()


def _delete_member(config: Config, vid: str, name: str) -> Iterable[str]:
    vlan = _existing_vlan(config, vid)
    if (vlan, name) not in config.members:
        raise UsageError(f"{name} is not a member of Vlan{vlan}")
    del config.members[vlan, name]
    return ()


# --- interface


def _port(config: Config, name: str) -> Port:
    if name not in config.ports:
        raise UsageError(f"{name} does not exist")
    return config.ports[name]


def _link(up: bool) -> Callable[[Config, str], Iterable[str]]:
    """Make ``startup`` or ``shutdown``; of several ports, it ignores those that do not exist."""

    def run(config: Config, names: str) -> Iterable[str]:
        if "," not in names and names not in config.ports:
            raise UsageError("Interface name is invalid. Please enter a valid interface name!!")
        for name in names.split(","):
            if name in config.ports:
                config.ports[name].up = up
        return ()

    return run


def _add_address(config: Config, name: str, address: str) -> Iterable[str]:
    if config.vlans_of(name):
        raise UsageError(f"Interface {name} is a member of vlan\nAborting!")
    if re.fullmatch(r"[\d.]+/\d+|[\da-f:]+/\d+", address) is None:
        raise UsageError("ip address or mask is not valid.")
    port = _port(config, name)
    port.addresses = (*port.addresses, address)
    return ()


def _remove_address(config: Config, name: str, address: str) -> Iterable[str]:
    port = _port(config, name)
    port.addresses = tuple(kept for kept in port.addresses if kept != address)
    return ()


# --- port channels: "config portchannel" in sonic-utilities' config/main.py


def _add_channel(config: Config, channel: str) -> Iterable[str]:
    _channel_number(channel)
    if channel in config.ports:
        raise UsageError(f"{channel} already exists!")
    config.ports[channel] = Port()
    return ()


def _delete_channel(config: Config, channel: str) -> Iterable[str]:
    number = _existing_channel(config, channel)
    if vlan := next(iter(config.vlans_of(channel)), None):
        raise UsageError(
            f"{channel} has vlan Vlan{vlan} configured, remove vlan membership to proceed"
        )
    if any(port.channel and port.channel[0] == number for port in config.ports.values()):
        raise UsageError(
            f"Portchannel {channel} contains members. Remove members before deleting Portchannel!"
        )
    del config.ports[channel]
    return ()


def _channel_number(channel: str) -> int:
    found = re.fullmatch(r"PortChannel(\d{1,4})", channel)
    if found is None:
        raise UsageError(
            f"{channel} is invalid!, name should have prefix 'PortChannel' and suffix '<0-9999>'"
        )
    return int(found[1])


def _existing_channel(config: Config, channel: str) -> int:
    number = _channel_number(channel)
    if channel not in config.ports:
        raise UsageError(f"{channel} is not present.")
    return number


def _join_channel(config: Config, channel: str, name: str) -> Iterable[str]:
    number = _existing_channel(config, channel)
    if _port(config, name).addresses:
        raise UsageError(f" {name} has ip address configured")
    if vlan := next(iter(config.vlans_of(name)), None):
        raise UsageError(f"{name} Interface configured as VLAN_MEMBER under vlan : Vlan{vlan}")
    if (there := config.ports[name].channel) is not None:
        raise UsageError(f"{name} Interface is already member of PortChannel{there[0]} ")
    config.ports[name].channel = (number, "")
    return ()


def _leave_channel(config: Config, channel: str, name: str) -> Iterable[str]:
    there = _port(config, name).channel
    if there is None or there[0] != _existing_channel(config, channel):
        raise UsageError(f"{name} is not a member of portchannel {channel}")
    _port(config, name).channel = None
    return ()


# --- switchport


def _mode(config: Config, mode: str, name: str) -> Iterable[str]:
    if mode not in ("access", "trunk", "routed"):
        raise UsageError(
            f'Invalid value for "<mode_type>": invalid choice: {mode}. (choose from access,'
            " trunk, routed)"
        )
    port = _port(config, name)
    before = port.mode or "routed"
    if refusal := _mode_refusal(port, name, mode, list(config.vlans_of(name).values())):
        raise UsageError(refusal)
    port.mode = mode
    return [f"{name} switched from {before} to {mode} mode"]


def _mode_refusal(port: Port, name: str, mode: str, tags: list[bool]) -> str:
    """Return why a port cannot change its mode; "" if it can."""
    if mode == "routed":
        if True in tags:
            return f"{name} has tagged member(s). \nRemove them to change mode to {mode}"
        if tags:
            return f"{name} has untagged member. \nRemove it to change mode to {mode}"
        return f"{name} is already in {mode} mode" if port.mode == mode else ""
    if port.addresses:
        return f"Remove IP from {name} to change mode!"
    if port.mode == mode:
        return f"{name} is already in the {mode} mode"
    if mode == "access" and True in tags:
        return (
            f"{name} is in {port.mode or 'routed'} mode and have tagged member(s).\nRemove tagged"
            f" member(s) from {name} to switch to {mode} mode"
        )
    return ""


# --- the tables

_UNTAGGED = frozenset({"-u", "--untagged"})

COMMANDS: Mapping[str, Command] = {
    "vlan add": Command("<vid>", _add_vlan),
    "vlan del": Command("<vid>", _delete_vlan),
    "vlan member add": Command("<vid> port", _add_member, _UNTAGGED),
    "vlan member del": Command("<vid> <port>", _delete_member),
    "portchannel add": Command("<portchannel_name>", _add_channel),
    "portchannel del": Command("<portchannel_name>", _delete_channel),
    "portchannel member add": Command("<portchannel_name> <port>", _join_channel),
    "portchannel member del": Command("<portchannel_name> <port>", _leave_channel),
    "interface shutdown": Command("<interface_name>", _link(up=False)),
    "interface startup": Command("<interface_name>", _link(up=True)),
    "interface ip add": Command("<interface_name> <ip_addr>", _add_address),
    "interface ip remove": Command("<interface_name> <ip_addr>", _remove_address),
}

COMMANDS_WITH_MODE: Mapping[str, Command] = {
    **COMMANDS,
    "vlan member add": Command("<vid> port", partial(_add_member, needs_mode=True), _UNTAGGED),
    "switchport mode": Command("<mode_type> port", _mode),
}
"""The commands of releases in which a port needs a mode before it can join a VLAN."""


def run(commands: Mapping[str, Command], config: Config, words: Sequence[str]) -> list[str]:
    """Carry out the words after ``config``; return what is printed.

    Raises `RefusedError`.
    """
    text = " ".join(words)
    name = next((name for name in commands if text.startswith(f"{name} ")), None)
    if name is None:
        unknown = "".join(words[:1])
        raise RefusedError("config", "[OPTIONS] COMMAND [ARGS]...", f'No such command "{unknown}".')
    command = commands[name]
    flags = {word for word in words if word.startswith("-")}
    values = [word for word in words[len(name.split()) :] if word not in flags]
    wanted = command.arguments.split()
    try:
        if flags - command.flags:
            raise UsageError(f"no such option: {min(flags)}")
        if len(values) != len(wanted):
            raise UsageError(f'Missing argument "{wanted[-1]}".')
        options = {"untagged": bool(flags)} if command.flags else {}
        return list(command.run(config, *values, **options))
    except UsageError as error:
        raise RefusedError(f"config {name}", f"[OPTIONS] {command.arguments}", str(error)) from None
