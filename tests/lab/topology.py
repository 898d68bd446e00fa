"""A small data centre made of namespaces, a bridge and veths.

    node-1  ipmi-nic ───── p1 ┐
            primary-nic ── p2 │
    node-2  ipmi-nic ───── p3 │ sw1: a bridge that
            primary-nic ── p4 │ filters VLANs        p7 ───── trunk0  the master
    node-3  ipmi-nic ───── p5 │                mgmt-sw1 ───── mgmt0   (the root namespace)
            primary-nic ── p6 ┘

A new port is up and carries no VLAN, so nobody hears anybody although every link has a carrier.
With ``default_vlan=1``, a new switch is like those that most vendors ship: all ports are untagged
in VLAN 1, and everybody hears everybody. When a port is shut (``ip link set dev P down``), the nic
at the other end loses its carrier.

Further hypervisors are namespaces with a trunk nic on another port and an address on a management
network of their own (``second_host.py`` lets them live):

    sw1  p8 ───── enp1s0  hv2  mgmt0 ───── mgmt-hv2  the master
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

TRUNK_NIC = "trunk0"
MASTER_ADDRESS = "10.0.0.1"
PORT_INDEX = 100_001
"""Interface index of the first switch port, above those of all that a kernel makes in the time of
the tests: the master must have none of the same index. If both ends of a veth have the same index,
in different namespaces, the kernel takes each for an interface without another end; it checks the
carrier of such interfaces only once a second (``linkwatch_urgent_event``)."""


class CommandFailed(Exception):
    """A command that the lab needs failed; the message contains its output."""


def run(*command: str, stdin: str = "") -> str:
    """Run a command and return its output. Raises CommandFailed."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandFailed(f"{' '.join(command)} ({done.returncode}): {done.stderr}{stdin}")
    return done.stdout


def ip(namespace: str | None, *lines: str) -> None:
    """Run ``ip`` commands in a namespace; None is the root namespace, the master's."""
    _batch("ip", namespace, lines)


def bridge(namespace: str | None, *lines: str) -> None:
    """Run ``bridge`` commands in a namespace."""
    _batch("bridge", namespace, lines)


def _batch(program: str, namespace: str | None, lines: Iterable[str]) -> None:
    # One process for all lines: starting a process takes some 20 ms in the lab.
    run(program, *_within(namespace), "-batch", "-", stdin="".join(f"{line}\n" for line in lines))


def show(program: str, namespace: str | None, *what: str) -> Any:
    """Return the output of an ``ip -json`` or ``bridge -json`` command."""
    return json.loads(run(program, *_within(namespace), "-json", *what) or "[]")


def _within(namespace: str | None) -> tuple[str, ...]:
    return () if namespace is None else ("-n", namespace)


@dataclass(frozen=True)
class Nic:
    """A nic of a node, and the switch port that it is plugged into."""

    node: str
    nic: str
    mac: str
    port: str

    @property
    def name(self) -> str:
        """The nic as users write it: ``node-1:ipmi-nic``."""
        return f"{self.node}:{self.nic}"


@dataclass(frozen=True)
class Node:
    """A physical machine: a namespace with the same name, which holds its nics."""

    name: str
    nics: tuple[Nic, ...]


