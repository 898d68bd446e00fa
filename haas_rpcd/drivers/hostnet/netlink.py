"""The master's own network: for each VLAN in use an interface on the trunk nic and a bridge.

    eth0 (trunk nic) --- eth0.104 (802.1Q id 104) --- br-vlan104 --- taps of headnodes

The bridge runs no spanning tree and forwards at once, snoops no multicast, has no addresses, and
the master's own IP stack is kept off it (:data:`haas_rpcd.drivers.hostnet.links.NO_IP`): it joins
a tenant's headnodes to the tenant's VLAN and is no place to reach the master from.

An interface which only has the right name is never touched: what is there is judged by its kind,
the interface it stands on and its VLAN id, and if it is something else the change is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from haas_rpcd.drivers import Report, Seen
from haas_rpcd.drivers.hostnet.links import (
    IFF_NOARP,
    NAME_BYTES,
    NO_IP,
    NO_IPV6_ADDRESSES,
    Kernel,
    Link,
    keep_ip_off,
    sysctl_line,
)
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PresenceSeen, SetBridge

BRIDGE_SETTINGS = {"br_stp_state": 0, "br_forward_delay": 0, "br_mcast_snooping": 0}


def bridge_name(vlan: int) -> str:
    """Name the bridge of a VLAN: ``br-vlan104``."""
    return f"br-vlan{vlan}"


def vlan_link_name(trunk: str, vlan: int) -> str:
    """Name the trunk nic's interface for a VLAN: ``eth0.104``.

    Where that is over the kernel's 15 bytes (``enp129s0f0np0.104``), it is ``haas.104``.
    """
    name = f"{trunk}.{vlan}"
    return name if len(name.encode()) <= NAME_BYTES else f"haas.{vlan}"


def preview_lines(trunk_nic: str, change: SetBridge) -> list[str]:
    """Give the lines of ``ip`` and ``sysctl`` that do by hand what the driver does."""
    vlan_link, bridge = vlan_link_name(trunk_nic, change.vlan), bridge_name(change.vlan)
    if not change.present:
        return [_delete(bridge), _delete(vlan_link)]
    return [
        _up(trunk_nic),
        _add_vlan(trunk_nic, vlan_link, change.vlan),
        _no_addresses(vlan_link),
        _add_bridge(bridge),
        _no_addresses(bridge),
        _no_arp(bridge),
        *(sysctl_line(template, bridge) for template in NO_IP),
        _enslave(vlan_link, bridge),
        _up(vlan_link),
        _up(bridge),
    ]


class NetlinkDriver:
    """Makes and removes ``TRUNK.N`` and ``br-vlanN`` by netlink; needs CAP_NET_ADMIN."""

    continue_after_refusal = True  # VLANs do not depend on each other

    def __init__(self, trunk_nic: str) -> None:
        self._trunk_nic = trunk_nic
        self._kernel: Kernel | None = None

    def preview(self, change: SetBridge) -> list[str]:
        """Give the lines of ``ip`` and ``sysctl`` that do the same by hand."""
        return preview_lines(self._trunk_nic, change)

    async def open(self) -> None:
        """Open the netlink session.

        Raises DeviceError (unreachable) when the system gives none.
        """
        if self._kernel is None:
            self._kernel = Kernel.connect()

    async def close(self) -> None:
        """End the netlink session."""
        if self._kernel is not None:
            self._kernel.close()
            self._kernel = None

    async def send(self, change: SetBridge, report: Report) -> None:
        """Make or remove the VLAN's interface and bridge; only what differs is sent.

        Raises DeviceError: ``missing`` (no such trunk nic), ``refused`` (no CAP_NET_ADMIN, an
        interface of that name is something else, virtual machines still hang on the bridge).
        """
        if not isinstance(change, SetBridge):
            raise TypeError(f"the master's network has no {type(change).__name__}")
        site = _Site(self._session, self._trunk_nic, change.vlan, report)
        await (site.make() if change.present else site.remove())

    async def observe(self, changes: Sequence[SetBridge]) -> list[Seen]:
        """Say for each VLAN whether all of it is there: interface, bridge, enslaved, both up."""
        return [
            PresenceSeen(await _Site(self._session, self._trunk_nic, change.vlan).complete())
            for change in changes
        ]

    @property
    def _session(self) -> Kernel:
        if self._kernel is None:
            raise DeviceError("The netlink session is not open.", reason="unreachable")
        return self._kernel


class _Site:
    """The interfaces of one VLAN on the master."""

    def __init__(
        self, kernel: Kernel, trunk_nic: str, vlan: int, report: Report = lambda line: None
    ) -> None:
        self._kernel = kernel
        self._trunk_nic = trunk_nic
        self._vlan = vlan
        self._report = report
        self._link_name = vlan_link_name(trunk_nic, vlan)
        self._bridge_name = bridge_name(vlan)

    async def complete(self) -> bool:
        """Whether everything is there, is what it should be, and is up."""
        trunk = await self._kernel.find(self._trunk_nic)
        link = await self._kernel.find(self._link_name)
        bridge = await self._kernel.find(self._bridge_name)
        if trunk is None or link is None or bridge is None:
            return False
        ours = self._is_ours(link, trunk) and bridge.kind == "bridge"
        return ours and link.master == bridge.index and trunk.up and link.up and bridge.up

    async def make(self) -> None:
        """Bring everything about; what is there already stays as it is."""
        trunk = await self._trunk()
        # Both are judged before either is changed.
        await self._found_bridge()
        await self._found_link(trunk)
        if not trunk.up:
            await self._change(_up(trunk.name), "set", index=trunk.index, state="up")
        link = await self._ensure_link(trunk)
        bridge = await self._ensure_bridge()
        if link.master != bridge.index:
            line = _enslave(link.name, bridge.name)
            await self._change(line, "set", index=link.index, master=bridge.index)
        for one in (link, bridge):
            if not one.up:
                await self._change(_up(one.name), "set", index=one.index, state="up")

    async def remove(self) -> None:
        """Take the bridge away, then the VLAN interface; what is gone already is fine."""
        trunk = await self._kernel.find(self._trunk_nic)
        bridge = await self._found_bridge()
        link = await self._found_link(trunk)
        if bridge is not None:
            await self._refuse_if_used(bridge)
            await self._change(_delete(bridge.name), "del", index=bridge.index)
        if link is not None:
            await self._change(_delete(link.name), "del", index=link.index)

    async def _trunk(self) -> Link:
        trunk = await self._kernel.find(self._trunk_nic)
        if trunk is None:
            raise DeviceError(
                f"The master has no trunk nic {self._trunk_nic}: plug it in, or name the right one "
                "as trunk_nic in [master] of haas.toml (`ip link` lists them).",
                reason="missing",
            )
        return trunk

    def _is_ours(self, link: Link, trunk: Link | None) -> bool:
        stands_right = trunk is not None and link.link == trunk.index
        return link.kind == "vlan" and link.vlan == self._vlan and stands_right

    async def _found_link(self, trunk: Link | None) -> Link | None:
        """Return the VLAN interface if it is there; refuse if it is something else."""
        link = await self._kernel.find(self._link_name)
        if link is None or self._is_ours(link, trunk):
            return link
        raise DeviceError(
            f"{link.name} on the master is not VLAN {self._vlan} on {self._trunk_nic}, but "
            f"{_what(link)}: remove or rename it (`ip -d link show {link.name}`), then apply "
            "again.",
            reason="refused",
        )

    async def _found_bridge(self) -> Link | None:
        """Return the bridge if it is there; refuse if it is no bridge or has strange ports."""
        bridge = await self._kernel.find(self._bridge_name)
        if bridge is None:
            return None
        if bridge.kind != "bridge":
            raise DeviceError(
                f"{bridge.name} on the master is not a bridge, but {_what(bridge)}: remove or "
                "rename it, then apply again.",
                reason="refused",
            )
        strange = [
            port.name
            for port in await self._kernel.ports(bridge)
            if not port.is_tap and port.name != self._link_name
        ]
        if strange:
            raise DeviceError(
                f"{bridge.name} on the master has {_names(strange)} in it, which HaaS did not put "
                f"there: take it out (`ip link set {strange[0]} nomaster`), then apply again.",
                reason="refused",
            )
        return bridge

    async def _refuse_if_used(self, bridge: Link) -> None:
        taps = [port.name for port in await self._kernel.ports(bridge) if port.is_tap]
        if taps:
            raise DeviceError(
                f"{bridge.name} cannot be removed while {_names(taps)} of running virtual machines "
                "hangs on it: disconnect or stop them, then apply again.",
                reason="refused",
                taps=taps,
            )

    async def _ensure_link(self, trunk: Link) -> Link:
        link = await self._found_link(trunk)
        if link is None:
            await self._refuse_second_link(trunk)
            await self._change(
                _add_vlan(trunk.name, self._link_name, self._vlan),
                "add",
                ifname=self._link_name,
                kind="vlan",
                link=trunk.index,
                vlan_id=self._vlan,
            )
            link = await self._made(self._link_name)
        if link.mtu != trunk.mtu:
            line = f"ip link set {link.name} mtu {trunk.mtu}"
            await self._change(line, "set", index=link.index, mtu=trunk.mtu)
        await self._no_addresses(link)
        return link

    async def _refuse_second_link(self, trunk: Link) -> None:
        other = await self._kernel.find_vlan(trunk, self._vlan)
        if other is not None:
            raise DeviceError(
                f"VLAN {self._vlan} on {trunk.name} exists already as {other.name}: remove "
                f"{other.name}, or take {self._vlan} out of the pool in [vlans] of haas.toml.",
                reason="refused",
            )

    async def _ensure_bridge(self) -> Link:
        bridge = await self._found_bridge()
        if bridge is None:
            line = _add_bridge(self._bridge_name)
            await self._change(
                line, "add", ifname=self._bridge_name, kind="bridge", **BRIDGE_SETTINGS
            )
            bridge = await self._made(self._bridge_name)
        await self._no_addresses(bridge)
        if bridge.arp:
            line = _no_arp(bridge.name)
            await self._change(line, "set", index=bridge.index, flags=IFF_NOARP, change=IFF_NOARP)
        for line in keep_ip_off(bridge.name):
            self._report(line)
        return bridge

    async def _no_addresses(self, link: Link) -> None:
        if not link.up:  # it is when coming up that an interface makes itself an address
            line = _no_addresses(link.name)
            await self._change(line, "set", index=link.index, **NO_IPV6_ADDRESSES)

    async def _made(self, name: str) -> Link:
        made = await self._kernel.find(name)
        if made is None:
            raise DeviceError(
                f"{name} vanished from the master as soon as it was made: see who else configures "
                "the master's network, then apply again.",
                reason="mismatch",
            )
        return made

    async def _change(self, line: str, command: str, **settings: object) -> None:
        self._report(line)
        await self._kernel.change(line, command, **settings)


def _what(link: Link) -> str:
    if link.kind == "vlan":
        return f"VLAN {link.vlan} on another interface or id"
    return f"an interface of kind {link.kind or 'ethernet'}"


def _names(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _up(name: str) -> str:
    return f"ip link set {name} up"


def _add_vlan(trunk: str, name: str, vlan: int) -> str:
    return f"ip link add link {trunk} name {name} type vlan id {vlan}"


def _add_bridge(name: str) -> str:
    return f"ip link add {name} type bridge stp_state 0 forward_delay 0 mcast_snooping 0"


def _no_addresses(name: str) -> str:
    return f"ip link set {name} addrgenmode none"


def _no_arp(name: str) -> str:
    return f"ip link set {name} arp off"


def _enslave(name: str, bridge: str) -> str:
    return f"ip link set {name} master {bridge}"


def _delete(name: str) -> str:
    return f"ip link delete {name}"
