"""The console in a browser: who gets in, as whom it acts, and that it works."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import aiohttp
import pytest

from haas_console.web.visitors import WRONG_TOKENS
from tests.rpc.small_site import access
from tests.rpc.web import ROOT, Web

pytestmark = pytest.mark.slow


async def test_a_page_asks_for_a_token_and_its_console_acts_as_that_user(web: Web) -> None:
    await web.site.hold_nodes("red", "node-1")
    await web.site.hold_nodes("blue", "node-4")
    await web.site.network("red", "net")
    async with web.http.get(web.url) as page:
        assert page.status == 401
        assert 'name="token" type="password"' in await page.text()
    await web.log_in("rita")
    async with web.http.get(web.url) as page:
        assert page.status == 200
        assert f'data-session-websocket-url="wss{web.url[5:]}/ws"' in await page.text()
        assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    async with web.http.get(web.url + "/static/js/textual.js") as script:
        assert script.status == 200

    async with web.console() as page:
        board = await page.until("(?s)node-1.*rita|rita.*node-1")
        assert "node-4" not in board  # blue's
        await page.type(":connect node-1:eth0 net\r")
        await page.until("state staged|staged")
        await page.type(":apply --project red --confirm 600\r")
        await page.until("succeeded")
    assert web.site.carried("node-1") == access(100)
    [job] = (await web.site.call("job.list", project="red"))["items"]
    assert job["user"] == "rita"


async def test_a_page_lends_its_terminal_to_the_console_of_a_headnode(web: Web) -> None:
    rita = web.site.tenant("rita")
    await rita.call("headnode.create", project="red", headnode="head")
    await web.site.succeeds("red")
    await web.log_in("rita")
    async with web.console() as page:
        await page.until("node-1")
        await page.type(":headnode console head\r")
        await page.until("console of headnode red/head")
        await page.type("uname\r")
        await page.until("uname")
        await page.type("\x1d")
        await page.until("node-1")
        await page.type("H")
        await page.until("(?s)Headnodes.*head")


async def test_a_page_that_changes_its_size_is_filled(web: Web) -> None:
    await web.log_in("rita")
    async with web.console() as page:
        await page.until("node-1")
        await page.ws.send_json(["resize", {"width": 60, "height": 20}])
        await page.type("P")
        drawn = await page.until("Pulse")
        assert "\x1b[20;" in drawn
        assert "\x1b[21;" not in drawn.rpartition("Pulse")[2]


async def test_the_console_of_a_page_opens_no_file_of_the_server(web: Web, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    await web.log_in("rita")
    async with web.console() as page:
        await page.until("node-")
        await page.type(f":plan red --out {tmp_path}/written\r")
        await page.until("no file of the master is opened")
    assert not (tmp_path / "written").exists()


async def test_what_a_page_sends_wrongly_ends_nothing_but_what_is_too_long(web: Web) -> None:
    await web.log_in("rita")
    async with web.console() as page:
        await page.until("node-1")
        for wrong in (
            "no JSON",
            "[]",
            "{}",
            '["stdin", 7]',
            '["resize", {"width": -1}]',
            "[[], 1]",
        ):
            await page.ws.send_str(wrong)
        await page.ws.send_json(["ping", 7])
        async with asyncio.timeout(60):
            while (message := await page.ws.receive()).type is not aiohttp.WSMsgType.TEXT:
                assert message.type is aiohttp.WSMsgType.BINARY
        assert message.json() == ["pong", 7]
        await page.ws.send_json(["stdin", "x" * (1 << 21)])
        while (message := await page.ws.receive()).type is aiohttp.WSMsgType.BINARY:
            pass
        assert message.data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_who_has_no_token_gets_no_console(web: Web) -> None:
    async with web.post("/login", data={"token": "haas_wrong"}) as refused:
        assert refused.status == 401
        assert "The daemon does not know this token." in await refused.text()
    async with web.http.get(web.url + "/ws") as refused:
        assert refused.status == 401
    web.http.cookie_jar.update_cookies({"haas": "guessed"}, aiohttp.client.URL(web.url))
    with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
        async with web.console():
            pass


async def test_who_guesses_tokens_has_to_wait(web: Web) -> None:
    for number in range(WRONG_TOKENS):
        async with web.post("/login", data={"token": f"haas_{number}"}) as refused:
            assert refused.status == 401
    async with web.post("/login", data={"token": "haas_once-more"}) as refused:
        assert refused.status == 429
    async with web.http.get(web.url, headers={"Authorization": "Bearer haas_x"}) as refused:
        assert refused.status == 429


async def test_a_page_of_another_site_cannot_use_the_cookie(web: Web) -> None:
    await web.log_in("rita")
    for origin in ("https://evil.example", "null"):
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            async with web.console(Origin=origin):
                pass
        async with web.post("/logout", headers={"Origin": origin}) as refused:
            assert refused.status == 403
    [cookie] = web.http.cookie_jar
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Strict")
    async with web.post("/logout") as out:
        assert out.status == 303
    async with web.http.get(web.url) as page:
        assert page.status == 401


async def test_a_header_with_the_token_lets_a_proxy_in(web: Web) -> None:
    token = await web.token("bob")
    async with web.http.get(web.url, headers={"Authorization": f"Bearer {token}"}) as page:
        assert page.status == 200
    async with web.console(Authorization=f"Bearer {token}") as page:
        await page.until("bob")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--socket", "/x", "serve", "--listen", "127.0.0.1:0"], "over a socket everybody would"),
        (
            ["--url", "https://x", "serve", "--listen", ":8080"],
            "tokens would go in the clear",
        ),
        (["--url", "https://x", "serve", "--listen", "8080"], "8080 is no address such as"),
        (["--url", "https://x", "serve"], "the following arguments are required: --listen"),
        (
            ["--url", "https://x", "serve", "--listen", ":1", "--tls-cert", "/x"],
            "--tls-cert and --tls-key belong together",
        ),
    ],
)
async def test_it_serves_nothing_that_would_give_tokens_or_rights_away(
    arguments: list[str], why: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "haas_console", *arguments),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert why in said.decode()
