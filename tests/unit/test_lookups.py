"""What the store finds and changes of each noun, by itself and not of its neighbours."""

from __future__ import annotations

from haas_rpcd.boottime import Moment
from haas_rpcd.model import Phase, SaveConfig, Step
from haas_rpcd.registered import RegisteredSwitch
from haas_rpcd.store import (
    audit,
    drift,
    headnodes,
    jobs,
    networks,
    nics,
    nodes,
    ports,
    projects,
    shares,
    switches,
    users,
)
from haas_rpcd.store.database import Store, Tx

RED, BLUE, GREEN = 1, 2, 3


async def test_users_and_their_projects(filled: Store) -> None:
    def known(tx: Tx) -> dict[str, tuple[bool, list[str]]]:
        return {row.name: (row.admin, row.projects) for row in users.page(tx, 9, "")}

    assert await filled.read(known) == {
        "ada": (True, []),
        "bob": (False, ["blue"]),
        "rita": (False, ["green", "red"]),
    }
    await filled.write(users.set_admin, "bob", True)
    rows = await filled.read(users.memberships, "rita")
    assert {row.project_id: row.role for row in rows} == {RED: "member", GREEN: "member"}
    assert await filled.write(users.delete, "rita") == 1
    assert await filled.read(known) == {"ada": (True, []), "bob": (True, ["blue"])}
    assert await filled.read(lambda tx: projects.detail(tx, RED).roles) == {}


async def test_projects_and_what_they_hold(filled: Store) -> None:
    def counts(tx: Tx, mine: list[int] | None) -> list[tuple[str, int, int, int]]:
        found = projects.page(tx, 9, "", mine)
        return [(row.name, row.nodes, row.networks, row.headnodes) for row in found]

    everything = [("blue", 1, 1, 3), ("green", 0, 0, 0), ("red", 3, 2, 3)]
    assert await filled.read(counts, None) == everything
    assert await filled.read(counts, [BLUE]) == everything[:1]
    assert await filled.write(projects.remove_member, GREEN, 2) == 1
    assert await filled.write(projects.remove_member, GREEN, 2) == 0
    assert await filled.read(counts, [RED]) == everything[2:]
    await filled.write(projects.delete, GREEN)
    assert await filled.read(counts, None) == [everything[0], everything[2]]


async def test_networks_and_who_may_use_them(filled: Store) -> None:
    def names(tx: Tx, **wanted: object) -> list[str]:
        return [row.name for row in networks.page(tx, 9, 0, **wanted)]  # type: ignore[arg-type]

    assert await filled.read(lambda tx: names(tx)) == ["net", "own", "new"]
    assert await filled.read(lambda tx: names(tx, project_id=BLUE)) == ["net", "own"]
    assert await filled.read(lambda tx: names(tx, mine=[BLUE])) == ["net", "own"]
    assert await filled.read(lambda tx: names(tx, mine=[])) == []
    net = await filled.read(networks.find, RED, "net")
    assert net is not None
    assert (net.vlan, net.shared_with, net.nics, net.headnodes) == (100, ["blue"], 2, 2)
    nics = [(row.node, row.tagged, row.project) for row in await filled.read(networks.nics_on, 1)]
    assert nics == [("node-1", False, "red"), ("node-6", True, "blue")]
    usable = [await filled.read(shares.usable_by, net, each) for each in (RED, BLUE, GREEN)]
    assert usable == [True, True, False]
    assert [row.project for row in await filled.read(networks.named, "own", [RED, GREEN])] == []
    assert await filled.read(networks.claimed, [100, 102, 103]) == {100, 102}
    assert await filled.read(networks.retiring) == 2


