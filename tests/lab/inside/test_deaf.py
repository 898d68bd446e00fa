"""The master is deaf and mute on tenants' networks, and headnodes send only what is theirs.

Each test has a counterpart on an ordinary bridge, without which it would prove nothing.
"""

from __future__ import annotations

import itertools
import re
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pytest

from haas_rpcd.drivers.hostnet.driver import Host, HostNetworkDriver
from haas_rpcd.drivers.hostnet.taps import KernelTaps, Tap
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import BridgeSeen, SetBridge

from ..attempts import NODE, Arrived, print_table, try_all
from ..ears import mark
from ..frames import Wire
from ..packets import (
    BROADCAST,
    HeadnodeNic,
    SwitchPort,
    arp_request,
    ethernet,
    headnode_nic,
    ipv4,
    ipv6,
    llc,
    mac,
    udp,
)
from ..reach import EITHER_WAY
from ..topology import TRUNK_NIC, Lab, add_bridge, ip, remove_bridge, run, show
from ..wire import ETHERTYPE, Direction, PacketSocket, PacketSockets, Place

pytestmark = pytest.mark.second_kernel

MAKE = SetBridge(vlan=104, present=True)
REMOVE = SetBridge(vlan=104, present=False)
SOUND = BridgeSeen(present=True)
VLAN_LINK, BRIDGE, TAP = "trunk0.104", "br-vlan104", "vnet0"
NIC, OTHER = "52:54:00:aa:00:01", "52:54:00:aa:00:99"


def ignore(line: str) -> None:
    """Ignore a line that was sent."""


async def macs(vlan: int) -> dict[str, bool]:
    """Return the MAC of the headnode's nic."""
    return {NIC: True}


@pytest.fixture
async def master(lab: Lab, host: Host) -> AsyncIterator[HostNetworkDriver]:
    """The driver; the node's nic and the trunk carry VLAN 104."""
    lab.switch.carry(lab.nic("node-1:ipmi-nic").port, untagged=104)
    lab.switch.carry(lab.switch.trunk_port, tagged=[104])
    driver = HostNetworkDriver(host, lab.trunk_nic, macs)
    await driver.open()
    yield driver
    await driver.carry_out(REMOVE, ignore)
    await driver.close()


@contextmanager
def ordinary_bridge() -> Iterator[None]:
    """A bridge as anybody would make it."""
    add_bridge(104)
    try:
        yield
    finally:
        remove_bridge(104)


def add_former_bridge() -> None:
    """Make the bridge as the release before did."""
    ip(
        None,
        f"link add link {TRUNK_NIC} name {VLAN_LINK} type vlan id 104",
        f"link set {VLAN_LINK} addrgenmode none",
        f"link add {BRIDGE} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
        f"link set {BRIDGE} addrgenmode none",
        f"link set {BRIDGE} arp off",
    )
    for setting in (
        *("ipv6/conf/{}/disable_ipv6=1", "ipv4/conf/{}/forwarding=0"),
        *("ipv4/conf/{}/rp_filter=1", "ipv4/conf/{}/arp_ignore=8"),
    ):
        run("sysctl", "-q", "-w", f"net/{setting.format(BRIDGE)}")
    ip(
        None,
        f"link set {VLAN_LINK} master {BRIDGE}",
        f"link set {VLAN_LINK} up",
        f"link set {BRIDGE} up",
    )


def attempts(lab: Lab, wire: Wire, nic: HeadnodeNic) -> Arrived:
    """Return which sockets of the master heard which frame."""
    trunk = SwitchPort(lab, 104)
    arrived = try_all(wire, nic, BRIDGE, trunk, VLAN_LINK)
    trunk.close()
    return arrived


def test_an_ordinary_bridge_hands_everything_to_the_master(lab: Lab, wire: Wire) -> None:
    lab.switch.carry(lab.switch.trunk_port, tagged=[104])
    with ordinary_bridge(), headnode_nic(TAP, NIC, BRIDGE) as nic:
        arrived = attempts(lab, wire, nic)
    print_table("an ordinary bridge", arrived)
    assert [name for name, senders in arrived.items() if not any(senders.values())] == []


