"""Consoles of nodes, by serial over LAN against ipmi_sim: who sees, who types, and what is kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from haas_rpcd.bmc import BmcSettings
from haas_rpcd.config import Credential
from haas_rpcd.errors import HaasError
from tests.rpc.bmcs import PASSWORD, USER, IpmiSim, SerialLine, ipmi_sim
from tests.rpc.small_site import Prepared, SmallSite, Tenant, small_site

pytestmark = pytest.mark.slow


@pytest.fixture
async def serial() -> AsyncIterator[SerialLine]:
    async with SerialLine() as serial:
        yield serial


@pytest.fixture
async def bmc(tmp_path: Path, serial: SerialLine) -> AsyncIterator[IpmiSim]:
    async with ipmi_sim(tmp_path / "bmc", sol=serial.port) as bmc:
        yield bmc


@pytest.fixture
async def site(tmp_path: Path, prepared: Prepared, bmc: IpmiSim) -> AsyncIterator[SmallSite]:
    """Red holds node-1; rita and ruth are members of red, rob is a reader."""
    settings = BmcSettings(answer_timeout=10.0, settle_timeout=2.0)
    async with small_site(tmp_path, prepared, bmc=settings) as site:
        site.credentials["node-1"] = Credential(username=USER, password=PASSWORD)
        await site.call("bmc.set", node="node-1", **bmc.params)
        for user, role in (("ruth", "member"), ("rob", "reader")):
            await site.call("user.create", user=user)
            await site.call("project.add_member", project="red", user=user, role=role)
        await site.hold_nodes("red", "node-1")
        yield site


class Attached:
    """Somebody at a console."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.said = b""
        self.notices: list[str] = []

    async def next(self) -> bool:
        """Take the next message; return False once the socket is closed."""
        message = await self.socket.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            self.said += message.data
        elif message.type is aiohttp.WSMsgType.TEXT:
            self.notices.append(json.loads(message.data)["notice"])
        else:
            return False
        return True

    async def until(self, text: bytes) -> None:
        while text not in self.said:
            assert await self.next(), self.notices

    async def until_notice(self, text: str) -> None:
        while not any(text in notice for notice in self.notices):
            assert await self.next(), self.notices

    async def until_cut(self) -> str:
        while await self.next():
            pass
        return self.notices[-1]


@asynccontextmanager
async def attached(
    caller: SmallSite | Tenant, method: str = "node.console", **params: Any
) -> AsyncIterator[Attached]:
    """Open a console. Tenants have no socket of their own: the ticket is used in their name."""
    site = caller.site if isinstance(caller, Tenant) else caller
    params = params or {"node": "node-1"}
    ticket = await caller.call(method, **params)
    headers = {}
    if isinstance(caller, Tenant):
        headers["Authorization"] = f"Bearer {await token_of(site, caller.user)}"
    async with site.http.ws_connect(f"http://haas{ticket['path']}", headers=headers) as socket:
        yield Attached(socket)


async def token_of(site: SmallSite, user: str) -> str:
    made = await site.call("token.create", label=f"{user}-{asyncio.get_running_loop().time()}"[:60],
                           user=user)  # fmt: skip
    return str(made["token"])


def logs(site: SmallSite) -> dict[str, bytes]:
    folder = site.folder / "consoles"
    return {path.name: path.read_bytes() for path in folder.glob("*")} if folder.exists() else {}


async def test_a_member_types_and_others_watch(site: SmallSite, serial: SerialLine) -> None:
    rita, ruth, rob = (site.tenant(name) for name in ("rita", "ruth", "rob"))
    async with attached(rita) as writer:
        await writer.until_notice("connected")
        serial.say(b"login: ")
        await writer.until(b"login: ")
        await writer.socket.send_bytes(b"rita\r")
        await serial.until(b"rita\r")

        async with attached(rob) as reader, attached(ruth) as member:
            await reader.until_notice("you only watch")
            await member.until_notice("rita types here")
            assert b"login: " in reader.said, "it is shown what was said before"
            serial.say(b"Password: ")
            for each in (writer, reader, member):
                await each.until(b"Password: ")
            for other in (reader, member):
                await other.socket.send_bytes(b"NOT ME")
            await writer.socket.send_bytes(b"s3cret\r")
            await serial.until(b"s3cret\r")
            assert b"NOT ME" not in serial.heard

            async with attached(ruth, node="node-1", take=True) as taker:
                await writer.until_notice("ruth has taken the keyboard")
                await taker.socket.send_bytes(b"mine now\r")
                await writer.socket.send_bytes(b"LOST")
                await serial.until(b"mine now\r")
                assert b"LOST" not in serial.heard
            await writer.until_notice("nobody types here now")

    trail = await site.call("audit.list", project="red")
    opened = [(row["user"], row["method"]) for row in trail["items"]]
    assert opened.count(("ruth", "node.console")) == 2
    [(name, said)] = logs(site).items()
    assert b"login: " in said
    assert (site.folder / "consoles" / name).stat().st_mode & 0o777 == 0o600
    assert (site.folder / "consoles").stat().st_mode & 0o777 == 0o700