async def test_nodes_and_their_nics(filled: Store) -> None:
    def names(tx: Tx, **wanted: object) -> list[str]:
        return [row.name for row in nodes.page(tx, 9, "", **wanted)]  # type: ignore[arg-type]

    assert await filled.read(lambda tx: names(tx, project_id=RED)) == ["node-1", "node-2", "node-8"]
    assert await filled.read(lambda tx: names(tx, tag="gpu")) == ["node-3"]
    assert await filled.read(lambda tx: names(tx, free=True)) == ["node-3", "node-7"]
    hidden = {f"node-{n}" for n in (1, 2, 8)}
    assert hidden.isdisjoint(await filled.read(lambda tx: names(tx, mine=[BLUE])))
    assert await filled.read(nodes.tags_of, [1, 3]) == {1: [], 3: ["gpu", "rack=a"]}
    await filled.write(nodes.set_tags, 3, ["cpu"])
    assert await filled.read(nodes.tags_of, [1, 3]) == {1: [], 3: ["cpu"]}
    found = await filled.read(nics.of_nodes, [1, 7])
    assert [
        (nic.name, nic.kind, nic.place and nic.place.switch, nic.place and nic.place.name)
        for nic in found[1]
    ] == [
        ("eth0", "data", "sw1", "Gi1/0/1"),
        ("ipmi", "bmc", "sw1", "Gi1/0/6"),
    ]
    assert [(nic.name, nic.place, nic.config) for nic in found[7]] == [("eth0", None, None)]
    staged = await filled.read(nics.connections_of, [6, 7])
    assert [(row.vlan, row.tagged) for row in staged[6]] == [(101, False), (100, True)]
    assert await filled.write(nics.disconnect, 6, 1) == 1
    staged = await filled.read(nics.connections_of, [1, 6])
    assert [(row.vlan, row.tagged) for row in staged[6]] == [(101, False)]
    assert [(row.vlan, row.tagged) for row in staged[1]] == [(100, False)]
    assert await filled.read(nics.holder_of_mac, "52:54:00:00:00:03") == "node-3:eth0"
    assert await filled.read(nodes.drifted_port, 9) == "sw2 ethernet 1/1/3"
    assert await filled.read(nodes.drifted_port, 3) is None


async def test_headnodes_and_their_nics(filled: Store) -> None:
    nics = await filled.read(headnodes.nics, 1)
    assert [(nic.name, nic.owner, nic.network, nic.vlan) for nic in nics] == [
        ("nic0", "red", "net", 100),
        ("nic1", None, None, None),
    ]
    await filled.write(headnodes.mark_deleting, 1)
    assert [nic.network_id for nic in await filled.read(headnodes.nics, 1)] == [None, None]
    assert [nic.network for nic in await filled.read(headnodes.nics, 2)] == ["net"]
    await filled.write(headnodes.set_running, 6, True)
    found = {row.name: (row.running, row.deleting) for row in await filled.read(of_blue)}
    assert found == {"fresh": (True, False), "desk": (True, False), "off": (True, False)}


def of_blue(tx: Tx) -> list[headnodes.HeadnodeRow]:
    return headnodes.all_of(tx, BLUE)


async def test_switches_and_their_ports(filled: Store) -> None:
    found = await filled.read(switches.find, "sw2")
    assert found is not None
    assert found.registered == RegisteredSwitch(
        "sw2", "dell_os10", "192.0.2.2", 22, "ssh", None, {"ssh_legacy": True}
    )
    assert (found.ports, found.unsaved, found.drift) == (8, True, 1)
    await filled.write(switches.set_uptime, "sw2", 7.0, Moment("a boot", 8.0))
    assert await filled.read(switches.uptime, "sw2") == switches.UptimeRow(7.0, 8.0, "a boot")
    assert await filled.read(switches.uptime, "sw1") is None
    moved = RegisteredSwitch("sw2", "dell_os10", "192.0.2.9", 23, "telnet", "lab", {})
    await filled.write(switches.update, moved)
    rows = {row.name: row.registered for row in await filled.read(switches.page, 9, "")}
    assert rows["sw2"] == moved
    assert rows["sw1"].host == "192.0.2.1"
    assert await filled.read(switches.at, "192.0.2.9", 23) == "sw2"
    port = await filled.read(ports.find, "sw1", "Gi1/0/1")
    assert port is not None
    assert (port.node, port.nic, port.project, port.drift) == ("node-1", "eth0", "red", None)
    assert await filled.read(ports.name_of, 1, "GigabitEthernet1/0/1") == "Gi1/0/1"
    await filled.write(ports.delete, 7)
    registered = [row.name for row in await filled.read(ports.page, 1, 99, 0)]
    assert registered == [f"Gi1/0/{n}" for n in (1, 2, 3, 4, 5, 6, 8)]