async def test_nothing_reaches_the_master(
    host: Host, lab: Lab, wire: Wire, master: HostNetworkDriver
) -> None:
    await master.carry_out(MAKE, ignore)
    with headnode_nic(TAP, NIC, BRIDGE) as nic:
        await KernelTaps(sessions=host.session).admit([Tap(TAP, NIC, BRIDGE)])
        arrived = attempts(lab, wire, nic)
        addresses = {one["ifname"]: one["addr_info"] for one in show("ip", None, "addr", "show")}
        routes = run("ip", "-6", "route", "show")
    print_table("a bridge of HaaS", arrived)
    assert {name: senders for name, senders in arrived.items() if any(senders.values())} == {}
    assert "default" not in routes
    assert [addresses[name] for name in (BRIDGE, VLAN_LINK, TAP, TRUNK_NIC)] == [[]] * 4


# --- what a headnode sends ------------------------------------------------------------------------

FROM_HEADNODE: dict[str, Callable[[bytes], bytes]] = {
    "from its MAC": lambda mark: ethernet(NIC, BROADCAST, ETHERTYPE, mark),
    "from another MAC": lambda mark: ethernet(OTHER, BROADCAST, ETHERTYPE, mark),
    "with the tag of its network": lambda mark: _tagged(mark, (0x8100, 104)),
    "with the tag of another network": lambda mark: _tagged(mark, (0x8100, 105)),
    "with a tag 0": lambda mark: _tagged(mark, (0x8100, 0)),
    "with two tags": lambda mark: _tagged(mark, (0x8100, 104), (0x8100, 105)),
    "with a provider's tag": lambda mark: _tagged(mark, (0x88A8, 105)),
    "spanning tree": lambda mark: llc(NIC, "01:80:c2:00:00:00", b"\x42\x42\x03" + mark),
    "LLDP": lambda mark: ethernet(NIC, "01:80:c2:00:00:0e", 0x88CC, mark),
    "spanning tree of a VLAN (Cisco)": lambda mark: llc(
        NIC, "01:00:0c:cc:cc:cd", b"\xaa\xaa\x03\x00\x00\x0c\x01\x0b" + mark
    ),
    "GVRP": lambda mark: llc(NIC, "01:80:c2:00:00:21", b"\x42\x42\x03" + mark),
    "CDP": lambda mark: llc(NIC, "01:00:0c:cc:cc:cc", b"\xaa\xaa\x03\x00\x00\x0c\x20\x00" + mark),
}


def _tagged(mark: bytes, *tags: tuple[int, int]) -> bytes:
    return ethernet(NIC, BROADCAST, ETHERTYPE, mark, *tags)


LAST = 999
"""The mark of a frame that is sent after all others: when it has arrived, so have they."""


