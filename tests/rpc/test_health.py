"""Whether switches answer, and how the daemon says that it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from haas_rpcd.config import BackupSettings, Credential
from haas_rpcd.errors import HaasError
from tests.rpc.listening import listening
from tests.rpc.small_site import SmallSite, small_site


async def switch(site: SmallSite, name: str) -> dict[str, Any]:
    shown: dict[str, Any] = await site.call("switch.show", switch=name)
    return shown


async def test_a_switch_says_whether_it_answers_and_when_it_last_did(
    empty_site: SmallSite,
) -> None:
    site = empty_site
    wire = site.wires["sw1"]
    await site.call(
        "switch.register", switch="sw1", dialect="cisco_ios", host="127.0.0.1", port=wire.port,
        credential="lab",
    )  # fmt: skip
    fresh = await switch(site, "sw1")
    assert (fresh["reachable"], fresh["last_contact"]) == (None, None)

    await site.call("switch.probe", switch="sw1")
    reached = await switch(site, "sw1")
    assert reached["reachable"] is True
    assert reached["last_contact"].endswith("Z")

    await wire.stop()
    async with listening(site) as client:
        await client.call("events.subscribe")
        await site.refused("switch.probe", switch="sw1")
        gone = ("switch", "unreachable", "sw1")
        await client.until(lambda _, e: (e.get("noun"), e.get("verb"), e.get("name")) == gone)
    lost = await switch(site, "sw1")
    assert (lost["reachable"], lost["last_contact"]) == (False, reached["last_contact"])


async def test_a_switch_that_refuses_the_login_has_been_reached(site: SmallSite) -> None:
    site.credentials["lab"] = Credential(username="haas", password="wrong", enable="wrong")
    await site.refused("switch.probe", switch="sw1")
    assert (await switch(site, "sw1"))["reachable"] is True


async def test_a_switch_that_nobody_talks_to_is_checked_without_a_login(site: SmallSite) -> None:
    logins = site.switches["sw2"].counters.logins
    await site.wires["sw1"].stop()
    await site.daemon.engine.check_reachable()
    assert (await switch(site, "sw1"))["reachable"] is False
    assert (await switch(site, "sw2"))["reachable"] is True
    assert site.switches["sw2"].counters.logins == logins


async def test_health_is_good_and_names_what_is_not(site: SmallSite) -> None:
    await site.daemon.engine.check_reachable()
    health = await site.call("system.health")
    assert (health["ok"], health["problems"]) == (True, [])
    assert health["store"]["ok"]
    assert health["store"]["size"] > 10_000
    assert [one["switch"] for one in health["switches"]] == ["sw1", "sw2"]
    assert (health["libvirt"], health["trunk"]) == (True, True)
    assert health["jobs"] == {"queued": 0, "running": 0, "oldest": None}

    await site.wires["sw1"].stop()
    await site.daemon.engine.check_reachable()
    await site.daemon.store.write(lambda tx: tx.number("PRAGMA busy_timeout = 1"))
    with site.locked_store():
        health = await site.call("system.health")
    assert not health["ok"]
    assert "is locked by another process" in health["problems"][0]
    health = await site.call("system.health")
    assert health["problems"] == ["sw1 can't be reached: check power and cabling."]


async def test_health_is_for_admins(site: SmallSite) -> None:
    with pytest.raises(HaasError, match="Only an admin"):
        await site.tenant("rita").call("system.health")


async def test_health_misses_a_backup_that_was_not_made(tmp_path: Path) -> None:
    folder = tmp_path / "not there"
    async with small_site(tmp_path, backup=BackupSettings(folder=str(folder))) as site:
        health = await site.call("system.health")
    assert not health["ok"]
    assert health["problems"] == [
        f"There is no recent backup in {folder}: the daemon's log has the reason."
    ]
