"""Taps: the host's ends of headnodes' nics. libvirt makes them and puts them into bridges.

A tap in a bridge of HaaS carries nothing until HaaS has put its filters on it and then admitted it.
So it does not matter who started the headnode, or whether the daemon was running at the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from haas_rpcd.drivers.hostnet import filters
from haas_rpcd.drivers.hostnet.filters import Filter
from haas_rpcd.drivers.hostnet.link import Link
from haas_rpcd.drivers.hostnet.links import kernel
from haas_rpcd.drivers.hostnet.network import (
    ADMITTED,
    HostNetwork,
    PortVlan,
    Sessions,
    admit_line,
    expel_line,
)
from haas_rpcd.errors import DeviceError


class Tap(NamedTuple):
    """A headnode's nic on its host: its tap, the MAC that the headnode has, and the bridge."""

    name: str
    mac: str
    bridge: str


class Taps(Protocol):
    """What the hypervisor's driver needs for the nics of running headnodes."""

    async def admit(self, taps: Sequence[Tap]) -> None:
        """Put the filters on taps, and them into their bridges. Raises DeviceError."""
        ...

    async def not_admitted(self, taps: Sequence[Tap]) -> frozenset[str]:
        """Return the names of the taps that are not in their bridges, or may not carry frames."""
        ...


class KernelTaps:
    """The taps of a host. ``any_source``: whether headnodes may send from any MAC.

    ``sessions`` opens sessions with the host's network: by default this machine's.
    """

    def __init__(
        self, any_source: Callable[[], bool] = lambda: False, sessions: Sessions = kernel
    ) -> None:
        self._any_source = any_source
        self._sessions = sessions

    async def admit(self, taps: Sequence[Tap]) -> None:
        """Put the filters on taps, and let them carry frames of their bridges.

        Raises DeviceError: ``refused`` (no CAP_NET_ADMIN), ``missing`` (a tap is gone),
        ``mismatch`` (a bridge is gone, or of a former release).
        """
        if not taps:
            return
        async with self._sessions() as session:
            for tap in taps:
                link = await session.find(tap.name)
                if link is None:
                    raise DeviceError(
                        f"The nic {tap.mac} has lost its tap {tap.name} on {session.host.phrase}: "
                        "see whether the headnode still runs, then apply again.",
                        reason="missing",
                    )
                await _put_into_bridge(session, link, tap)
                vlans = (await session.port_vlans()).get(link.index, [])
                await admit(session, link, tap.mac, vlans, self._any_source())

    async def not_admitted(self, taps: Sequence[Tap]) -> frozenset[str]:
        """Return the names of the taps that are not in their bridges, or may not carry frames."""
        if not taps:
            return frozenset()
        async with self._sessions() as session:
            vlans = await session.port_vlans()
            found = set()
            for tap in taps:
                link = await session.find(tap.name)
                bridge = await session.find(tap.bridge)
                if (
                    link is None
                    or bridge is None
                    or link.master != bridge.index
                    or await faults(
                        session, link, tap.mac, vlans.get(link.index, []), self._any_source()
                    )
                ):
                    found.add(tap.name)
            return frozenset(found)


async def _put_into_bridge(session: HostNetwork, link: Link, tap: Tap) -> None:
    """Put a tap back into its bridge if somebody took it out, or the bridge is a new one."""
    bridge = await session.find(tap.bridge)
    if bridge is None or not bridge.settings.get("vlan_filtering"):
        raise DeviceError(
            f"{tap.bridge} on {session.host.phrase} is not as HaaS makes it, so {tap.name} carries "
            "nothing: repair it with `drift repair`, then apply again.",
            reason="mismatch",
        )
    if link.master != bridge.index:
        line = f"ip link set {link.name} master {bridge.name}"
        await session.change(line, "set", index=link.index, master=bridge.index)


def belongs_to(link: Link, macs: Iterable[str]) -> str | None:
    """Return which of these MACs is that of the nic behind a tap; None if none is.

    libvirt gives the tap the nic's MAC with another first byte: FE, or FA if the nic's is FE.
    """
    if not link.is_tap:
        return None
    return next((mac for mac in macs if mac.lower()[2:] == link.mac.lower()[2:]), None)


async def admit(
    session: HostNetwork, link: Link, mac: str, vlans: Sequence[PortVlan], any_source: bool
) -> list[str]:
    """Guard a tap and let it carry frames; return the lines of what was changed."""
    lines = await session.set_filters(link, _filters(mac, any_source))
    lines += await session.keep_ip_off(link.name)
    return lines + await admit_port(session, link, vlans)


async def admit_port(session: HostNetwork, link: Link, vlans: Sequence[PortVlan]) -> list[str]:
    """Let a bridge's port carry untagged frames and no others; return the lines of changes."""
    lines = []
    for vlan, untagged in vlans:
        if (vlan, untagged) not in ADMITTED:
            await session.expel(link, vlan)
            lines.append(expel_line(link, vlan))
    if not set(ADMITTED) <= set(vlans):
        await session.admit(link)
        lines.append(admit_line(link.name))
    return lines


async def faults(
    session: HostNetwork, link: Link, mac: str, vlans: Sequence[PortVlan], any_source: bool
) -> list[str]:
    """Return what is wrong with a tap, as phrases."""
    found = []
    if await session.filters(link) != list(_filters(mac, any_source)):
        found.append(f"{link.name} does not have the filters of HaaS")
    if list(vlans) != ADMITTED:
        found.append(f"{link.name} is not admitted")
    wrong = await session.wrong_sysctls(link.name)
    found += [f"{template.format(link.name)} is {value}" for template, value in wrong]
    return found


def _filters(mac: str, any_source: bool) -> Sequence[Filter]:
    return filters.TAP_ANY_SOURCE if any_source else filters.tap(mac)
