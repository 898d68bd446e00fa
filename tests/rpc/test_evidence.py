"""Why a port carries what it carries: who staged it, which job set it, what the switch said."""

from __future__ import annotations

from tests.rpc.small_site import SmallSite

SAID = "interface GigabitEthernet1/0/2"


async def test_a_nic_shows_who_staged_it_which_job_set_it_and_what_the_switch_said(
    site: SmallSite,
) -> None:
    rita = site.tenant("rita")
    await rita.call("node.allocate", project="red", node="node-1")
    network = await rita.call("network.create", project="red", network="net")
    await rita.call("nic.connect", node="node-1", nic="eth0", network="net")
    staged = await rita.call("nic.show", node="node-1", nic="eth0")
    assert (staged["state"], staged["staged_by"]) == ("staged", "rita")
    assert staged["evidence"] is None, "another's job parked the port"

    job = await site.apply("red")

    shown = await site.call("nic.show", node="node-1", nic="eth0")
    evidence = shown["evidence"]
    assert evidence["job"] == job["job"]
    assert evidence["staged_by"] == "rita"
    assert evidence["staged_at"] == staged["staged_at"]
    assert evidence["confirmed"] >= job["started"]
    assert evidence["said"][0] == SAID
    assert any(f"access vlan {network['vlan']}" in line for line in evidence["said"])
    place = {"switch": shown["switch"], "port": shown["port"]}
    assert (await site.call("port.show", **place))["evidence"] == evidence


async def test_a_tenant_sees_its_own_evidence_without_the_switchs_words(site: SmallSite) -> None:
    rita = site.tenant("rita")
    await rita.call("node.allocate", project="red", node="node-1")
    await rita.call("network.create", project="red", network="net")
    await rita.call("nic.connect", node="node-1", nic="eth0", network="net")
    job = await site.apply("red")
    evidence = (await rita.call("nic.show", node="node-1", nic="eth0"))["evidence"]
    assert (evidence["job"], evidence["staged_by"]) == (job["job"], "rita")
    assert evidence["said"] is None


async def test_nothing_is_learned_of_who_held_a_node_before(site: SmallSite) -> None:
    rita, bob = site.tenant("rita"), site.tenant("bob")
    await rita.call("node.allocate", project="red", node="node-1")
    await rita.call("network.create", project="red", network="net")
    await rita.call("nic.connect", node="node-1", nic="eth0", network="net")
    await site.apply("red")
    released = await rita.call("node.release", node="node-1")
    await site.finished(released["job"])
    before = await bob.call("nic.show", node="node-1", nic="eth0")
    assert (before["evidence"], before["staged_by"]) == (None, None)
    await bob.call("node.allocate", project="blue", node="node-1")
    held = await bob.call("nic.show", node="node-1", nic="eth0")
    assert (held["evidence"], held["staged_by"], held["staged_at"]) == (None, None, None)
    assert (await site.call("nic.show", node="node-1", nic="eth0"))["evidence"]["staged_by"] == (
        "rita"
    )
