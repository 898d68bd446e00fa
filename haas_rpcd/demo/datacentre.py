"""The embedded data centre of ``--demo``: two switches with telnet, and an inventory.

Only the surroundings of the daemon are simulated: the switches (with real telnet on loopback) and
the master's kernel and hypervisor (in memory). The daemon itself is the real one.
"""

from __future__ import annotations

import tomli_w

from haas_rpcd.config import Credential
from haas_rpcd.sim.cli import Announced, Plugged
from haas_rpcd.sim.host import SimHost
from haas_rpcd.sim.ios import IosSwitch, gigabit

USERNAME, PASSWORD, ENABLE = "haas", "demo", "demo-enable"
CREDENTIAL = "demo"
PORTS = 24
MASTER_PORT = "Gi1/0/24"
HYPERVISOR_PORT = "Gi1/0/24"
PEER_PORT = "Gi1/0/23"
LINE_DELAY = 0.01
"""Seconds that a simulated switch takes for a line, like a real one."""

NODES = 12
PROJECTS = ("astro", "bio")


class DataCentre:
    """Two Catalyst switches, six nodes on each, and trunks between them and to two hypervisors."""

    def __init__(self) -> None:
        self.host = SimHost()
        self.switches = {
            name: IosSwitch(
                name,
                ports=gigabit(PORTS),
                username=USERNAME,
                password=PASSWORD,
                enable=ENABLE,
            )
            for name in ("sw1", "sw2")
        }
        for name, peer in (("sw1", "sw2"), ("sw2", "sw1")):
            said = Announced(f"00:1b:54:00:00:0{peer[-1]}", PEER_PORT, peer)
            switch = self.switches[name]
            switch.plug(switch.full_port(PEER_PORT), Plugged(lldp=(said,)))

    async def start(self) -> None:
        """Let every switch listen on a free port of loopback."""
        for switch in self.switches.values():
            await switch.start()

    def take_time(self) -> None:
        """From now on take as long for a line as real switches, so that progress is visible."""
        for switch in self.switches.values():
            switch.faults.line_delay = LINE_DELAY

    async def stop(self) -> None:
        """Stop all switches."""
        for switch in self.switches.values():
            await switch.stop()

    @property
    def credentials(self) -> dict[str, Credential]:
        """The credentials with which the daemon logs in to the switches."""
        return {CREDENTIAL: Credential(username=USERNAME, password=PASSWORD, enable=ENABLE)}

    def site(self) -> str:
        """Return the inventory as a site file."""
        switches = {}
        for name, switch in self.switches.items():
            trunks = [PEER_PORT, MASTER_PORT if name == "sw1" else HYPERVISOR_PORT]
            switches[name] = {
                "dialect": "cisco_ios",
                "host": "127.0.0.1",
                "port": switch.port,
                "credential": CREDENTIAL,
                "access": [f"Gi1/0/{number}" for number in range(1, NODES + 1)],
                "trunk": trunks,
            }
        nodes = {}
        for number in range(1, NODES + 1):
            switch_name = "sw1" if number <= NODES // 2 else "sw2"
            place = (number - 1) % (NODES // 2)
            nodes[f"node-{number:02}"] = {
                "tags": ["gpu"] if number % 4 == 0 else [],
                "nics": {
                    "ipmi-nic": {
                        "kind": "bmc",
                        "mac": f"02:00:00:00:{number:02x}:01",
                        "switch": switch_name,
                        "port": f"Gi1/0/{2 * place + 1}",
                    },
                    "primary-nic": {
                        "mac": f"02:00:00:00:{number:02x}:02",
                        "switch": switch_name,
                        "port": f"Gi1/0/{2 * place + 2}",
                    },
                },
            }
        return tomli_w.dumps(
            {
                "projects": {name: {} for name in PROJECTS},
                "switches": switches,
                "nodes": nodes,
            }
        )
