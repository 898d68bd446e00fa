"""One logged-in session on a switch: lines out, answers in, errors noticed on the line they are of.

How the end of an answer is known: by the prompt, as a line of its own at the very end of what came
in. The prompt's name is learnt at login, so a line of output that merely looks like some prompt
does not end an answer. Nothing here sleeps; every wait is for bytes, and has a time-out.
"""

from __future__ import annotations

import asyncio
import re

from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch.dialect import Dialect
from haas_rpcd.drivers.switch.transport import Transport
from haas_rpcd.errors import DeviceError

_SYSLOG = re.compile(
    r"^[*.]?(?:[\w:. -]*: )?%[A-Z][A-Z0-9_]*-(?:[A-Z0-9_]+-)?[0-7]-[A-Z0-9_]+: ?.*$"
)
"""A log message that the switch writes into the session, e.g. ``%LINK-5-CHANGED: Interface …``."""

_PAGE_TURNED = re.compile(r"\A(?:[\x08 ]*\x08|\r *\r)")
"""What a switch writes over its ``--More--`` before the next page."""

_ATTEMPTS = 3
"""Passwords that are sent at most: some switches ask a password, then a username and a password."""

_QUOTED = 300
"""Characters of a switch's answer that an error message quotes at most."""


class Session:
    """A session that is logged in, in privileged mode, with paging off."""

    def __init__(
        self,
        device: str,
        dialect: Dialect,
        transport: Transport,
        *,
        login_timeout: float,
        answer_timeout: float,
    ) -> None:
        self.device = device
        self._dialect = dialect
        self._transport = transport
        self._login_timeout = login_timeout
        self._answer_timeout = answer_timeout
        self._buffer = ""
        self._prompt = dialect.any_prompt
        self.prompt = ""
        self.lines_sent = 0

    # --- login ------------------------------------------------------------------------------------

    async def login(self, credential: Credential) -> None:
        """Log in, get privileges, turn paging off.

        Raises DeviceError: ``login``, ``enable``, ``cut``, ``timeout``, ``refused``.
        """
        dialect = self._dialect
        await self._greet(credential)
        if dialect.enable is not None and dialect.unprivileged(self.prompt):
            await self._enable(dialect.enable, credential)
        self._prompt = dialect.own_prompt(self.prompt)
        for line in dialect.setup:
            await self.command(line)

    async def _greet(self, credential: Credential) -> None:
        """Answer what is asked until there is a prompt."""
        dialect = self._dialect
        passwords = 0
        asked: set[str] = set()
        while True:
            found = await self._expect(
                {
                    "failed": dialect.login_failed,
                    "username": dialect.username,
                    "password": dialect.password,
                    "key": dialect.press_key,
                    "prompt": dialect.any_prompt,
                },
                self._login_timeout,
                "login",
            )
            again = found.kind == "username" and "password" in asked
            if found.kind == "failed" or again or passwords >= _ATTEMPTS:
                said = found.match.group() if found.kind == "failed" else ""
                raise self._login_refused(credential, said)
            if found.kind == "prompt":
                self.prompt = found.match.group().strip()
                return
            asked.add(found.kind)
            if found.kind == "username":
                self._send(credential.username)
            elif found.kind == "password":
                if passwords:  # asked again at once: the first one was wrong
                    raise self._login_refused(credential, "")
                passwords += 1
                self._send(credential.password)
            else:
                self._send("")

    def _login_refused(self, credential: Credential, answer: str) -> DeviceError:
        said = _quote(answer)
        return DeviceError(
            f"{self.device} refused the login"
            + (f" of {credential.username}" if credential.username else "")
            + (f" ({said})" if said else "")
            + ": check its entry in the credentials file.",
            reason="login",
        )

    async def _enable(self, line: str, credential: Credential) -> None:
        self._send(line)
        asked = False
        while True:
            found = await self._expect(
                {
                    "failed": self._dialect.enable_failed,
                    "password": self._dialect.password,
                    "prompt": self._dialect.any_prompt,
                },
                self._login_timeout,
                "enable",
            )
            if found.kind == "prompt":
                self.prompt = found.match.group().strip()
                if not self._dialect.unprivileged(self.prompt):
                    return
            if found.kind == "password" and not asked:
                if not credential.enable:
                    raise DeviceError(
                        f"{self.device} asks for an enable password: add  enable = …  to its entry"
                        " in the credentials file.",
                        reason="enable",
                    )
                asked = True
                self._send(credential.enable)
                continue
            said = f" ({_quote(found.match.group())})" if found.kind == "failed" else ""
            raise DeviceError(
                f"{self.device} refused privileged mode{said}: check the enable password of its"
                " entry in the credentials file.",
                reason="enable",
            )

    # --- lines ------------------------------------------------------------------------------------

    async def command(self, line: str, *, timeout: float | None = None) -> str:
        """Send one line; give what the switch answered, without the echo and the prompt.

        Raises DeviceError: ``refused`` when the answer has an error, ``cut``, ``timeout``.
        """
        self._send(line)
        pieces: list[str] = []
        while True:
            found = await self._expect(
                {
                    "pager": self._dialect.pager,
                    "question": self._dialect.question,
                    "prompt": self._prompt,
                },
                timeout or self._answer_timeout,
                line,
            )
            pieces.append(_PAGE_TURNED.sub("", found.text) if pieces else found.text)
            if found.kind == "pager":
                self._transport.write(b" ")
            elif found.kind == "question":
                self._transport.write(self._dialect.answer(found.match.group()).encode())
            else:
                break
        self.prompt = found.match.group().strip()
        answer = _without_echo("".join(pieces), line)
        error = self._dialect.error_in(_without_logs(answer), found.match)
        if error is not None:
            raise DeviceError(
                f'{self.device} refused "{line}": {_quote(error)}', reason="refused", line=line
            )
        return answer

    async def close(self) -> None:
        """End the session. Never raises."""
        for line in self._dialect.goodbye:
            self._transport.write(line.encode() + b"\r\n")
        await self._transport.close()

    # --- bytes ------------------------------------------------------------------------------------

    def _send(self, line: str) -> None:
        self._buffer = ""
        self.lines_sent += 1
        self._transport.write(line.encode() + b"\r\n")

    async def _expect(
        self, patterns: dict[str, re.Pattern[str] | None], timeout: float, doing: str
    ) -> _Found:
        """Read until one of the patterns ends what came in. ``doing`` is never a password."""
        try:
            async with asyncio.timeout(timeout):
                while (found := self._match(patterns)) is None:
                    data = await self._transport.read()
                    if not data:
                        raise self._cut(doing)
                    self._buffer += data.decode("utf-8", "replace").replace("\x00", "")
        except TimeoutError:
            raise DeviceError(
                f"{self.device} did not answer ({doing}) within {timeout:g} s"
                f"{self._last_words()}: look at the switch, then apply again.",
                reason="timeout",
            ) from None
        return found

    def _match(self, patterns: dict[str, re.Pattern[str] | None]) -> _Found | None:
        for kind, pattern in patterns.items():
            if pattern is None:
                continue
            if match := pattern.search(self._buffer):
                text = self._buffer[: match.start()]
                self._buffer = ""
                return _Found(kind, text, match)
        return None

    def _cut(self, doing: str) -> DeviceError:
        return DeviceError(
            f"{self.device} closed the connection ({doing}){self._last_words()}: see whether others"
            " use all its sessions or it has restarted, then apply again.",
            reason="cut",
        )

    def _last_words(self) -> str:
        words = _quote(self._buffer)
        return f', its last words "{words}"' if words else ""


class _Found:
    """Which pattern ended what came in, and what stood before it."""

    def __init__(self, kind: str, text: str, match: re.Match[str]) -> None:
        self.kind = kind
        self.text = text
        self.match = match


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in re.split(r"\r*\n", text.replace("\r\r\n", "\r\n"))]


def _without_echo(text: str, line: str) -> str:
    """Drop the echo of a line that was sent, however the terminal may have wrapped it."""
    first, newline, rest = text.partition("\n")
    squeezed = re.sub(r"\s|\x08.|\x08", "", first)
    return rest if newline and line and squeezed.endswith(re.sub(r"\s", "", line)) else text


def _without_logs(text: str) -> str:
    return "\n".join(line for line in _lines(text) if not _SYSLOG.match(line))


def _quote(text: str) -> str:
    """Give a switch's words on one line, for an error message."""
    words = [line.strip() for line in _lines(text)]
    quoted = " ".join(word for word in words if word and word != "^")
    return quoted if len(quoted) <= _QUOTED else f"{quoted[:_QUOTED]}…"