class Listener:
    """Hears the headnode's frames on the trunk."""

    def __init__(self) -> None:
        self._sockets = PacketSockets([Place("trunk", None, TRUNK_NIC, Direction.BOTH)])

    def close(self) -> None:
        self._sockets.close()

    def tags(self, nic: HeadnodeNic) -> dict[int, tuple[int, ...]]:
        """Return the marks that were heard since the last call, with the tags of their frames."""
        nic.send(ethernet(NIC, BROADCAST, ETHERTYPE, mark(LAST)))
        found: dict[int, tuple[int, ...]] = {}
        for _, frame in self._sockets.received_until(time.monotonic() + 30):
            for number in map(int, re.findall(rb"<(\d+)>", frame.payload)):
                if number == LAST:
                    return found
                if frame.source != mac(NODE):
                    found[number] = frame.tags
        raise TimeoutError("the last frame was not heard")

    def marks(self, nic: HeadnodeNic) -> set[int]:
        """Return the marks of the headnode's frames that were heard since the last call."""
        return set(self.tags(nic))

    def heard(self, nic: HeadnodeNic) -> dict[str, tuple[int, ...]]:
        """Return which of FROM_HEADNODE were heard since the last call, with their tags."""
        names = list(FROM_HEADNODE)
        return {names[number]: tags for number, tags in self.tags(nic).items()}


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Hears what leaves on the trunk."""
    listening = Listener()
    yield listening
    listening.close()


def send_all(nic: HeadnodeNic) -> None:
    """Send each of :data:`FROM_HEADNODE`."""
    for number, make in enumerate(FROM_HEADNODE.values()):
        nic.send(make(mark(number)))


def test_an_ordinary_bridge_forwards_what_a_headnode_forges(lab: Lab, listener: Listener) -> None:
    with ordinary_bridge(), headnode_nic(TAP, NIC, BRIDGE) as nic:
        send_all(nic)
        heard = listener.heard(nic)
    assert heard.keys() == FROM_HEADNODE.keys() - {"LLDP"}
    assert heard["with the tag of another network"] == (104, 105)


async def test_a_headnode_sends_only_what_is_its_own(
    host: Host, master: HostNetworkDriver, listener: Listener
) -> None:
    await master.carry_out(MAKE, ignore)
    own = {"from its MAC": (104,)}
    with headnode_nic(TAP, NIC, BRIDGE) as nic:
        send_all(nic)  # nothing of this leaves: the tap is not admitted
        assert (await master.observe([MAKE]))[0] != SOUND
        await KernelTaps(sessions=host.session).admit([Tap(TAP, NIC, BRIDGE)])
        assert await master.observe([MAKE]) == [SOUND]
        assert listener.heard(nic) == {}
        send_all(nic)
        assert listener.heard(nic) == own
        await KernelTaps(lambda: True, host.session).admit([Tap(TAP, NIC, BRIDGE)])
        send_all(nic)
        assert listener.heard(nic) == own | {"from another MAC": (104,)}
        assert await KernelTaps(sessions=host.session).not_admitted([Tap(TAP, NIC, BRIDGE)]) == {
            TAP
        }
        await master.carry_out(MAKE, ignore)
        send_all(nic)
        assert listener.heard(nic) == own


@EITHER_WAY
async def test_headnodes_on_a_network_hear_each_other(
    host: Host, master: HostNetworkDriver
) -> None:
    await master.carry_out(MAKE, ignore)
    with headnode_nic(TAP, NIC, BRIDGE) as one, headnode_nic("vnet1", OTHER, BRIDGE) as other:
        await KernelTaps(sessions=host.session).admit(
            [Tap(TAP, NIC, BRIDGE), Tap("vnet1", OTHER, BRIDGE)]
        )
        for receiver in (one, other):
            list(receiver.received())
        for sender, receiver, frame in (
            (one, other, ethernet(NIC, OTHER, ETHERTYPE, b"ping")),
            (other, one, ethernet(OTHER, NIC, ETHERTYPE, b"pong")),
        ):
            sender.send(frame)
            assert list(receiver.received()) == [frame]


async def test_the_master_is_mute(
    host: Host, lab: Lab, master: HostNetworkDriver, listener: Listener
) -> None:
    """Otherwise a DHCP client on the bridge would ask a tenant for an address."""
    await master.carry_out(MAKE, ignore)
    with headnode_nic(TAP, NIC, BRIDGE) as nic, PacketSocket(Place("", None, BRIDGE)) as sock:
        await KernelTaps(sessions=host.session).admit([Tap(TAP, NIC, BRIDGE)])
        list(nic.received())
        sock.send(b"\xff" * 6, mark(0))
        assert listener.heard(nic) == {}
        assert list(nic.received()) == []


# --- what somebody changes by hand ----------------------------------------------------------------

DAMAGES = {
    f"{BRIDGE} has the address 192.0.2.1/24": f"ip address add 192.0.2.1/24 dev {BRIDGE}",
    f"{VLAN_LINK} has the address 192.0.2.1/24": f"ip address add 192.0.2.1/24 dev {VLAN_LINK}",
    f"ipv6/conf/{BRIDGE}/disable_ipv6 is 0": f"sysctl -q -w net/ipv6/conf/{BRIDGE}/disable_ipv6=0",
    f"ipv4/conf/{VLAN_LINK}/rp_filter is 0": f"sysctl -q -w net/ipv4/conf/{VLAN_LINK}/rp_filter=0",
    f"ipv4/conf/{BRIDGE}/forwarding is 1": f"sysctl -q -w net/ipv4/conf/{BRIDGE}/forwarding=1",
    f"ipv6/conf/{TRUNK_NIC}/disable_ipv6 is 0": (
        f"sysctl -q -w net/ipv6/conf/{TRUNK_NIC}/disable_ipv6=0"
    ),
    f"{BRIDGE} does not have the filters of HaaS": f"tc filter delete dev {BRIDGE} ingress",
    f"{VLAN_LINK} does not have the filters of HaaS": f"tc qdisc delete dev {VLAN_LINK} clsact",
    f"{TAP} does not have the filters of HaaS": f"tc filter delete dev {TAP} ingress prio 5",
    f"{TAP} is not admitted": f"bridge vlan add dev {TAP} vid 7",
    f"{VLAN_LINK} is not admitted": f"bridge vlan delete dev {VLAN_LINK} vid 1",
    f"the master is a member of {BRIDGE}": f"bridge vlan add dev {BRIDGE} vid 1 self",
    f"vlan_filtering of {BRIDGE} is 0": f"ip link set {BRIDGE} type bridge vlan_filtering 0",
    f"stp_state of {BRIDGE} is 1": f"ip link set {BRIDGE} type bridge stp_state 1",
    f"nf_call_iptables of {BRIDGE} is 1": f"ip link set {BRIDGE} type bridge nf_call_iptables 1",
    f"{BRIDGE} has ARP on": f"ip link set {BRIDGE} arp on",
    f"{BRIDGE} makes itself addresses": f"ip link set {BRIDGE} addrgenmode eui64",
    "uplink is in it, which HaaS did not put there": f"ip link set uplink master {BRIDGE}",
    "vnet9 is in it, which HaaS did not put there": f"ip link set vnet9 master {BRIDGE}",
}


async def test_what_somebody_changes_by_hand_is_found_and_put_right(
    host: Host,
    master: HostNetworkDriver,
) -> None:
    run("modprobe", "br_netfilter")
    ip(
        None,
        "link add uplink type veth peer name elsewhere",
        "tuntap add vnet9 mode tap",
    )
    await master.carry_out(MAKE, ignore)
    with headnode_nic(TAP, NIC, BRIDGE):
        await KernelTaps(sessions=host.session).admit([Tap(TAP, NIC, BRIDGE)])
        assert await master.observe([MAKE]) == [SOUND]
        for damage in DAMAGES.values():
            run(*damage.split())
        run(*f"tc qdisc add dev {VLAN_LINK} ingress".split())  # in the place of clsact
        (seen,) = await master.observe([MAKE])
        assert isinstance(seen, BridgeSeen) and seen.present
        assert DAMAGES.keys() - set(seen.faults) == set()
        await master.carry_out(MAKE, ignore)
        assert await master.observe([MAKE]) == [SOUND]
    ip(None, "link delete uplink", "link delete vnet9")  # they are still there
    run("rmmod", "br_netfilter")


async def test_a_bridge_that_haas_did_not_make_is_left_alone(master: HostNetworkDriver) -> None:
    add_bridge(104)
    try:
        ip(
            None,
            f"link set {BRIDGE} type bridge stp_state 1",
            f"address add 192.0.2.1/24 dev {BRIDGE}",
        )
        before = _lasting()
        for change in (MAKE, REMOVE):
            with pytest.raises(DeviceError, match=f"{BRIDGE} .* one that HaaS did not make"):
                await master.carry_out(change, ignore)
        assert await master.observe([MAKE]) == [
            BridgeSeen(
                present=False,
                faults=(
                    f"{VLAN_LINK} is not of HaaS, but one that HaaS did not make",
                    f"{BRIDGE} is not of HaaS, but one that HaaS did not make",
                ),
            )
        ]
        assert _lasting() == before
    finally:
        remove_bridge(104)


def _lasting() -> list[object]:
    """Return of both interfaces what HaaS would change, had it made them."""
    shown = [show("ip", None, "-d", "addr", "show", "dev", name)[0] for name in (BRIDGE, VLAN_LINK)]
    return [
        (
            one["ifindex"],
            one.get("master"),
            one.get("inet6_addr_gen_mode"),
            one["linkinfo"]["info_data"].get("stp_state"),
            [address["local"] for address in one["addr_info"] if address["family"] == "inet"],
        )
        for one in shown
    ]


# --- upgrades and firewalls -----------------------------------------------------------------------


async def test_the_interfaces_of_a_former_release_are_taken_over_without_losing_a_frame(
    lab: Lab, master: HostNetworkDriver, listener: Listener
) -> None:
    add_former_bridge()
    trunk = SwitchPort(lab, 104)
    sent = 0
    inward: list[bytes] = []
    with headnode_nic(TAP, NIC, BRIDGE) as nic:
        indexes = _indexes()
        (seen,) = await master.observe([MAKE])
        assert isinstance(seen, BridgeSeen)
        assert f"{BRIDGE} is as a former release of HaaS made it" in seen.faults

        def send_both_ways(line: str) -> None:
            nonlocal sent
            nic.send(ethernet(NIC, BROADCAST, ETHERTYPE, mark(sent)))
            trunk.send(ethernet(NODE, NIC, ETHERTYPE, mark(sent)))
            sent += 1

        await master.carry_out(MAKE, send_both_ways)
        outward = listener.marks(nic)
        inward += nic.received()
        assert await master.observe([MAKE]) == [SOUND]
        assert _indexes() == indexes
    trunk.close()
    assert sent > 20
    assert outward == set(range(sent))
    assert {int(n) for frame in inward for n in re.findall(rb"<(\d+)>", frame)} == set(range(sent))


def _indexes() -> list[int]:
    return [socket.if_nametoindex(name) for name in (TRUNK_NIC, VLAN_LINK, BRIDGE, TAP)]


CHAINS = ("-t filter -P FORWARD", "-t raw -P PREROUTING")


@contextmanager
def firewall() -> Iterator[None]:
    """The master's firewall drops what it sees, bridged frames included, as with Docker."""
    run("modprobe", "br_netfilter")
    for program, chain in itertools.product(("iptables-legacy", "ip6tables-legacy"), CHAINS):
        run(program, *chain.split(), "DROP")
    try:
        yield
    finally:
        for program, chain in itertools.product(("iptables-legacy", "ip6tables-legacy"), CHAINS):
            run(program, *chain.split(), "ACCEPT")
        run("rmmod", "br_netfilter")


