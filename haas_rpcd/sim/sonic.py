"""A SONiC switch: a shell; ``config``, ``show`` and ``sonic-cfggen`` over one database.

Written from the texts that sonic-utilities write (releases from 201911 on) and the "SONiC Command
Line Interface Guide". A fresh port is up, on no VLAN and without an address; what joins nothing
carries nothing. ``config`` wants root, takes effect at once, and refuses what is done already.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import NOTHING, Carried
from haas_rpcd.sim.shell import Call, ShellSwitch

__all__ = ["Port", "SonicSwitch"]

RELEASE, HWSKU, LANES = "202012.74-59cae24e", "Mellanox-SN2700", 4
SAVED = "/etc/sonic/config_db.json"

VERSION = f"""
SONiC Software Version: SONiC.{RELEASE}
Distribution: Debian 10.9
Kernel: 4.19.0-12-2-amd64
Build commit: 59cae24e
Build date: Wed Apr 28 07:35:32 UTC 2021
Built by: johnar@jenkins-worker-1

Platform: x86_64-mlnx_msn2700-r0
HwSKU: {HWSKU}
ASIC: mellanox
ASIC Count: 1
Serial Number: MT1623X09522
Uptime: 15:21:47 up 10:27,  2 users,  load average: 2.29, 2.69, 2.68
"""

BANNER = """\
Debian GNU/Linux 10

You are on
  ____   ___  _   _ _  ____
 / ___| / _ \\| \\ | (_)/ ___|
 \\___ \\| | | |  \\| | | |
  ___) | |_| | |\\  | | |___
 |____/ \\___/|_| \\_|_|\\____|

