"""OS users on the Unix socket: who may connect, and who receives which events."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import stat
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import WSCloseCode

from haas_rpcd.config import Server
from tests.rpc.listening import listening
from tests.rpc.os_users import MEMBER, OTHER, STRANGER, listening_as, open_folder
from tests.rpc.small_site import Prepared, RpcError, SmallSite, small_site

pytestmark = pytest.mark.skipif(
    os.getuid() != 0 or not shutil.which("curl"), reason="wants curl, and root to be other users"
)


@pytest.fixture
async def reachable(tmp_path: Any, prepared: Prepared) -> AsyncIterator[SmallSite]:
    """A site with a socket that all users can reach. User nobody is in red, daemon in blue."""
    with open_folder() as folder:
        server = Server(socket=str(folder / "rpcd.sock"))
        async with small_site(tmp_path, prepared, server=server) as site:
            for project, user in (("red", MEMBER), ("blue", OTHER)):
                await site.call("user.create", user=user)
                await site.call("project.add_member", project=project, user=user)
            yield site


async def curl_as(
    site: SmallSite, user: str, method: str, /, groups: tuple[str, ...] = (), **params: Any
) -> dict[str, Any]:
    """Call a method as another OS user, with curl; ``groups``: its supplementary groups."""
    process = await asyncio.create_subprocess_exec(
        "curl", "-s", "--unix-socket", site.settings.server.socket, "http://haas/rpc",
        "-d", json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": 1}),
        user=user, extra_groups=groups, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    answer: dict[str, Any] = json.loads(out)
    return answer


async def test_an_os_user_who_is_not_a_haas_user_is_denied(reachable: SmallSite) -> None:
    for method in ("system.info", "rpc.discover", "node.list"):
        error = (await curl_as(reachable, STRANGER, method))["error"]
        assert error["data"]["kind"] == "denied"
        assert error["message"] == (
            "The OS user bin is not a HaaS user: an admin lets it in with  user create bin"
        )


async def test_who_was_not_let_in_is_recorded(reachable: SmallSite) -> None:
    await curl_as(reachable, STRANGER, "node.list")
    [record] = (await reachable.call("audit.list", newest=True, limit=1))["items"]
    uid = pwd.getpwnam(STRANGER).pw_uid
    assert (record["user"], record["via"]) == (STRANGER, f"socket, uid {uid}")
    assert (record["method"], record["outcome"]) == ("connect", "denied")


async def test_an_os_user_is_the_haas_user_of_the_same_name(reachable: SmallSite) -> None:
    info = (await curl_as(reachable, MEMBER, "system.info"))["result"]
    assert (info["user"], info["admin"], info["projects"]) == (MEMBER, False, ["red"])
    made = await curl_as(reachable, MEMBER, "network.create", project="red", network="net")
    assert made["result"]["vlan"] in reachable.settings.pool
    denied = await curl_as(reachable, MEMBER, "user.create", user="eve")
    assert denied["error"]["data"]["kind"] == "denied"


async def test_a_deleted_user_loses_access_at_once(reachable: SmallSite) -> None:
    assert "result" in await curl_as(reachable, MEMBER, "system.info")
    async with listening_as(reachable, MEMBER) as client, listening_as(reachable, OTHER) as other:
        await client.call("system.info")
        await reachable.call("user.delete", user=MEMBER)
        assert await client.closed == WSCloseCode.POLICY_VIOLATION
        await other.call("system.info")  # other users are not affected
    assert "is not a HaaS user" in str(await curl_as(reachable, MEMBER, "system.info"))


async def test_root_is_an_admin(reachable: SmallSite) -> None:
    assert (await curl_as(reachable, "root", "system.info"))["result"]["admin"] is True


async def test_an_os_user_whose_haas_user_is_an_admin_is_one(reachable: SmallSite) -> None:
    await reachable.call("user.create", user=STRANGER, admin=True)
    assert (await curl_as(reachable, STRANGER, "switch.list"))["result"]["items"]


async def test_members_of_the_admin_group_are_admins(tmp_path: Any, prepared: Prepared) -> None:
    """Through a supplementary group, whether or not there is a HaaS user of the name."""
    with open_folder() as folder:
        server = Server(socket=str(folder / "rpcd.sock"), admin_group="games")
        async with small_site(tmp_path, prepared, server=server) as site:
            await site.call("user.create", user=MEMBER)
            for user in (MEMBER, STRANGER):
                info = (await curl_as(site, user, "system.info", groups=("games",)))["result"]
                assert (info["user"], info["admin"]) == (user, True)
            info = (await curl_as(site, MEMBER, "system.info", groups=("mail",)))["result"]
            assert info["admin"] is False
            denied = await curl_as(site, STRANGER, "system.info", groups=("mail",))
            assert "is not a HaaS user" in denied["error"]["message"]


async def test_everybody_may_connect_to_the_socket(reachable: SmallSite) -> None:
    mode = os.stat(reachable.settings.server.socket).st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o666


# --- who receives which events --------------------------------------------------------------------


async def all_events(site: SmallSite) -> None:
    """Do everything that red and the admins usually do."""
    await site.hold_nodes("red", "node-1")
    await site.network("red", "secret-net")
    await site.connect("node-1", "secret-net")
    await site.call("headnode.create", project="red", headnode="secret-head")
    await site.succeeds("red")
    await site.call("project.create", project="secret-project")
    await site.call("project.delete", project="secret-project")
    await site.call("user.create", user="secret-user")
    await site.call("port.register", switch="sw2", ports=["Gi1/0/9"])
    await site.succeeds()
    await site.call("network.share", project="red", network="secret-net", **{"with": "blue"})
    await site.call("nic.disconnect", node="node-1", nic="eth0")
    await site.finished((await site.call("node.release", node="node-1"))["job"])
    await site.call("project.remove_member", project="red", user="rita")


def events(received: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [f"{event['noun']} {event['verb']} {event['name']}" for _, event in received]


async def test_events_of_a_project_are_for_its_members(reachable: SmallSite) -> None:
    site = reachable
    async with (
        listening_as(site, MEMBER) as member,
        listening_as(site, OTHER) as other,
        listening(site) as admin,
    ):
        for client in (member, other, admin):
            assert await client.call("events.subscribe") == {"subscribed": True}
        await all_events(site)
        await site.call("project.create", project="last")
        await site.call("node.register", node="node-9", nics=[])  # an event for everybody
        for client in (member, other, admin):
            await client.until(lambda _, event: event["name"] == "node-9")

        assert events(other.received) == [
            "node allocated node-1",  # it was free, so everybody could see it
            "network shared red/secret-net",  # shared with blue, which the receiver is in
            "node freed node-1",
            "node created node-9",
        ]
        seen = events(member.received)
        for expected in (
            "network created secret-net",
            "node changed node-1",
            "headnode created secret-head",
            "node releasing node-1",
            "project changed red",
        ):
            assert expected in seen
        assert any(event.startswith("job succeeded ") for event in seen)
        assert "secret-project" not in str(seen)
        assert "secret-user" not in str(seen)
        assert "sw2" not in str(seen)
        everything = events(admin.received)
        assert set(seen) | set(events(other.received)) <= set(everything)
        assert "project created secret-project" in everything
        numbers = [event["seq"] for _, event in admin.received]
        assert numbers == sorted(numbers)


async def test_events_of_a_job_are_for_its_project(reachable: SmallSite) -> None:
    site = reachable
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    held = site.wires["sw1"].hold("^vlan 100\r")
    job_id = await site.begin("red")
    await held.wait()
    async with listening_as(site, MEMBER) as member, listening_as(site, OTHER) as other:
        assert (await member.call("job.subscribe", job=job_id))["state"] == "running"
        errors = []
        for number in (job_id, 9999):
            with pytest.raises(RpcError) as caught:
                await other.call("job.subscribe", job=number)
            errors.append((caught.value.code, caught.value.message.replace(str(number), "N")))
        assert errors[0] == errors[1]
        await other.call("events.subscribe")
        held.release()
        await member.until(lambda _, event: event["state"] == "succeeded")
        assert "switchport access vlan 100" in str(member.received)
        await other.call("system.info")
        assert other.received == []


async def test_a_former_member_receives_no_events_of_the_project_s_jobs(
    reachable: SmallSite,
) -> None:
    site = reachable
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    held = site.wires["sw1"].hold("^vlan 100\r")
    job_id = await site.begin("red")
    await held.wait()
    async with listening_as(site, MEMBER) as client:
        await client.call("job.subscribe", job=job_id)
        await client.call("events.subscribe")
        await site.call("project.remove_member", project="red", user=MEMBER)
        assert await client.closed == WSCloseCode.POLICY_VIOLATION
        before = len(client.received)
        held.release()
        await site.finished(job_id)
        assert client.received[before:] == []
    async with listening_as(site, MEMBER) as client:
        with pytest.raises(RpcError, match=f"There is no job {job_id}."):
            await client.call("job.subscribe", job=job_id)