@dataclass(frozen=True)
class Switch:
    """A managed switch: a namespace with the same name, and one bridge with all its ports."""

    name: str
    bridge: str
    access_ports: tuple[str, ...]
    trunk_port: str
    address: str
    """The address of its telnetd, as seen from the master."""
    more_trunk_ports: tuple[str, ...] = ()
    """The ports of other hypervisors."""

    @property
    def ports(self) -> tuple[str, ...]:
        """All ports, the trunk ports last."""
        return (*self.access_ports, self.trunk_port, *self.more_trunk_ports)

    def carry(self, port: str, untagged: int | None = None, tagged: Sequence[int] = ()) -> None:
        """Make a port carry exactly these VLANs. Without VLANs, park it: shut, no VLAN."""
        if untagged is None and not tagged:
            self.park(port)
            return
        # Remove all VLANs first: a new untagged VLAN does not remove the old one.
        lines = [f"vlan del dev {port} vid 1-4094"]
        lines += [f"vlan add dev {port} vid {vlan}" for vlan in tagged]
        if untagged is not None:
            lines.append(f"vlan add dev {port} vid {untagged} pvid untagged")
        bridge(self.name, *lines)
        ip(self.name, f"link set dev {port} up")

    def park(self, *ports: str) -> None:
        """Park these ports."""
        bridge(self.name, *(f"vlan del dev {port} vid 1-4094" for port in ports))
        ip(self.name, *(f"link set dev {port} down" for port in ports))

    def carried(self) -> dict[str, tuple[int | None, tuple[int, ...]]]:
        """Return the untagged and the tagged VLANs of each port; none for a port that is shut."""
        shut = {
            link["ifname"]
            for link in show("ip", self.name, "link", "show")
            if "UP" not in link["flags"]
        }
        found: dict[str, tuple[int | None, tuple[int, ...]]] = dict.fromkeys(self.ports, (None, ()))
        for entry in show("bridge", self.name, "vlan", "show"):
            if entry["ifname"] not in found or entry["ifname"] in shut:
                continue
            vlans = {vlan["vlan"]: vlan.get("flags", []) for vlan in entry["vlans"]}
            untagged = [vlan for vlan, flags in vlans.items() if "PVID" in flags]
            tagged = tuple(vlan for vlan, flags in vlans.items() if "PVID" not in flags)
            found[entry["ifname"]] = (untagged[0] if untagged else None, tagged)
        return found


@dataclass
class Host:
    """Another hypervisor: a namespace with the same name, which holds its trunk nic."""

    name: str
    port: str
    """The switch port of its trunk nic."""
    number: int
    trunk_nic: str = "enp1s0"
    powered: bool = True
    """False: its links are down, and it hears nothing."""

    @property
    def address(self) -> str:
        """Its address, as seen from the master."""
        return f"10.0.{self.number}.2"

    @property
    def master_address(self) -> str:
        """The master's address, as seen from it."""
        return f"10.0.{self.number}.1"

    def power(self, on: bool) -> None:
        """Give its links power, or take it away."""
        state = "up" if on else "down"
        ip(self.name, f"link set {self.trunk_nic} {state}", f"link set mgmt0 {state}")
        self.powered = on


@dataclass
class Lab:
    """One switch and everything plugged into it. The master is the root namespace."""

    switch: Switch
    nodes: tuple[Node, ...]
    trunk_nic: str = TRUNK_NIC
    hosts: tuple[Host, ...] = ()
    telnetd: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def nics(self) -> tuple[Nic, ...]:
        """The nics of all nodes."""
        return tuple(nic for node in self.nodes for nic in node.nics)

    def nic(self, name: str) -> Nic:
        """Return a nic by its name, e.g. ``node-1:ipmi-nic``."""
        return next(nic for nic in self.nics if nic.name == name)

    def hang_up(self) -> None:
        """End all sessions on the switch."""
        for process in map(int, run("ip", "netns", "pids", self.switch.name).split()):
            if self.telnetd is not None and process != self.telnetd.pid:
                with contextlib.suppress(ProcessLookupError):  # it ended with an earlier one
                    os.kill(process, signal.SIGKILL)

    def remove(self) -> None:
        """Remove the lab."""
        if self.telnetd is not None:
            self.telnetd.kill()
            self.telnetd.wait()
        # A link disappears with its namespace or with that of its other end.
        others = (*self.nodes, *self.hosts)
        for name in (self.switch.name, *(each.name for each in others)):
            run("ip", "netns", "delete", name)


