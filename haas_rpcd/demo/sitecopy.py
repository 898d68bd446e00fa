"""A simulated copy of a site's switches: each in its own dialect, with its registered ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from haas_rpcd.config import Credential
from haas_rpcd.demo.cables import Cables
from haas_rpcd.demo.datacentre import ENABLE, LINE_DELAY, PASSWORD, USERNAME
from haas_rpcd.demo.standin import StandIn, StandInDriver
from haas_rpcd.drivers import Driver
from haas_rpcd.drivers.switch.dialect import Dialect
from haas_rpcd.drivers.switch.factory import SwitchFactory
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PARKED
from haas_rpcd.registered import RegisteredSwitch
from haas_rpcd.sim.cli import Device
from haas_rpcd.sim.host import SimHost
from haas_rpcd.sim.personalities import CLASSES, personality
from haas_rpcd.site import Site, SiteSwitch
from haas_rpcd.states import SwitchTraits
from haas_schemas.switch import DEFAULT_PORTS, SwitchTrust

LOOPBACK = "127.0.0.1"
CREDENTIAL = Credential(username=USERNAME, password=PASSWORD, enable=ENABLE)


class OneLogin(Mapping[str, Credential]):
    """The login of all simulated switches, under any name."""

    def __getitem__(self, name: str) -> Credential:
        return CREDENTIAL

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class SiteCopy:
    """The copy's switches, by name, and its master. A switch without a simulator gets a stand-in.

    ``stands_in``: the switches that have one, and the reason.
    """

    def __init__(self) -> None:
        self.host = SimHost()
        self.devices: dict[str, Device[Any]] = {}
        self.stand_ins: dict[str, StandIn] = {}
        self.stands_in: dict[str, str] = {}
        self._cables: Cables | None = None

    def plug_in(self, site: Site, canonical: Callable[[str, str], str]) -> None:
        """Plug the site's nodes into the simulated switches. Call this after :meth:`build`."""
        self._cables = Cables(self.devices, site, canonical)

    def power(self, node: str, on: bool) -> None:
        """Switch a node on or off."""
        if self._cables is not None:
            self._cables.power(node, on)

    def build(self, site: Site, dialects: Mapping[str, Dialect]) -> None:
        """Make the switches of a site that was checked."""
        for name, switch in site.switches.items():
            dialect = dialects[switch.dialect]
            ports = [dialect.canonical_port(port) for port in (*switch.access, *switch.trunk)]
            try:
                self.devices[name] = _simulated(name, switch, dialect, ports)
            except _NoSimulatorError as error:
                self.stands_in[name] = str(error)
                parked = dict.fromkeys(ports, PARKED)
                self.stand_ins[name] = StandIn(name, parked, dialect.trunks_need_vlans)

    async def start(self) -> None:
        """Let every simulated switch listen on a free port of loopback. Raises OSError."""
        for device in self.devices.values():
            await device.start(LOOPBACK)

    async def stop(self) -> None:
        """Stop them all."""
        for device in self.devices.values():
            await device.stop()

    def take_time(self) -> None:
        """From now on take as long for a line as real switches, so that progress is visible."""
        for device in self.devices.values():
            device.faults.line_delay = LINE_DELAY
        for stand_in in self.stand_ins.values():
            stand_in.line_delay = LINE_DELAY

    def known_hosts(self) -> str:
        """Return the SSH host keys of the simulated switches in OpenSSH's format."""
        return "".join(
            f"[{LOOPBACK}]:{device.ssh_port} {device.host_key}\n"
            for device in self.devices.values()
            if device.host_key
        )

    def address(self, name: str) -> tuple[str, int]:
        """Return the address of a switch of the copy. That of a stand-in can't be resolved."""
        device = self.devices.get(name)
        if device is None:
            return f"{name}.stand-in", 23
        return LOOPBACK, device.port or device.ssh_port

    def site(self, site: Site) -> dict[str, Any]:
        """Return a site with the addresses of the copy in place of the real ones."""
        switches = {}
        for name, switch in site.switches.items():
            host, port = self.address(name)
            switches[name] = msgspec.structs.replace(switch, host=host, port=port)
        copied: dict[str, Any] = msgspec.to_builtins(
            msgspec.structs.replace(site, switches=switches)
        )
        return copied

    def exported(self, site: Site, name: str, switch: SiteSwitch) -> SiteSwitch:
        """Return a switch with its address in the site file, if it has that of the copy."""
        original = site.switches.get(name)
        port = switch.port or DEFAULT_PORTS[switch.transport]
        if original is None or (switch.host, port) != self.address(name):
            return switch
        return msgspec.structs.replace(switch, host=original.host, port=original.port)

    def locate(self, switch: RegisteredSwitch) -> tuple[str, int]:
        """Return the address of the simulated switch with this name, wherever it is registered.

        Raises DeviceError if the copy has no such switch. So nothing real is ever connected to.
        """
        device = self.devices.get(switch.name)
        if device is None or device.dialect != switch.dialect:
            raise DeviceError(
                f"{switch.name} ({switch.dialect}) is not in the site file of this rehearsal, which"
                " connects to no real switch: add it to the file, then start the rehearsal again.",
                reason="unreachable",
            )
        port = device.ssh_port if switch.transport == "ssh" else device.port
        if not port:
            raise DeviceError(
                f"{switch.name} has another transport than {switch.transport} in the site file of"
                " this rehearsal: change it there, then start the rehearsal again.",
                reason="unreachable",
            )
        return LOOPBACK, port