-- Software for Open Networking in the Cloud --"""


@dataclass(slots=True)
class Port:
    """A port or port channel, as the tables PORT and INTERFACE have it."""

    up: bool = True
    mode: str | None = None
    addresses: tuple[str, ...] = ()


@dataclass(slots=True)
class Config(cli.Config):
    """The database; ``members`` are VLAN and port, and whether frames have a tag there."""

    ports: dict[str, Port]
    vlans: dict[int, str] = field(default_factory=dict)
    members: dict[tuple[int, str], bool] = field(default_factory=dict)

    def copy(self) -> Self:
        """An independent copy."""
        ports = {name: replace(port) for name, port in self.ports.items()}
        vlans, members = dict(self.vlans), dict(self.members)
        return replace(self, ports=ports, vlans=vlans, members=members)

    def carried(self, port: str) -> Carried:
        """What a port carries; of two untagged VLANs (only by hand) the later counts."""
        if self.is_shut(port):
            return NOTHING
        own = {vlan: tagged for (vlan, name), tagged in self.members.items() if name == port}
        untagged = [vlan for vlan, tagged in own.items() if not tagged]
        tagged = frozenset(vlan for vlan, tagged in own.items() if tagged)
        return Carried(untagged[-1] if untagged else None, tagged)

    def is_shut(self, port: str) -> bool:
        """Whether it is shut down."""
        return not self.ports[port].up


class UsageError(Exception):
    """What click says: a sentence."""


class SonicSwitch(ShellSwitch[Config]):
    """A SONiC switch. ``wants_mode``: a release in which ports need a switchport mode."""

    dialect = "sonic"
    programs = ("config", "show", "sonic-cfggen")
    ps1 = "{user}@{host}:\\w$ "
    wants_mode = False

    def __init__(self, hostname: str = "sonic", **options: Any) -> None:
        options.setdefault("motd", BANNER)
        super().__init__(hostname, **options)

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """By the first of a port's four lanes: ``Ethernet0``, ``Ethernet4``."""
        return [f"Ethernet{LANES * number}" for number in range(count)]

    def factory(self, hostname: str) -> Config:
        """A layer 2 switch with no VLAN."""
        return Config(hostname or "sonic", {name: Port() for name in self.port_list})

    # --- programs

    async def run(self, call: Call) -> int:
        """Carry out ``config``, ``show`` or ``sonic-cfggen``."""
        match call.words:
            case ["config", *words]:
                return await self._config(call, words)
            case ["sonic-cfggen", "-d", "--print-data"]:
                call.print(json.dumps(self._database(), indent=4))
                return 0
            case ["show", "runningconfiguration", "all"]:
                call.print(json.dumps(self._database(), indent=4))
                return 0
            case ["show", "version"]:
                call.print(*VERSION.splitlines())
                return 0
            case ["show", "vlan", "config"]:
                call.print("Name      VID  Member      Mode", "------  -----  ----------  --------")
                call.print(*self._vlan_rows())
                return 0
        call.error(f"Usage: {call.words[0]} [OPTIONS] COMMAND [ARGS]...", "")
        call.error(f'Error: No such command "{" ".join(call.words[1:])}".')
        return 2

    async def _config(self, call: Call, words: Sequence[str]) -> int:
        if not call.root:
            call.print("Root privileges are required for this operation")
            return 1
        if words[:1] == ["save"]:
            return await self._save(call, words[1:])
        usages: dict[str, tuple[str, Callable[..., Iterable[str] | None]]] = {
            "vlan add": ("<vid>", self._add_vlan),
            "vlan del": ("<vid>", self._del_vlan),
            "vlan member add": ("<vid> port", self._add_member),
            "vlan member del": ("<vid> <port>", self._del_member),
            "interface shutdown": ("<interface_name>", self._shutdown),
            "interface startup": ("<interface_name>", self._startup),
            "interface ip add": ("<interface_name> <ip_addr>", self._add_address),
            "interface ip remove": ("<interface_name> <ip_addr>", self._remove_address),
        }
        if self.wants_mode:
            usages["switchport mode"] = ("<mode_type> port", self._mode)
        text = " ".join(words)
        name = next((name for name in usages if text.startswith(f"{name} ")), None)
        if name is None:
            usage, sentence = "config [OPTIONS] COMMAND [ARGS]...", f'No such command "{words[0]}".'
            name = ""
        else:
            arguments, run = usages[name]
            usage = f"config {name} [OPTIONS] {arguments}"
            flags = {word for word in words if word.startswith("-")}
            values = [word for word in words[len(name.split()) :] if word not in flags]
            try:
                if not flags <= ({"-u", "--untagged"} if name == "vlan member add" else set()):
                    raise UsageError(f"no such option: {min(flags)}")
                if len(values) != len(arguments.split()):
                    raise UsageError(f'Missing argument "{arguments.split()[-1]}".')
                printed = run(*values, *([bool(flags)] if name == "vlan member add" else []))
            except UsageError as error:
                sentence = str(error)
            else:
                call.print(*(printed or ()))
                return 0
        command = f"config {name}".strip()
        call.error(f"Usage: {usage}", f'Try "{command} -h" for help.', "", f"Error: {sentence}")
        return 2

    async def _save(self, call: Call, flags: Sequence[str]) -> int:
        if list(flags) != ["-y"]:
            answer = await call.ask("Existing files will be overwritten, continue? [y/N]: ")
            if answer.lower() not in ("y", "yes"):
                call.print("Aborted!")
                return 1
        call.print(f"Running command: /usr/local/bin/sonic-cfggen -d --print-data > {SAVED}")
        if not self.save():
            call.error(*(self.faults.save_error or "").splitlines())
            return 1
        return 0

    # --- config vlan

    def _add_vlan(self, vid: str) -> None:
        vlan = self._vlan(vid)
        if vlan == 1:
            raise UsageError("Vlan1 is default VLAN")
        if vlan in self.running.vlans:
            raise UsageError(f"Vlan{vlan} already exists.")
        self.running.vlans[vlan] = ""

    def _del_vlan(self, vid: str) -> Iterator[str]:
        vlan = self._existing(vid)
        if any(member == vlan for member, _ in self.running.members):
            raise UsageError(
                f"VLAN ID {vlan} can not be removed. First remove all members assigned to this"
                " VLAN."
            )
        del self.running.vlans[vlan]
        if not self.running.vlans:
            return iter(["No VLANs remaining, stopping ndppd service"])
        return iter(())

    def _vlan(self, vid: str) -> int:
        if not vid.isdecimal():
            raise UsageError(f"{vid} is not integer")
        if not 1 <= int(vid) <= 4094:
            raise UsageError(f"Invalid VLAN ID {vid} (2-4094)")
        return int(vid)

    def _existing(self, vid: str) -> int:
        vlan = self._vlan(vid)
        if vlan not in self.running.vlans:
            raise UsageError(f"Vlan{vlan} does not exist")
        return vlan

    def _add_member(self, vid: str, port: str, untagged: bool) -> None:
        running, vlan = self.running, self._vlan(vid)
        if vlan == 1:
            raise UsageError("Vlan1 is default VLAN")
        self._existing(vid)
        if (vlan, port) in running.members:
            raise UsageError(f"{port} is already a member of Vlan{vlan}")
        here = self._port(port)
        if here.addresses:
            raise UsageError(f"{port} is a router interface!")
        if untagged and any(
            name == port and not tagged for (_, name), tagged in running.members.items()
        ):
            raise UsageError(f"{port} is already untagged member!")
        if here.mode == "routed" or (here.mode is None and self.wants_mode):
            raise UsageError(
                f"{port} is in routed mode!\nUse switchport mode command to change port mode"
            )
        if here.mode == "access" and not untagged:
            raise UsageError(f"{port} is in access mode! Tagged Members cannot be added")
        running.members[vlan, port] = not untagged
        self.touch(port)

    def _del_member(self, vid: str, port: str) -> None:
        vlan = self._existing(vid)
        if (vlan, port) not in self.running.members:
            raise UsageError(f"{port} is not a member of Vlan{vlan}")
        del self.running.members[vlan, port]
        self.touch(port)

    def _port(self, name: str) -> Port:
        if name not in self.running.ports:
            raise UsageError(f"{name} does not exist")
        return self.running.ports[name]

    # --- config interface, config switchport

    def _shutdown(self, names: str) -> None:
        self._set_links(names, up=False)

    def _startup(self, names: str) -> None:
        self._set_links(names, up=True)

    def _set_links(self, names: str, *, up: bool) -> None:
        """A single port must be there; of several, those that are not are passed over."""
        several = names.split(",")
        if len(several) == 1 and names not in self.running.ports:
            raise UsageError("Interface name is invalid. Please enter a valid interface name!!")
        for name in several:
            if name in self.running.ports:
                self.running.ports[name].up = up
                self.touch(name)

    def _add_address(self, name: str, address: str) -> None:
        if any(port == name for _, port in self.running.members):
            raise UsageError(f"Interface {name} is a member of vlan\nAborting!")
        if re.fullmatch(r"[\d.]+/\d+|[\da-f:]+/\d+", address) is None:
            raise UsageError("ip address or mask is not valid.")
        port = self._port(name)
        port.addresses = (*port.addresses, address)

    def _remove_address(self, name: str, address: str) -> None:
        port = self._port(name)
        port.addresses = tuple(one for one in port.addresses if one != address)

    def _mode(self, mode: str, name: str) -> list[str]:
        if mode not in ("access", "trunk", "routed"):
            raise UsageError(
                f'Invalid value for "<mode_type>": invalid choice: {mode}. (choose from access,'
                " trunk, routed)"
            )
        port = self._port(name)
        tags = [tagged for (_, member), tagged in self.running.members.items() if member == name]
        before = port.mode or "routed"
        if mode == "routed":
            if True in tags:
                raise UsageError(
                    f"{name} has tagged member(s). \nRemove them to change mode to {mode}"
                )
            if tags:
                raise UsageError(
                    f"{name} has untagged member. \nRemove it to change mode to {mode}"
                )
            if port.mode == mode:
                raise UsageError(f"{name} is already in {mode} mode")
        else:
            if port.addresses:
                raise UsageError(f"Remove IP from {name} to change mode!")
            if port.mode == mode:
                raise UsageError(f"{name} is already in the {mode} mode")
            if mode == "access" and True in tags:
                raise UsageError(
                    f"{name} is in {before} mode and have tagged member(s).\nRemove tagged"
                    f" member(s) from {name} to switch to {mode} mode"
                )
        port.mode = mode
        return [f"{name} switched from {before} to {mode} mode"]

    # --- what is shown

    def _database(self) -> dict[str, Any]:
        """The tables, as sonic-cfggen writes them."""
        running = self.running
        database: dict[str, Any] = {
            "DEVICE_METADATA": {"localhost": {"hostname": running.hostname, "hwsku": HWSKU}},
            "PORT": {
                name: {
                    "admin_status": "up" if port.up else "down",
                    "alias": f"etp{number}",
                    "lanes": ",".join(str(LANES * number + lane) for lane in range(LANES)),
                    **({"mode": port.mode} if port.mode else {}),
                    "mtu": "9100",
                    "speed": "100000",
                }
                for number, (name, port) in enumerate(running.ports.items())
            },
        }
        tables: dict[str, dict[str, Any]] = {
            "INTERFACE": {
                key: {}
                for name, port in running.ports.items()
                for key in ([name] if port.addresses else [])
                + [f"{name}|{address}" for address in port.addresses]
            },
            "VLAN": {f"Vlan{vlan}": {"vlanid": str(vlan)} for vlan in sorted(running.vlans)},
            "VLAN_MEMBER": {
                f"Vlan{vlan}|{name}": {"tagging_mode": "tagged" if tagged else "untagged"}
                for (vlan, name), tagged in sorted(running.members.items())
            },
        }
        return database | {name: table for name, table in tables.items() if table}

    def _vlan_rows(self) -> Iterator[str]:
        for vlan in sorted(self.running.vlans):
            own = [item for item in self.running.members.items() if item[0][0] == vlan]
            if not own:
                yield f"Vlan{vlan:<4}  {vlan:>3}"
            for (_, name), tagged in sorted(own):
                mode = "tagged" if tagged else "untagged"
                yield f"Vlan{vlan:<4}  {vlan:>3}  {name:<10}  {mode}"
