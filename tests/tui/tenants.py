"""A site whose tenants come in with tokens, over TCP on loopback."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from haas_rpcd.config import Server
from tests.rpc.small_site import Prepared, SmallSite, prepare, small_site
from tests.tui.console import Hands, console


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    with ThreadPoolExecutor(1) as thread:  # an event loop of its own
        return thread.submit(prepare, tmp_path_factory.mktemp("site")).result()


@pytest.fixture
async def tenants(prepared: Prepared) -> AsyncIterator[SmallSite]:
    """Rita is a member of red, which has a network net, and bob of blue."""
    with tempfile.TemporaryDirectory(prefix="haas-tui-") as folder:
        server = Server(socket=f"{folder}/s", listen="127.0.0.1:0")
        async with small_site(Path(folder), prepared, server=server) as site:
            await site.network("red", "net")
            yield site


async def token_of(site: SmallSite, user: str, label: str = "console", **params: object) -> str:
    made = await site.call("token.create", label=label, user=user, **params)
    return str(made["token"])


async def member(site: SmallSite, project: str, user: str, role: str = "member") -> None:
    """Let a user, who may be new, act for a project."""
    if user not in [each["user"] for each in (await site.call("user.list"))["items"]]:
        await site.call("user.create", user=user)
    await site.call("project.add_member", project=project, user=user, role=role)


@contextlib.asynccontextmanager
async def console_of(site: SmallSite, token: str, **options: object) -> AsyncIterator[Hands]:
    """The console of a user who comes in with a token."""
    [(_, port)] = site.daemon.tcp_addresses
    async with console(f"http://127.0.0.1:{port}", token=token, **options) as hands:  # type: ignore[arg-type]
        yield hands