class CopiedSwitches:
    """Makes the drivers of the copy's switches: a SwitchFactory that knows stand-ins."""

    def __init__(self, copy: SiteCopy, factory: SwitchFactory) -> None:
        self._copy = copy
        self._factory = factory

    def options(self) -> dict[str, frozenset[str]]:
        """Give the options that a switch of each dialect may be registered with."""
        return self._factory.options()

    def canonical_port(self, dialect: str, port: str) -> str:
        """Give the one name of a port that its switch knows by several. Raises ValueError."""
        return self._factory.canonical_port(dialect, port)

    def channel_modes(self) -> Mapping[str, tuple[str, ...]]:
        """Return how switches bundle ports, by the names of the dialects that make channels."""
        return self._factory.channel_modes()

    def channel_names(self, dialect: str, options: Mapping[str, Any]) -> list[tuple[int, str]]:
        """Return the numbers and names of channels that HaaS may make. Raises ValueError."""
        return self._factory.channel_names(dialect, options)

    def reserved_vlans(self, dialect: str) -> frozenset[int]:
        """Give the VLANs that nobody can create on switches of a dialect."""
        return self._factory.reserved_vlans(dialect)

    def traits(self, dialect: str, trunks: int) -> SwitchTraits:
        """Give what the planner needs to know of a switch that has this many trunk ports."""
        return self._factory.traits(dialect, trunks)

    def driver(self, switch: RegisteredSwitch) -> Driver:
        """Make the driver of a switch; no I/O. Raises UnavailableError for an unknown dialect."""
        real = self._factory.driver(switch)
        stand_in = self._copy.stand_ins.get(switch.name)
        if stand_in is None:
            return real
        dialect = self._factory.dialects[switch.dialect]
        return StandInDriver(stand_in, real, switch, dialect.canonical_port)

    async def reach(self, switch: RegisteredSwitch) -> None:
        """Connect to the simulated switch; a stand-in always answers. Raises DeviceError."""
        if switch.name not in self._copy.stands_in:
            await self._factory.reach(switch)

    async def trust(self, switch: RegisteredSwitch, fingerprint: str | None) -> SwitchTrust:
        """Read a switch's SSH host key, and trust it if it has this fingerprint."""
        return await self._factory.trust(switch, fingerprint)


# --- one switch -----------------------------------------------------------------------------------


class _NoSimulatorError(Exception):
    """A switch can't be simulated; the message gives the reason."""


def _simulated(
    name: str, switch: SiteSwitch, dialect: Dialect, ports: Sequence[str]
) -> Device[Any]:
    """Make a new simulated switch. Raises _NoSimulatorError."""
    if switch.dialect not in CLASSES:
        raise _NoSimulatorError(f"there is no simulator for {switch.dialect}")
    kind = personality(switch.dialect)
    try:
        names = [kind.full_port(port) for port in ports]
    except ValueError as error:
        raise _NoSimulatorError(f"the simulator has no such port as {error}") from None
    device = kind(
        name,
        ports=names or kind.port_names(1),
        username=USERNAME,
        password=PASSWORD,
        enable=ENABLE if dialect.dialogue.enable == "enable" else None,
        keep_lines=0,
        telnet=switch.transport == "telnet",
        ssh=switch.transport == "ssh",
        **_model(switch),
    )
    if switch.options.get("switchport") is True and hasattr(device, "wants_mode"):
        device.wants_mode = True
    return device


def _model(switch: SiteSwitch) -> dict[str, Any]:
    """Return the simulator's options for a switch's options. Raises _NoSimulatorError."""
    model: dict[str, Any] = {}
    for option, value in switch.options.items():
        match switch.dialect, option, value:
            case "cisco_ios", "encapsulation", _:
                model["encapsulation"] = True
            case "brocade_fastiron", "dual_mode", True:
                model["release"] = "08.0.30"
            case (_, "default_vlan", other) if other != 1:
                raise _NoSimulatorError(f"the simulator has no default VLAN but 1, not {other}")
            case ("cumulus_nvue", "bridge", other) if other != "br_default":
                raise _NoSimulatorError(f"the simulator's bridge is br_default, not {other}")
    return model
