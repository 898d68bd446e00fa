"""A backup is restored: what was given away since then is not free, and what is true is shown."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from haas_rpcd.config import ConfigError
from haas_rpcd.restoring import put_in_place
from haas_rpcd.store.copies import open_to_read, write_copy
from tests.rpc.small_site import DATABASE, NOTHING, SmallSite, access

pytestmark = pytest.mark.slow


@pytest.fixture
async def gone_on(site: SmallSite, tmp_path: Path) -> AsyncIterator[SmallSite]:
    """Red got node-1 on VLAN 100 before the backup, and node-3 since; blue got VLAN 101 since."""
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.succeeds("red")
    with closing(open_to_read(site.folder / DATABASE)) as database:
        write_copy(database, tmp_path / "backup.db")
    await site.hold_nodes("red", "node-3")
    await site.connect("node-3", "net")
    await site.succeeds("red")
    await site.hold_nodes("blue", "node-4")
    assert await site.network("blue", "own") == 101
    await site.connect("node-4", "own")
    await site.succeeds("blue")
    yield site


async def restore(site: SmallSite, tmp_path: Path) -> None:
    """Restore the backup while the daemon is stopped, and start it again."""
    await site.stop()
    put_in_place(tmp_path / "backup.db", site.folder / DATABASE, replace=True)
    await site.start()


async def node_states(site: SmallSite) -> dict[str, str]:
    nodes = (await site.call("node.list"))["items"]
    return {node["node"]: node["state"] for node in nodes}


async def test_nodes_and_vlans_that_were_given_away_since_are_not_free(
    gone_on: SmallSite, tmp_path: Path
) -> None:
    site = gone_on
    site.watch.on = False  # the watch knows who held what; the restored database does not
    await restore(site, tmp_path)

    assert await node_states(site) == {
        "node-1": "allocated", "node-2": "free", "node-3": "unconfirmed", "node-4": "unconfirmed",
    }  # fmt: skip
    assert (await site.refused("node.allocate", project="blue", node="node-3")).kind == "conflict"
    assert await site.network("blue", "another") == 102  # 101 is on node-4's port still
    assert site.carried("node-1") == access(100)
    assert site.carried("node-4") == access(101)

    await site.succeeds()  # the site's apply parks what the backup knows nobody for
    assert site.carried("node-4") == NOTHING
    assert (await node_states(site))["node-4"] == "free"
    assert await site.network("red", "next") == 101


async def test_switches_that_cannot_be_read_count_as_in_use_until_they_answer(
    gone_on: SmallSite, tmp_path: Path
) -> None:
    site = gone_on
    site.watch.on = False
    known = dict(site.credentials)
    site.credentials.clear()  # nobody can log in
    await restore(site, tmp_path)

    states = await node_states(site)
    assert states == {"node-1": "allocated"} | dict.fromkeys(
        ("node-2", "node-3", "node-4"), "unconfirmed"
    )
    exhausted = await site.refused("network.create", project="blue", network="another")
    assert exhausted.kind == "exhausted"

    plan = await site.tenant("rita").call("plan.show", project="red")
    assert {step["target"] for step in plan["steps"] if step["kind"].startswith("vlan")} <= {"100"}

    site.credentials.update(known)
    await site.succeeds()  # it makes no VLAN that nobody owns
    await site.succeeds("red")
    assert await site.network("blue", "another") == 101
    assert site.carried("node-1") == access(100)


async def test_a_job_of_the_backup_is_not_run_again(gone_on: SmallSite, tmp_path: Path) -> None:
    site = gone_on
    site.watch.on = False
    with closing(sqlite3.connect(tmp_path / "backup.db")) as backup, backup:
        backup.execute("UPDATE job SET state = 'running', finished = NULL")
    before = site.switches["sw1"].counters.saves
    await restore(site, tmp_path)

    jobs = (await site.call("job.list"))["items"]
    assert {job["state"] for job in jobs} == {"failed"}
    assert "A backup from before the end of this job was restored" in jobs[0]["error"]
    assert site.switches["sw1"].counters.saves == before


async def test_a_database_that_is_there_is_put_aside_only_if_that_is_said(
    site: SmallSite, tmp_path: Path
) -> None:
    database = site.folder / DATABASE
    with closing(open_to_read(database)) as source:
        write_copy(source, tmp_path / "backup.db")
    with pytest.raises(ConfigError, match=r"another haas-rpcd has it open\): stop haas-rpcd first"):
        put_in_place(tmp_path / "backup.db", database, replace=True)
    await site.stop()
    with pytest.raises(ConfigError, match=r"is there already: restore with --replace"):
        put_in_place(tmp_path / "backup.db", database, replace=False)
    (tmp_path / "other.db").write_text("not a database")
    with pytest.raises(ConfigError, match="take another backup"):
        put_in_place(tmp_path / "other.db", database, replace=True)
    aside = put_in_place(tmp_path / "backup.db", database, replace=True)
    assert aside is not None
    assert aside.exists()

    database.unlink()  # the case that a backup is for: nothing has to be put aside
    assert put_in_place(tmp_path / "backup.db", database, replace=False) is None
    await site.start()
    assert (await node_states(site))["node-1"] == "free"


async def test_who_was_shut_out_since_the_backup_stays_out(site: SmallSite, tmp_path: Path) -> None:
    tokens = {}
    for user, label in (("rita", "kept"), ("rita", "leaked"), ("bob", "of-bob"), ("ann", "of-ann")):
        if user == "ann":
            await site.call("user.create", user="ann", admin=True)
            await site.call("project.add_member", project="red", user="ann", role="owner")
        made = await site.call("token.create", label=label, user=user)
        tokens[label] = made["token"]
    await site.call("project.add_member", project="blue", user="rita", role="owner")
    with closing(open_to_read(site.folder / DATABASE)) as database:
        write_copy(database, tmp_path / "backup.db")

    await site.call("token.revoke", label="leaked", user="rita")
    await site.call("user.delete", user="bob")
    await site.call("project.remove_member", project="red", user="ann")
    await site.call("project.add_member", project="blue", user="rita", role="reader")
    await restore(site, tmp_path)

    users = {each["user"] for each in (await site.call("user.list"))["items"]}
    assert users == {"rita", "ann"}
    assert (await site.call("project.show", project="red"))["roles"] == {"rita": "member"}
    assert (await site.call("project.show", project="blue"))["roles"] == {"rita": "reader"}
    good = {each["label"] for each in (await site.call("token.list"))["items"]}
    assert good == {"kept", "of-ann"}


@pytest.mark.parametrize("before", ["gone", "damaged"])
async def test_without_the_database_from_before_no_token_is_good(
    site: SmallSite, tmp_path: Path, before: str
) -> None:
    site.watch.on = False
    await site.call("token.create", label="ci", user="rita")
    database = site.folder / DATABASE
    with closing(open_to_read(database)) as source:
        write_copy(source, tmp_path / "backup.db")
    await site.stop()
    if before == "gone":
        database.unlink()
    else:
        database.write_bytes(b"no database" * 1000)
    for beside in ("-wal", "-shm"):
        Path(f"{database}{beside}").unlink(missing_ok=True)
    said: list[str] = []
    put_in_place(tmp_path / "backup.db", database, replace=True, say=said.append)
    await site.start()
    assert (await site.call("token.list"))["items"] == []
    assert "none of its tokens is good any more" in said[0]
    assert [each["user"] for each in (await site.call("user.list"))["items"]] == ["bob", "rita"]