async def test_the_next_holder_gets_nothing_of_the_last_one(
    site: SmallSite, serial: SerialLine
) -> None:
    async with attached(site.tenant("rita")) as rita, attached(site) as admin:
        await rita.until_notice("connected")
        serial.say(b"red's secret")
        await rita.until(b"red's secret")
        await site.call("node.release", node="node-1")
        await site.call("node.allocate", project="blue", node="node-1")
        assert "node-1" in await rita.until_cut()
        assert "has changed hands" in await admin.until_cut()
    await site.daemon.consoles.check()
    assert logs(site) == {}
    async with attached(site.tenant("bob")) as bob:
        await bob.until_notice("connected")
        serial.say(b"welcome")
        await bob.until(b"welcome")
        assert bob.said == b"welcome"


async def test_a_restart_keeps_the_holder_s_log_and_deletes_others(
    site: SmallSite, serial: SerialLine
) -> None:
    async with attached(site.tenant("rita")) as rita:
        await rita.until_notice("connected")
        serial.say(b"before the restart")
        await rita.until(b"before the restart")
    (site.folder / "consoles" / "node.node-1.99.log").write_bytes(b"somebody else's")
    await site.restart()
    await site.daemon.consoles.check()
    assert list(logs(site).values()) == [b"before the restart"]


async def test_who_loses_a_right_is_cut(site: SmallSite, serial: SerialLine) -> None:
    async with attached(site.tenant("ruth")) as ruth, attached(site.tenant("rob")) as rob:
        await ruth.until_notice("connected")
        await site.call("project.remove_member", project="red", user="ruth")
        assert "your rights have changed" in await ruth.until_cut()
        serial.say(b"still here")
        await rob.until(b"still here")
        assert b"still here" not in ruth.said


async def test_a_ticket_is_good_once_and_for_its_user_only(site: SmallSite) -> None:
    ticket = await site.tenant("rita").call("node.console", node="node-1")
    assert ticket["console"] == "node node-1"
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:  # an admin, who is not rita
        await site.http.ws_connect(f"http://haas{ticket['path']}")
    assert caught.value.status == 404
    own = await site.call("node.console", node="node-1")
    async with site.http.ws_connect(f"http://haas{own['path']}"):
        pass
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await site.http.ws_connect(f"http://haas{own['path']}")


async def test_who_may_open_which_console(site: SmallSite) -> None:
    def refusal(user: str, node: str) -> Any:
        return site.tenant(user).call("node.console", node=node)

    with pytest.raises(HaasError, match="There is no node node-1"):
        await refusal("bob", "node-1")
    with pytest.raises(HaasError, match="is allocated to no project"):
        await refusal("rita", "node-2")
    assert (await site.tenant("rob").call("node.console", node="node-1"))["writable"] is False
    await site.call("bmc.set", node="node-1", protocol="redfish", host="bmc.example")
    with pytest.raises(HaasError, match="Redfish has no console of node node-1"):
        await refusal("rita", "node-1")
    await site.call("bmc.delete", node="node-1")
    with pytest.raises(HaasError, match="has no BMC that HaaS knows"):
        await refusal("rita", "node-1")


async def test_a_bmc_that_is_gone_ends_the_console_with_a_sentence(
    site: SmallSite, bmc: IpmiSim
) -> None:
    site.credentials["node-1"] = Credential(username=USER, password="wrong")
    async with attached(site) as admin, attached(site.tenant("rita")) as rita:
        assert "refused the login" in await admin.until_cut()
        assert await rita.until_cut() == "node-1's BMC cannot be logged in to; an admin sees why"


async def test_a_headnode_s_console_ends_with_the_headnode(site: SmallSite) -> None:
    """Its line is simulated; tests/lab has a real one."""
    rita, where = site.tenant("rita"), {"project": "red", "headnode": "head"}
    await rita.call("headnode.create", **where)
    with pytest.raises(HaasError, match="Headnode head is not running"):
        await rita.call("headnode.console", **where)
    await site.succeeds("red")
    with pytest.raises(HaasError, match="There is no project red"):
        await site.tenant("bob").call("headnode.console", **where)
    async with attached(rita, "headnode.console", **where) as console:
        await console.until(b"console of headnode red/head")
        await console.socket.send_bytes(b"who is there?")
        await console.until(b"who is there?")
        assert [name.startswith("headnode.") for name in logs(site)] == [True]
        await site.call("headnode.delete", **where)
        assert await console.until_cut() == "Headnode head is being deleted."
    await site.daemon.consoles.check()
    assert logs(site) == {}