def build(
    nodes: Sequence[str] = ("node-1", "node-2", "node-3"),
    switch: str = "sw1",
    default_vlan: int = 0,
    telnet: bool = True,
    hosts: Sequence[str] = (),
) -> Lab:
    """Build a lab: nodes with two nics each on a new switch, and the master's trunk.

    ``telnet=False`` leaves out telnetd, for a switch with a simulated command line. ``hosts``:
    hypervisors other than the master.
    """
    plugged = tuple(_node(number, name) for number, name in enumerate(nodes, 1))
    nics = [nic for node in plugged for nic in node.nics]
    trunk = len(nics) + 1
    others = tuple(Host(name, f"p{trunk + number}", number) for number, name in enumerate(hosts, 1))
    made = Switch(
        name=switch,
        bridge="br0",
        access_ports=tuple(nic.port for nic in nics),
        trunk_port=f"p{trunk}",
        address="10.0.0.2",
        more_trunk_ports=tuple(host.port for host in others),
    )
    for name in (switch, *nodes, *hosts):
        run("ip", "netns", "add", name)
    ip(
        None,
        *(
            f"link add {nic.port} index {index} netns {switch} type veth "
            f"peer name {nic.nic} address {nic.mac} netns {nic.node}"
            for index, nic in enumerate(nics, PORT_INDEX)
        ),
        f"link add {made.trunk_port} index {PORT_INDEX + len(nics)} netns {switch} type veth "
        f"peer name {TRUNK_NIC}",
        f"link add mgmt-{switch} netns {switch} type veth peer name mgmt0",
        f"addr add {MASTER_ADDRESS}/24 dev mgmt0",
        "link set mgmt0 up",
        f"link set {TRUNK_NIC} up",
    )
    for index, host in enumerate(others, PORT_INDEX + trunk):
        _plug(host, switch, index)
    ip(
        switch,
        "link set lo up",
        f"addr add {made.address}/24 dev mgmt-{switch}",
        f"link set mgmt-{switch} up",
        f"link add {made.bridge} type bridge vlan_filtering 1 vlan_default_pvid {default_vlan}",
        *(f"link set {port} master {made.bridge} up" for port in made.ports),
        f"link set {made.bridge} up",
    )
    for node in plugged:
        ip(node.name, *(f"link set {nic.nic} up" for nic in node.nics))
    return Lab(made, plugged, hosts=others, telnetd=start_telnetd(made) if telnet else None)


def _plug(host: Host, switch: str, index: int) -> None:
    """Plug a hypervisor into its port, which gets this interface index, and into the master."""
    ip(
        None,
        f"link add {host.port} index {index} netns {switch} type veth "
        f"peer name {host.trunk_nic} netns {host.name}",
        f"link add mgmt-{host.name} index {index} type veth peer name mgmt0 netns {host.name}",
        f"addr add {host.master_address}/24 dev mgmt-{host.name}",
        f"link set mgmt-{host.name} up",
    )
    ip(host.name, "link set lo up", f"addr add {host.address}/24 dev mgmt0")
    host.power(on=True)


def _node(number: int, name: str) -> Node:
    return Node(
        name,
        tuple(
            Nic(
                node=name,
                nic=nic,
                mac=f"02:00:00:00:{number:02x}:{place:02x}",
                port=f"p{2 * (number - 1) + place}",
            )
            for place, nic in enumerate(("ipmi-nic", "primary-nic"), 1)
        ),
    )


def start_telnetd(switch: Switch) -> subprocess.Popen[bytes]:
    """Start the switch's telnetd, which runs a real login for each connection."""
    telnetd = "exec busybox telnetd -F -p 23 -l /bin/login"
    return subprocess.Popen(
        # It has its own host name, because login prints it: "sw1 login: ".
        [
            *("ip", "netns", "exec", switch.name, "unshare", "--uts"),
            *("sh", "-c", f"hostname {switch.name}; {telnetd}"),
        ],
        stdin=subprocess.DEVNULL,
    )


def add_bridge(vlan: int, trunk_nic: str = TRUNK_NIC, namespace: str | None = None) -> str:
    """Create by hand what HaaS creates for a network; return the bridge's name.

    Without a namespace it is on the master.
    """
    name, leg = f"br-vlan{vlan}", f"{trunk_nic}.{vlan}"
    ip(
        namespace,
        f"link add {name} type bridge",
        f"link add link {trunk_nic} name {leg} type vlan id {vlan}",
        f"link set {leg} master {name} up",
        f"link set {name} up",
    )
    return name


def remove_bridge(vlan: int, trunk_nic: str = TRUNK_NIC, namespace: str | None = None) -> None:
    """Remove what `add_bridge` created."""
    ip(namespace, f"link delete {trunk_nic}.{vlan}", f"link delete br-vlan{vlan}")
