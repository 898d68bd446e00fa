"""Port-channels: ports that users make, and that other ports become members of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Lines, RejectedError, Session
from haas_rpcd.sim.ioslike.ports import Setting

Switch = CliSwitch[Any]

SETTINGS = ("mode", "access_vlan", "voice_vlan", "native_vlan", "allowed", "switched")
"""What the members of a channel have in common with it."""


def kind_of(switch: Switch) -> str:
    """Return the text before the number in a channel's full name."""
    return next(iter(switch.channels))


def members(ports: Mapping[str, Any], number: int) -> list[str]:
    """Return the members of the channel with a number."""
    return [name for name, port in ports.items() if port.channel and port.channel[0] == number]


def members_of(switch: Switch, name: str) -> list[str]:
    """Return the members of a channel, given its full name."""
    return members(switch.running.ports, int(name.removeprefix(kind_of(switch))))


def there(switch: Switch, names: Iterable[str], *refusal: str) -> None:
    """Raise `RejectedError` if one of some ports does not exist: nobody has made the channel."""
    if any(name not in switch.running.ports for name in names):
        raise RejectedError(*refusal)


def entering(make: Callable[[], Any], enter: Callable[..., Lines]) -> Callable[..., Lines]:
    """Make ``interface <ports>``, which makes channels that are not there yet."""

    def run(switch: Switch, session: Session, args: Args) -> Lines:
        for name in args.ports("ports"):
            if switch.names.is_channel(name):
                switch.running.ports.setdefault(name, make())
        return enter(switch, session, args)

    return run


def removing(*refusal: str) -> Callable[..., Lines]:
    """Make ``no interface <ports>``, for channels. Their members are in no channel then.

    Some releases shut them. Here they stay as they are, which is worse. ``refusal``: what is said
    of a channel that does not exist, or of the hardware's ports.
    """

    def run(switch: Switch, session: Session, args: Args) -> Lines:
        names: Sequence[str] = args.ports("ports")
        there(switch, names, *refusal)
        if not all(map(switch.names.is_channel, names)):
            raise RejectedError(*refusal)
        for name in names:
            for member in members_of(switch, name):
                switch.running.ports[member].channel = None
            del switch.running.ports[name]
        switch.touch()
        return []

    return run


def joining(make: Callable[[], Any], check: Setting | None = None) -> Setting:
    """Make ``channel-group <number> mode …``, which makes the channel if it is not there.

    ``check`` raises `RejectedError` if the port can't become a member of the channel whose
    configuration it is given.
    """

    def run(switch: Switch, name: str, port: Any, args: Args) -> Lines:
        if args.no:
            port.channel = None
            return []
        number, mode = args.number("number"), args.word("mode")
        ports = switch.running.ports
        modes = [ports[each].channel[1] for each in members(ports, number)]
        if any((other == "on") != (mode == "on") for other in modes):
            raise RejectedError("% Error: the channel protocol differs from that of other members")
        channel = ports.setdefault(f"{kind_of(switch)}{number}", make())
        if check is not None:
            check(switch, name, channel, args)
        port.channel = (number, mode)
        switch.touch()
        return []

    return run


def follow(port: Any, channel: Any) -> None:
    """Let a member take over the settings of its channel."""
    for setting in SETTINGS:
        setattr(port, setting, getattr(channel, setting))


def spreading(commands: Commands) -> Commands:
    """Make commands for ports that also change the members of a channel, as they do in NX-OS."""

    def spread(handler: Callable[..., Lines]) -> Callable[..., Lines]:
        def run(switch: Switch, session: Session, args: Args) -> Lines:
            printed = handler(switch, session, args)
            for name in session.selection:
                if switch.names.is_channel(name):
                    for member in members_of(switch, name):
                        follow(switch.running.ports[member], switch.running.ports[name])
            return printed

        return run

    return [(pattern, spread(handler)) for pattern, handler in commands]
