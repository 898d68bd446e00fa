"""``haas-console serve`` in front of a small site, and pages that are open there."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from haas_rpcd.config import Server
from tests.rpc import certificates
from tests.rpc.certificates import Certificate
from tests.rpc.small_site import Prepared, SmallSite, small_site

ROOT = Path(__file__).parents[2]


@dataclass
class Web:
    """A site, and ``haas-console serve`` in front of it, with a browser that trusts it."""

    site: SmallSite
    url: str
    certificate: Certificate
    http: aiohttp.ClientSession
    said: list[str]

    async def token(self, user: str) -> str:
        return str((await self.site.tenant(user).call("token.create", label="web"))["token"])

    def post(self, path: str, **params: object) -> aiohttp.client._RequestContextManager:
        headers = {"Origin": self.url, **dict(params.pop("headers", {}))}  # type: ignore[call-overload]
        return self.http.post(self.url + path, headers=headers, allow_redirects=False, **params)  # type: ignore[arg-type]

    async def log_in(self, user: str) -> None:
        async with self.post("/login", data={"token": await self.token(user)}) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/")

    @asynccontextmanager
    async def console(self, **headers: str) -> AsyncIterator[Page]:
        """Open a console, as the page does."""
        given = {"Origin": self.url, **headers}
        url = f"{self.url}/ws?width=120&height=40"
        async with self.http.ws_connect(url, headers=given) as ws:
            yield Page(ws)


@dataclass
class Page:
    """The terminal of a page: what is drawn on it, and what is typed."""

    ws: aiohttp.ClientWebSocketResponse
    drawn: str = ""

    async def until(self, pattern: str) -> str:
        """Read what is drawn until a pattern is in it; return all of it since the last call."""
        try:
            async with asyncio.timeout(60):
                while not re.search(pattern, self.drawn):
                    message = await self.ws.receive()
                    assert message.type is aiohttp.WSMsgType.BINARY, (message, self.drawn[-500:])
                    self.drawn += message.data.decode("utf-8", "replace")
        except TimeoutError:
            raise AssertionError(f"{pattern} is not in {self.drawn[-2000:]!r}") from None
        found, self.drawn = self.drawn, ""
        return found

    async def type(self, text: str) -> None:
        await self.ws.send_json(["stdin", text])


@asynccontextmanager
async def serving(tmp_path: Path, prepared: Prepared) -> AsyncIterator[Web]:
    """Run the site and the server."""
    certificate = certificates.make(tmp_path)
    server = Server(
        socket=str(tmp_path / "rpcd.sock"), listen="127.0.0.1:0",
        tls_cert=str(certificate.cert), tls_key=str(certificate.key),
    )  # fmt: skip
    async with small_site(tmp_path, prepared, server=server) as site:
        [(_, port)] = site.daemon.tcp_addresses
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "haas_console", "--url", f"https://127.0.0.1:{port}"),
            *("--ca", str(certificate.cert), "serve", "--listen", "127.0.0.1:0"),
            *("--tls-cert", str(certificate.cert), "--tls-key", str(certificate.key)),
            cwd=ROOT,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        line = (await process.stderr.readline()).decode()
        url = line.split()[-1]
        assert url.startswith("https://127.0.0.1:"), line
        connector = aiohttp.TCPConnector(ssl=certificate.trusting())
        # the cookie is the browser's: for an address, aiohttp keeps none otherwise
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as http:
            web = Web(site, url, certificate, http, [])
            yield web
        process.terminate()
        _, rest = await process.communicate()
        web.said.append(rest.decode())
        assert process.returncode == 0, rest
