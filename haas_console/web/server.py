"""The web server: asks for a token, and opens a console for whoever has one.

A token comes by the login page, and is kept behind a cookie; or in an ``Authorization`` header, as
a proxy in front may send it. The daemon says whether it knows the token. Each console talks to the
daemon with its visitor's token, so the daemon decides what it may do and see.
"""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import Awaitable, Callable
from importlib.resources import as_file, files
from urllib.parse import urlsplit

from aiohttp import web

from haas_console.batch.output import Output
from haas_console.core.config import Endpoint
from haas_console.core.errors import ConfigError, ConsoleError, DeniedError
from haas_console.web import pages, terminal
from haas_console.web.visitors import Visitor, Visitors

COOKIE = "haas"
_LONGEST_BODY = 16 << 10  # bytes: a token
_LARGEST_MESSAGE = 1 << 20  # bytes: what is pasted

_HEADERS = {
    # Styles: the terminal emulator sets them in elements. No script but our files.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'"
    " 'unsafe-inline'; font-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send forms with Origin: null
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Site:
    """The pages of one daemon. ``secure``: they are served with TLS."""

    def __init__(self, endpoint: Endpoint, output: Output, *, secure: bool) -> None:
        self._endpoint = endpoint
        self._output = output
        self._secure = secure
        self._visitors = Visitors(endpoint)
        self._consoles: set[web.WebSocketResponse] = set()

    def application(self, static: str) -> web.Application:
        """Return the application; ``static`` is the folder of textual-serve's files."""
        app = web.Application(middlewares=[_with_headers], client_max_size=_LONGEST_BODY)
        app.add_routes(
            [
                web.get("/", self._index),
                web.post("/login", self._log_in),
                web.post("/logout", self._log_out),
                web.get("/ws", self._console),
                web.get("/page.css", _css),
                web.static("/static", static),
            ]
        )
        app.on_shutdown.append(self._close)
        return app

    async def _close(self, _: web.Application) -> None:
        await asyncio.gather(*(ws.close(code=1001) for ws in set(self._consoles)))

    # --- who is it? ---

    async def _visitor(self, request: web.Request) -> Visitor | None:
        """Who sends a request: by its cookie, or by its Authorization header."""
        if (cookie := request.cookies.get(COOKIE)) is not None:
            return self._visitors.find(cookie)
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            return None
        address = request.remote or ""
        _limit(self._visitors, address)
        try:
            user = await self._visitors.user_of(token.strip(), address)
        except DeniedError:
            return None
        return Visitor(token.strip(), user, 0.0)

    async def _index(self, request: web.Request) -> web.StreamResponse:
        try:
            visitor = await self._visitor(request)
        except ConsoleError as error:
            return self._login_page(str(error), 502)
        if visitor is None:
            given = "Authorization" in request.headers
            return self._login_page("The daemon does not know this token." if given else "", 401)
        scheme = "wss" if self._secure else "ws"
        return _html(pages.terminal(f"{scheme}://{request.host}/ws"))

    async def _log_in(self, request: web.Request) -> web.StreamResponse:
        _check_origin(request)
        token = str((await request.post()).get("token", "")).strip()
        if not token:
            return self._login_page("Give a token.", 401)
        _limit(self._visitors, request.remote or "")
        try:
            cookie = await self._visitors.log_in(token, request.remote or "")
        except DeniedError:
            self._output.remark(f"{request.remote}: a token that the daemon does not know")
            return self._login_page("The daemon does not know this token.", 401)
        except ConsoleError as error:
            return self._login_page(str(error), 502)
        visitor = self._visitors.find(cookie)
        self._output.remark(f"{request.remote}: {visitor.user if visitor else ''} logged in")
        answer = web.HTTPSeeOther("/")
        answer.set_cookie(
            COOKIE, cookie, httponly=True, secure=self._secure, samesite="Strict", path="/"
        )
        return answer

    async def _log_out(self, request: web.Request) -> web.StreamResponse:
        _check_origin(request)
        self._visitors.log_out(request.cookies.get(COOKIE, ""))
        answer = web.HTTPSeeOther("/")
        answer.del_cookie(COOKIE, path="/")
        return answer

    def _login_page(self, error: str, status: int) -> web.Response:
        return _html(pages.login(str(self._endpoint.url), error), status)

    # --- a console ---

    async def _console(self, request: web.Request) -> web.StreamResponse:
        _check_origin(request)
        visitor = await self._visitor(request)
        if visitor is None:
            raise web.HTTPUnauthorized(text="Log in first.")
        if not self._visitors.begin(visitor.user):
            raise web.HTTPTooManyRequests(text="Too many consoles are open: close one.")
        try:
            ws = web.WebSocketResponse(heartbeat=20.0, max_msg_size=_LARGEST_MESSAGE)
            await ws.prepare(request)
            self._consoles.add(ws)
            try:
                columns, lines = _number(request, "width", 80), _number(request, "height", 24)
                await terminal.serve(ws, self._endpoint, visitor.token, columns, lines)
            finally:
                self._consoles.discard(ws)
        finally:
            self._visitors.end(visitor.user)
        return ws


def _limit(visitors: Visitors, address: str) -> None:
    if not visitors.may_try(address):
        raise web.HTTPTooManyRequests(text="Too many wrong tokens came from you: wait a minute.")


def _check_origin(request: web.Request) -> None:
    """Refuse what a page of another site sends with a visitor's cookie."""
    origin = request.headers.get("Origin")
    if origin is None:
        if COOKIE in request.cookies:
            raise web.HTTPForbidden(text="A browser says which page sends this.")
    elif urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text="This comes from a page of another site.")


def _number(request: web.Request, name: str, otherwise: int) -> int:
    text = request.query.get(name, "")
    return min(max(int(text), 1), 1000) if text.isascii() and text.isdigit() else otherwise


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html")


async def _css(_: web.Request) -> web.Response:
    return web.Response(text=pages.CSS, content_type="text/css")


@web.middleware
async def _with_headers(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        answer = await handler(request)
    except web.HTTPException as error:
        error.headers.update(_HEADERS)
        raise
    if not answer.prepared:
        answer.headers.update(_HEADERS)
    return answer


async def run(
    endpoint: Endpoint, address: tuple[str, int], context: ssl.SSLContext | None, output: Output
) -> None:
    """Serve until a signal ends it. Raises ConfigError."""
    try:
        assets = files("textual_serve") / "static"
    except ModuleNotFoundError as error:
        raise ConfigError(
            "serve wants textual-serve: install it with  pip install 'haas[serve]'"
        ) from error
    with as_file(assets) as static:
        site = Site(endpoint, output, secure=context is not None)
        runner = web.AppRunner(site.application(str(static)), access_log=None)
        await runner.setup()
        try:
            listening = web.TCPSite(runner, *address, ssl_context=context, shutdown_timeout=5.0)
            try:
                await listening.start()
            except OSError as error:
                raise ConfigError(
                    f"{address[0]}:{address[1]} can't be listened on: {error.strerror}"
                ) from error
            scheme = "https" if context is not None else "http"
            for host, port, *_ in runner.addresses:
                output.remark(f"serving the console of {endpoint} on {scheme}://{host}:{port}")
            await _until_a_signal()
        finally:
            await runner.cleanup()


async def _until_a_signal() -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
