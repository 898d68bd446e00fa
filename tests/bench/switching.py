"""How fast changes reach switches, compared with the switches' own time and with other tools.

The switches are simulated Catalysts in a process of their own, which take 10 ms for each line.
"""

from __future__ import annotations

import contextlib
import sqlite3
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import others
from tests.bench.switchyard import CREDENTIAL, Switchyard
from tests.bench.table import Row
from tests.tui.harness.processes import Daemon, memory

PORTS = 48
LINE = 0.010
"""Seconds that a switch takes for a line."""

ROUND_TRIP = 0.020


@dataclass
class Site:
    """A daemon with switches of 48 ports, and behind each port a node with one nic."""

    daemon: Daemon
    yard: Switchyard
    switches: int

    def apply(self) -> tuple[float, dict[str, int]]:
        """Apply the project; return the seconds, and the increase of the switches' counters."""
        before = self.yard.counters()
        begun = time.perf_counter()
        job = self.daemon.apply("astro")
        took = time.perf_counter() - begun
        if job["state"] != "succeeded":
            raise AssertionError(job["error"])
        after = self.yard.counters()
        return took, {name: after[name] - before[name] for name in after}

    def network(self, name: str) -> None:
        self.daemon.call("network.create", project="astro", network=name)

    def connect(self, switch: int, port: int, network: str, *, tagged: bool = False) -> None:
        self.daemon.call(
            "nic.connect", node=node(switch, port), nic="nic", network=network, tagged=tagged
        )


def node(switch: int, port: int) -> str:
    """Return the name of the node behind a port; ports are counted from 1."""
    return f"n-{switch:03}-{port:02}"


@contextlib.contextmanager
def site(folder: Path, switches: int, *, others_nodes: int = 0) -> Iterator[Site]:
    """Provide a site whose ports are all parked, on the switches and in the daemon's state.

    ``others_nodes``: the number of further nodes, on switches that do not exist.
    """
    folder.mkdir()
    with Switchyard(switches) as yard:
        file = configuration(folder)
        with Daemon(folder, "--config", str(file)) as daemon:
            daemon.call("site.import", site=_site(yard, others_nodes))
            daemon.apply()  # parks all ports of the existing switches
        if others_nodes:
            _park_the_others(folder / "haas.db")
        with Daemon(folder, "--config", str(file)) as daemon:
            for switch in range(switches):
                for port in range(1, PORTS + 1):
                    daemon.call("node.allocate", project="astro", node=node(switch, port))
            yield Site(daemon, yard, switches)


def configuration(folder: Path) -> Path:
    """Write a configuration and the switches' credentials; return its path."""
    credentials = folder / "credentials.toml"
    credentials.touch(mode=0o600)
    credentials.write_text(
        "[bench]\n" + "".join(f'{key} = "{value}"\n' for key, value in CREDENTIAL.items())
    )
    file = folder / "haas.toml"
    file.write_text(
        f'[store]\npath = "{folder}/haas.db"\n[credentials]\nfile = "{credentials}"\n'
        "[switches]\nbusy_timeout = 0\n"
    )
    return file