TRAFFIC = [
    ethernet(NIC, BROADCAST, 0x0800, ipv4("10.1.1.1", "10.1.1.2", 17, udp(1, 2, mark(0)))),
    ethernet(NIC, BROADCAST, 0x86DD, ipv6("fd00::1", "fd00::2", 17, udp(1, 2, mark(1)))),
    ethernet(NIC, BROADCAST, 0x0806, arp_request(NIC, "10.1.1.2") + mark(2)),
]


async def test_a_firewall_on_the_master_does_not_cut_tenants(
    host: Host, lab: Lab, master: HostNetworkDriver, listener: Listener
) -> None:
    await master.carry_out(MAKE, ignore)
    trunk = SwitchPort(lab, 104)
    with headnode_nic(TAP, NIC, BRIDGE) as nic, firewall():
        await KernelTaps(sessions=host.session).admit([Tap(TAP, NIC, BRIDGE)])
        list(nic.received())
        for frame in TRAFFIC:
            nic.send(frame)
            trunk.send(frame[:6] + mac(NODE) + frame[12:])
        assert listener.marks(nic) == {0, 1, 2}
        heard = [frame[:12] for frame in nic.received()]  # its kernel speaks by itself too
        assert heard.count(b"\xff" * 6 + mac(NODE)) == 3
    trunk.close()


def test_a_firewall_on_the_master_cuts_an_ordinary_bridge(lab: Lab, listener: Listener) -> None:
    with ordinary_bridge(), headnode_nic(TAP, NIC, BRIDGE) as nic, firewall():
        for frame in TRAFFIC:
            nic.send(frame)
        assert listener.marks(nic) == {2}
