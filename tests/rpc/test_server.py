"""The socket: one daemon serves it, answers once its store is open, and removes it at the end."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import threading
from pathlib import Path

import aiohttp
import msgspec
import pytest

from haas_rpcd import schemagen
from haas_rpcd.config import ConfigError, Server
from haas_rpcd.daemon import Daemon
from haas_rpcd.drivers.switch.factory import SwitchFactory
from haas_rpcd.rpc import transport
from haas_rpcd.rpc.socketlock import SocketError
from tests.rpc.small_site import SmallSite


def another(site: SmallSite, path: Path | None = None) -> Daemon:
    """Return a second daemon on the same database, and on the same socket or another."""
    settings = site.settings
    if path is not None:
        settings = msgspec.structs.replace(settings, server=Server(socket=str(path)))
    switches = SwitchFactory(settings, lambda: site.credentials)
    return Daemon(settings, switches=switches, master=None, libvirt=None)


async def test_a_second_daemon_on_the_same_socket_is_refused(site: SmallSite) -> None:
    with pytest.raises(SocketError, match=r"Another haas-rpcd serves .*: stop that one, or name"):
        await another(site).start()
    assert (await site.call("system.info"))["name"] == "haas-rpcd"  # the first one still serves


async def test_a_second_daemon_on_the_same_database_is_refused(
    site: SmallSite, tmp_path: Path
) -> None:
    """Both would resume the jobs in the journal, and both would talk to the switches."""
    second = another(site, tmp_path / "other.sock")
    with pytest.raises(ConfigError, match=r"\[store\] path: .*another haas-rpcd has it open"):
        await second.start()
    await second.stop()
    assert (await site.call("system.info"))["name"] == "haas-rpcd"


def mode_of(site: SmallSite) -> int:
    return os.stat(site.settings.server.socket).st_mode


async def test_the_socket_of_a_daemon_that_died_is_replaced(site: SmallSite) -> None:
    await site.stop()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(site.settings.server.socket)
    assert stat.S_ISSOCK(mode_of(site))

    await site.start()

    assert (await site.call("system.info"))["name"] == "haas-rpcd"
    assert stat.S_IMODE(mode_of(site)) == 0o666


async def test_a_file_that_is_not_a_socket_is_not_replaced(site: SmallSite, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.touch()
    await site.stop()
    daemon = another(site, precious)
    with pytest.raises(OSError):
        await daemon.start()
    await daemon.stop()
    assert stat.S_ISREG(os.stat(precious).st_mode)
    await site.start()


async def test_a_missing_directory_is_named(site: SmallSite, tmp_path: Path) -> None:
    with pytest.raises(SocketError, match="check that its folder exists"):
        await another(site, tmp_path / "no" / "rpcd.sock").start()


async def test_the_socket_is_removed_at_the_end(site: SmallSite) -> None:
    await site.stop()
    with pytest.raises(FileNotFoundError):
        mode_of(site)
    await site.start()


async def test_no_call_is_answered_before_the_store_is_open(site: SmallSite) -> None:
    """A client that is too early waits or cannot connect; it never gets an internal error."""
    await site.stop()
    daemon = another(site)
    opening, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        opening.set()
        assert go_on.wait(10)

    daemon.store._writer.submit(slow)  # a slow disk
    starting = asyncio.create_task(daemon.start())
    await asyncio.to_thread(opening.wait, 10)
    await asyncio.sleep(0)
    connector = aiohttp.UnixConnector(site.settings.server.socket)
    async with aiohttp.ClientSession(connector=connector) as http:

        async def ask() -> str:
            body = json.dumps({"jsonrpc": "2.0", "method": "system.info", "id": 1})
            try:
                async with http.post("http://haas/rpc", data=body) as response:
                    return await response.text()
            except aiohttp.ClientConnectionError:
                return "nobody there"

        early = asyncio.create_task(ask())
        await asyncio.sleep(0)
        go_on.set()
        await starting
        assert "log has the details" not in await early
        assert '"haas-rpcd"' in await ask()
    await daemon.stop()
    await site.start()


async def test_a_get_without_a_websocket_upgrade_is_a_bad_request(site: SmallSite) -> None:
    async with site.http.get("http://haas/rpc") as response:
        assert response.status == 400
    async with site.http.get("http://haas/") as response:
        assert response.status == 404


async def test_the_document_describes_every_method_and_error(site: SmallSite) -> None:
    """As OpenRPC 1.3 requires, and with what the console needs: a summary of each method."""
    document = await site.call("rpc.discover")
    assert document == json.loads(schemagen.files()["schemas/openrpc.json"])
    assert document["openrpc"].startswith("1.3")
    assert document["info"]["title"] == "HaaS"
    kinds = document["components"]["errors"]
    names = [declared["name"] for declared in document["methods"]]
    assert names == sorted(set(names))
    for declared in document["methods"]:
        assert declared["summary"].endswith("."), declared["name"]
        assert declared["x-role"] in ("admin", "user")
        required = [param["required"] for param in declared["params"]]
        assert required == sorted(required, reverse=True), f"{declared['name']}: required first"
        for param in declared["params"]:
            assert param["schema"], param
        for error in declared["errors"]:
            assert error["$ref"].removeprefix("#/components/errors/") in kinds
    for kind, error in kinds.items():
        assert error["data"]["kind"] == kind
        assert error["message"].endswith(".")
    for reference in _references(document):
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def _references(node: object) -> list[str]:
    """Yield every $ref in a document."""
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in _references(value)]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []


async def test_no_link_is_followed_beside_the_socket(site: SmallSite) -> None:
    """In a folder where others can write, such as /tmp, somebody may have put one there."""
    precious = site.folder / "precious"
    precious.write_text("keep me")
    socket = site.folder / "other.sock"
    (site.folder / "other.sock.lock").symlink_to(precious)
    with pytest.raises(SocketError, match=r"other\.sock can't be served"):
        transport.Server(site.daemon.context, socket).claim()
    assert precious.read_text() == "keep me"


@pytest.mark.skipif(os.getuid() != 0, reason="wants root, to be another user")
async def test_a_lock_of_somebody_else_is_not_taken(site: SmallSite) -> None:
    lock = site.folder / "other.sock.lock"
    lock.write_text("mine")
    os.chown(lock, 65534, 65534)
    with pytest.raises(SocketError, match="belongs to somebody else"):
        transport.Server(site.daemon.context, site.folder / "other.sock").claim()
    assert lock.read_text() == "mine"