def _site(yard: Switchyard, others_nodes: int) -> dict[str, Any]:
    names = [name.replace("GigabitEthernet", "Gi") for name in yard.names]
    switches = {
        f"sw{number:03}": {
            "dialect": "cisco_ios",
            "host": "127.0.0.1",
            "port": tcp,
            "credential": "bench",
            "access": names,
        }
        for number, tcp in enumerate(yard.ports)
    }
    nodes = {
        node(number, at): {"nics": {"nic": {"switch": f"sw{number:03}", "port": name}}}
        for number in range(len(yard.ports))
        for at, name in enumerate(names, 1)
    }
    for number in range(-(-others_nodes // PORTS)):  # these switches do not exist
        away = f"away{number:03}"
        switches[away] = {
            "dialect": "cisco_ios",
            "host": "127.0.0.1",
            "port": 1000 + number,
            "credential": "bench",
            "access": names,
        }
        for at, name in enumerate(names[: min(PORTS, others_nodes - number * PORTS)], 1):
            nodes[f"o-{number:03}-{at:02}"] = {"nics": {"nic": {"switch": away, "port": name}}}
    return {"projects": {"astro": {}}, "switches": switches, "nodes": nodes}


def _park_the_others(database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as db, db:
        db.execute(
            "INSERT INTO port_applied (port_id, confirmed, saved)"
            " SELECT id, 1, 1 FROM port WHERE true"
            " ON CONFLICT (port_id) DO UPDATE SET confirmed = 1, untagged = NULL, saved = 1"
        )
        db.execute("DELETE FROM port_applied_tagged")


# --- what is measured -----------------------------------------------------------------------------


def measure(folder: Path) -> Iterator[Row]:
    """Measure everything, each on a new site."""
    rows = list(_one_vlan(folder / "one"))
    yield from rows
    yield from _beside_others(rows[0].value)
    yield from _twelve_vlans(folder / "twelve")
    yield from _warm(folder / "warm")
    yield from _at_ten_thousand(folder)
    yield from _hundred_switches(folder / "hundred")


def _one_vlan(folder: Path) -> Iterator[Row]:
    with site(folder, 1) as one:
        one.network("lab")
        for port in range(1, PORTS + 1):
            one.connect(0, port, "lab")
        one.yard.set(line_delay=LINE)
        took, counted = one.apply()
    note = f"{counted['lines']} lines, {counted['bytes_in']} bytes"
    yield Row("48 ports to one VLAN, 10 ms a line", took, "s", 0.5, asserted=False, note=note)
    yield Row("… logins", counted["logins"], "", 1)
    yield Row("… saves", counted["saves"], "", 1)


def _twelve_vlans(folder: Path) -> Iterator[Row]:
    """Change 16 access ports to parked, 16 parked ones to access, and 16 to native and tagged."""
    with site(folder, 1) as one:
        for number in range(12):
            one.network(f"net-{number}")
        for port in range(1, 17):
            one.connect(0, port, f"net-{port % 12}")
        one.apply()
        for port in range(1, 17):
            one.daemon.call("nic.disconnect", node=node(0, port), nic="nic")
        for port in range(17, 33):
            one.connect(0, port, f"net-{port % 12}")
        for port in range(33, 49):
            one.connect(0, port, f"net-{port % 12}")
            one.connect(0, port, f"net-{(port + 5) % 12}", tagged=True)
        one.yard.set(line_delay=LINE, round_trip=ROUND_TRIP)
        took, counted = one.apply()
    budget = 1.25 * counted["lines"] * LINE + 0.5
    note = f"{counted['lines']} lines; 20 ms round trip"
    yield Row("48 ports to 12 VLANs, mixed", took, "s", budget, asserted=False, note=note)


def _warm(folder: Path) -> Iterator[Row]:
    with site(folder, 1) as one:
        one.network("lab")
        one.yard.set(line_delay=LINE)
        one.connect(0, 1, "lab")
        one.apply()
        over: list[float] = []
        lines: list[int] = []
        for number in range(40):
            if number % 2:
                one.daemon.call("nic.disconnect", node=node(0, 2), nic="nic")
            else:
                one.connect(0, 2, "lab")
            took, counted = one.apply()
            over.append((took - counted["lines"] * LINE) * 1000)
            lines.append(counted["lines"])
            assert not counted["logins"], "the session was not kept warm"
    worst = statistics.quantiles(over, n=20)[-1]
    note = f"95th percentile of {len(over)}, median {statistics.median(over):.0f};"
    note += f" {min(lines)}-{max(lines)} lines each"
    yield Row("one nic, warm: over lines x 10 ms", worst, "ms", 50, asserted=False, note=note)


def _beside_others(ours: float) -> Iterator[Row]:
    """Set the same 48 ports with other tools; ``ours``: the seconds that HaaS took."""

    def row(how: str, took: float) -> Row:
        note = f"{took / ours:.0f} times as long; {_counted(yard)}"
        return Row(f"  the same {how}", took, "s", note=note)

    access = ["switchport access vlan 100", "switchport mode access", "no shutdown"]
    with Switchyard(3) as yard:
        yard.set(line_delay=LINE)
        first, second, third = yard.ports
        vlan = ["vlan 100", "name haas-100", "exit"]
        each = [line for name in yard.names for line in (f"interface {name}", *access)]
        ranged = ["interface range GigabitEthernet1/0/1 - 48", *access]
        changes = [[f"interface {name}", *access] for name in yard.names]
        yield row("by netmiko, a range", others.netmiko_set(first, [*vlan, *ranged]))
        yield row("by netmiko, port by port", others.netmiko_set(second, [*vlan, *each]))
        yield row("by a session a change", others.one_change_a_session(third, [vlan, *changes]))


def _counted(yard: Switchyard) -> str:
    """Return the increase of the switches' counters since the last call, as text."""
    now = yard.counters()
    before, yard.before = yard.before, now
    names = ("lines", "logins", "saves")
    return ", ".join(f"{now[name] - before.get(name, 0)} {name}" for name in names)


def _at_ten_thousand(folder: Path) -> Iterator[Row]:
    """Make the same change with 10 other nodes and with 10,000; take the best of three."""
    times = []
    for nodes in (10, 10_000):
        took = []
        with site(folder / f"beside-{nodes}", 1, others_nodes=nodes) as one:
            one.network("lab")
            one.yard.set(line_delay=LINE)
            for _ in range(3):
                for port in range(1, PORTS + 1):
                    one.connect(0, port, "lab")
                took.append(one.apply()[0])
                for port in range(1, PORTS + 1):
                    one.daemon.call("nic.disconnect", node=node(0, port), nic="nic")
                one.apply()
        times.append(min(took))
    note = f"{times[0]:.2f} s and {times[1]:.2f} s"
    ratio = times[1] / times[0]
    yield Row("48 ports, at 10,000 nodes to at 10", ratio, "x", 1.2, asserted=False, note=note)


def _hundred_switches(folder: Path) -> Iterator[Row]:
    with site(folder, 100) as many:
        many.network("lab")
        for switch in range(100):
            for port in range(1, PORTS + 1):
                many.connect(switch, port, "lab")
        many.yard.set(line_delay=LINE)
        took, counted = many.apply()
        note = f"{counted['lines']} lines, {counted['logins']} logins, {counted['saves']} saves"
        yield Row("100 switches x 48 ports, 10 ms a line", took, "s", 5, asserted=False, note=note)
        many.yard.set(line_delay=LINE)
        before = many.yard.counters()
        begun = time.perf_counter()
        report = many.daemon.call("drift.check")
        took = time.perf_counter() - begun
        after = many.yard.counters()
        assert (len(report["checked"]), report["items"]) == (100, []), report
        each = (after["lines"] - before["lines"]) / 100
        note = f"{each:.0f} lines a switch, {after['logins'] - before['logins']} logins"
        yield Row("drift check of 100 x 48 ports", took, "s", 5, asserted=False, note=note)
        rss, _ = memory(many.daemon.process.pid)
        yield Row("… daemon's RSS", rss / 1e6, "MB", 150)