async def test_a_check_replaces_the_drift_of_one_device(filled: Store) -> None:
    def known(tx: Tx) -> list[tuple[str, str, float]]:
        return [(row.device, row.target, row.since) for row in drift.of_devices(tx, ["sw1", "sw2"])]

    closed = drift.DifferenceRow("vlan", "102", "present", "absent")
    opened = drift.DifferenceRow("port", "Gi1/0/3", "parked", "access 1")
    new, gone = await filled.write(drift.replace, "sw1", [closed, opened], 90.0)
    assert ([row.target for row in new], gone) == (["Gi1/0/3"], [])
    new, gone = await filled.write(drift.replace, "sw1", [opened], 95.0)
    assert (new, [row.target for row in gone]) == ([], ["102"])
    since = 1790000050.0
    assert await filled.read(known) == [("sw1", "Gi1/0/3", 90.0), ("sw2", "ethernet 1/1/3", since)]
    await filled.write(drift.clear, [("sw1", "Gi1/0/3")])
    assert await filled.read(known) == [("sw2", "ethernet 1/1/3", since)]


async def test_a_switch_that_is_deleted_takes_its_drift_and_vlans_along(filled: Store) -> None:
    def delete(tx: Tx) -> None:
        tx.execute("UPDATE port_applied SET confirmed = 1, untagged = NULL, saved = 1")
        tx.execute("DELETE FROM port_applied_tagged")
        tx.execute("DELETE FROM connection")
        tx.execute("DELETE FROM allocation")
        tx.execute("UPDATE port SET nic_id = NULL")  # nothing is plugged in any more
        switches.delete(tx, 2)

    await filled.write(delete)
    assert await filled.read(switches.names) == ["sw1"]
    left = await filled.read(
        lambda tx: tx.values(str, "SELECT DISTINCT device FROM drift ORDER BY 1")
    )
    assert left == ["libvirt", "master", "sw1"]
    assert not await filled.read(
        lambda tx: tx.exists("SELECT 1 FROM switch_vlan WHERE switch_id = 2")
    )


async def test_jobs_and_whose_they_are(filled: Store) -> None:
    def numbers(tx: Tx, **wanted: object) -> list[int]:
        return [row.id for row in jobs.page(tx, 9, None, **wanted)]  # type: ignore[arg-type]

    assert await filled.read(lambda tx: numbers(tx)) == [5, 4, 3, 2, 1]
    assert await filled.read(lambda tx: numbers(tx, mine=[RED, GREEN])) == [3, 2, 1]
    assert await filled.read(lambda tx: numbers(tx, project_id=BLUE)) == []
    assert await filled.read(lambda tx: numbers(tx, state="queued")) == [4, 3]
    step = Step(Phase.SAVE, "sw1", "save", "sw1", "save sw1", SaveConfig())
    assert await filled.write(jobs.add_steps, 3, jobs.rows_of([(step, ["write memory"])] * 2)) == [
        1,
        2,
    ]
    assert await filled.write(jobs.add_steps, 3, jobs.rows_of([(step, [])])) == [
        3
    ]  # it was planned again
    await filled.write(jobs.begin, 3, 60.0)
    await filled.write(jobs.begin, 3, 70.0)  # another daemon resumed it
    await filled.write(jobs.cancel, 3)
    found = await filled.read(jobs.find, 3)
    assert found is not None
    assert (found.state, found.started, found.cancelling) == ("running", 60.0, True)
    await filled.write(jobs.finish, 3, "failed", "It failed.", 80.0)
    found = await filled.read(jobs.find, 3)
    assert found is not None
    assert (found.state, found.error, found.finished) == ("failed", "It failed.", 80.0)
    assert [job.id for job in await filled.read(jobs.unfinished)] == [2, 4]


async def test_the_audit_trail_is_in_order_and_each_project_has_its_own(filled: Store) -> None:
    def numbers(tx: Tx, **wanted: object) -> list[int]:
        given = {"since": None, "user": None, "project": None} | wanted
        return [row.id for row in audit.page(tx, 9, None, **given)]  # type: ignore[arg-type]

    assert await filled.read(lambda tx: numbers(tx)) == [1, 2]
    assert await filled.read(lambda tx: numbers(tx, newest=True)) == [2, 1]
    assert await filled.read(lambda tx: numbers(tx, project="red")) == [1, 2]
    assert await filled.read(lambda tx: numbers(tx, project_id=RED)) == [1]  # bob is a stranger
    assert await filled.read(lambda tx: numbers(tx, user="bob")) == [2]
    assert await filled.read(lambda tx: numbers(tx, since=1790000000.5)) == [2]
