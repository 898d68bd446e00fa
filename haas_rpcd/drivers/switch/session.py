"""One logged-in session on a switch: lines out, answers in, errors noticed on the line they are of.

How the end of an answer is known: by the switch's own prompt at the beginning of a line, with
nothing behind it, or with the echo of the next line that was sent ahead. The host's name is learnt
at login, so output that merely looks like some prompt ends no answer; when the host is renamed
meanwhile, its new name is learnt after a moment's silence. Nothing here sleeps; every wait is for
bytes, and has a time-out.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch import answers
from haas_rpcd.drivers.switch.answers import INCOMPLETE, quote
from haas_rpcd.drivers.switch.dialect import Dialect, at_start
from haas_rpcd.drivers.switch.script import Line
from haas_rpcd.drivers.switch.terminal import Terminal
from haas_rpcd.drivers.switch.transport import Transport
from haas_rpcd.errors import DeviceError

_ATTEMPTS = 3
"""Passwords that are sent at most: some switches ask a password, then a username and a password."""

_QUIET = 1.0
"""Seconds of silence after which a prompt is taken that is not this host's, or that no echo leads
up to: the host was renamed, does not echo, or echoes lines as they come and not as it reads."""

_BREATH = 0.1
"""Seconds in which a switch that has begun with its banner goes on with it."""

_TAIL = 4096
"""Characters at the end of a long answer in which its end, or a question, is looked for."""

_NEWLINE = re.compile("\n")

_PAGE = "\f"
"""Stands in the buffer where a page was turned."""

_PAGE_TURNED = re.compile(r"\f(?:[\x08 ]*\x08|\r *\r)?")
"""That, and what a switch writes over its ``--More--`` before the next page."""


class Ran(NamedTuple):
    """How far a script got: ``answered`` lines without an error, of ``sent``.

    ``error`` is what became of the line after those, or None. Every line that was sent has been
    answered, unless the session has :attr:`~Session.ended`: a line that enters something and is
    refused, followed by those that leave it, may log out.
    """

    answered: int
    sent: int
    error: DeviceError | None = None


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
        self._terminal = Terminal()
        self._buffer = ""
        self._echoed: int | None = None  # where in the buffer the echo ends of the line asked for
        self._prompt = at_start(dialect.prompt.replace("HOST", dialect.host))
        self._echoes = dialect.echoes
        self.prompt = ""
        self.ended = False  # the switch closed it, or fell silent: nothing more can be asked here

    # --- login ------------------------------------------------------------------------------------

    async def login(self, credential: Credential) -> None:
        """Log in, get privileges, turn paging off.

        Raises DeviceError: ``login``, ``enable``, ``busy``, ``cut``, ``timeout``.
        """
        dialect = self._dialect
        await self._greet(credential)
        if dialect.enable is not None and dialect.unprivileged(self.prompt):
            await self._enable(dialect.enable, credential)
        self._prompt = dialect.own_prompt(self.prompt)
        for line in dialect.setup:
            try:
                await self.command(line)
            except DeviceError as error:
                if error.reason != "refused":  # some models lack it; their pages are turned
                    raise

    async def _greet(self, credential: Credential) -> None:
        """Answer what is asked until there is a prompt."""
        dialect = self._dialect
        passwords = 0
        asked: set[str] = set()
        patterns = {
            "no_free_session": dialect.no_free_session,
            "failed": dialect.login_failed,
            "username": dialect.username,
            "password": dialect.password,
            "key": dialect.press_key,
            "prompt": dialect.any_prompt,
        }
        while True:
            found = await self._expect(patterns, "login", fresh=not asked)
            again = found.kind == "username" and "password" in asked
            if found.kind == "no_free_session":
                raise self._busy(found.match.group())
            if found.kind == "failed" or again or passwords >= _ATTEMPTS:
                said = found.match.group() if found.kind == "failed" else ""
                raise self._login_refused(credential, said)
            if found.kind == "prompt":
                if not asked and await self._goes_on(patterns):
                    continue
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

    async def _goes_on(self, patterns: dict[str, re.Pattern[str] | None]) -> bool:
        """Whether what looked like a prompt is a banner: the switch has more to say at once.

        Asked only where there was no question yet: what would be typed then is taken for a name.
        """
        patience = _BREATH
        while not any(pattern and pattern.search(self._buffer) for pattern in patterns.values()):
            data = await self._read_until(asyncio.get_running_loop().time() + patience)
            if not data:
                return False
            self._buffer += self._terminal.text(data)
            patience = _QUIET
            if answers.only_logs(self._buffer):
                return False
        return True

    def _login_refused(self, credential: Credential, answer: str) -> DeviceError:
        said = quote(answer)
        return DeviceError(
            f"{self.device} refused the login"
            + (f" of {credential.username}" if credential.username else "")
            + (f" ({said})" if said else "")
            + ": check its entry in the credentials file.",
            reason="login",
        )

    async def _enable(self, line: str, credential: Credential) -> None:
        self._send(line)
        asked = named = False
        while True:
            found = await self._expect(
                {
                    "failed": self._dialect.enable_failed,
                    "username": self._dialect.username,
                    "password": self._dialect.password,
                    "prompt": self._dialect.any_prompt,
                },
                "enable",
            )
            if found.kind == "prompt":
                self.prompt = found.match.group().strip()
                if not self._dialect.unprivileged(self.prompt):
                    return
            if found.kind == "username" and not named:
                named = True
                self._send(credential.username)
                continue
            if found.kind == "password" and not asked:
                # Where it asks who it is, it is a user's own password that counts.
                secret = credential.enable or (credential.password if named else "")
                if not secret:
                    raise DeviceError(
                        f"{self.device} asks for an enable password: add  enable = …  to its entry"
                        " in the credentials file.",
                        reason="enable",
                    )
                asked = True
                self._send(secret)
                continue
            said = f" ({quote(found.match.group())})" if found.kind == "failed" else ""
            raise DeviceError(
                f"{self.device} refused privileged mode{said}: check the enable password of its"
                " entry in the credentials file.",
                reason="enable",
            )

    # --- lines ------------------------------------------------------------------------------------

    @property
    def configuring(self) -> bool:
        """Whether the last prompt was one of configuration mode."""
        pattern = self._dialect.configuring
        return pattern is not None and pattern.search(self.prompt) is not None

    @property
    def demoted(self) -> bool:
        """Whether the last prompt was one of the mode that ``enable`` leads out of.

        Lines that leave a context lead there when those that were to enter it were refused.
        """
        dialect = self._dialect
        return dialect.enable is not None and dialect.unprivileged(self.prompt)

    async def command(self, line: str, *, timeout: float | None = None) -> str:
        """Send one line; give what the switch answered, without the echo and the prompt.

        Raises DeviceError: ``refused`` when the answer has an error, ``cut``, ``timeout``.
        """
        self._send(line)
        answer, error = await self._answer(line, None, timeout or self._answer_timeout)
        if error is not None:
            raise error
        return answer

    async def run(
        self,
        lines: Sequence[Line],
        *,
        window: int,
        told: Callable[[Line], None],
        stop: Callable[[], bool],
        timeout: float | None = None,
    ) -> Ran:
        """Send lines, up to ``window`` of them ahead of their answers; stop at the first error.

        A guarded line waits until all before it were answered. After an error nothing more is
        sent, and what was sent is waited for. ``told`` gets each line as it is sent; when ``stop``
        says so nothing more is sent either. Raises nothing: see :class:`Ran`.
        """
        flying: deque[int] = deque()
        at = answered = 0
        error: DeviceError | None = None
        self._buffer = ""
        while True:
            ahead: list[str] = []
            while (
                error is None
                and at < len(lines)
                and len(flying) < window
                and not (lines[at].guarded and flying)
                and not stop()
            ):
                told(lines[at])
                ahead.append(lines[at].text)
                flying.append(at)
                at += 1
            if ahead:
                self._transport.write("".join(f"{text}\r\n" for text in ahead).encode())
            if not flying:
                return Ran(answered, at, error)
            line = lines[flying.popleft()].text
            following = lines[flying[0]].text if flying else None
            try:
                _, refused = await self._answer(line, following, timeout or self._answer_timeout)
            except DeviceError as lost:
                return Ran(answered, at, lost if error is None else error)
            if error is None:
                error = refused
                answered += refused is None

    async def alive(self, timeout: float) -> bool:
        """Whether the switch still answers: an empty line brings a prompt in time."""
        try:
            self._send("")
            await self._answer("", None, timeout)
        except DeviceError:
            return False
        return True

    async def close(self) -> None:
        """End the session. Never raises."""
        for line in self._dialect.logout:
            self._transport.write(line.encode() + b"\r\n")
        await self._transport.close()

    # --- answers ----------------------------------------------------------------------------------

    async def _answer(
        self, line: str, following: str | None, timeout: float
    ) -> tuple[str, DeviceError | None]:
        """Wait for the answer to a line; give it, and the error in it. Raises ``cut``, ``timeout``.

        What comes after it stays in the buffer.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        self._echoed = None
        ended = self._ended(line, following, self._prompt, echo=self._echoes)
        while ended is None:
            if following is None:
                self._reply()
            data = await self._read_until(min(deadline, loop.time() + _QUIET))
            if data:
                self._buffer += self._terminal.text(data)
                ended = self._ended(line, following, self._prompt, echo=self._echoes)
            elif data is None:
                ended = self._renamed(line, following)
                if ended is None and loop.time() >= deadline:
                    raise self._silent(line, timeout)
            else:
                raise self._cut(line)
        match, end = ended
        text = _PAGE_TURNED.sub("", self._buffer[: match.start()])
        self.prompt = match.group().strip()
        self._buffer = self._buffer[end:]
        answer = answers.without_echo(text, line)
        error = self._dialect.error_in(answers.without_logs(answer), match)
        if error is None:
            return answer, None
        return answer, DeviceError(
            f'{self.device} refused "{line}": {quote(error)}', reason="refused", line=line
        )

    def _ended(
        self, line: str, following: str | None, prompt: re.Pattern[str], *, echo: bool
    ) -> tuple[re.Match[str], int] | None:
        """Give the prompt that ends the answer to a line, and from where on the rest counts."""
        start = 0
        if echo and line:
            if self._echoed is None:
                self._echoed = self._after_echo(line, prompt)
            if self._echoed is None:
                return None
            start = self._echoed
        if following is None:  # nothing but log messages stands behind the last prompt
            start = max(start, len(self._buffer) - _TAIL)
        for match in prompt.finditer(self._buffer, start):
            rest = self._buffer[match.end() :]
            if following is None:
                if answers.only_logs(rest):
                    return match, len(self._buffer)
            elif not echo:
                return match, match.end()
            else:
                behind = _echo_behind(rest, following)
                if behind == INCOMPLETE:
                    return None
                if behind >= 0:
                    return match, match.end() + behind
        return None

    def _after_echo(self, line: str, prompt: re.Pattern[str]) -> int | None:
        """Give where the echo of a line ends; logs and repeated prompts may stand before it."""
        rows = itertools.chain(_NEWLINE.finditer(self._buffer), prompt.finditer(self._buffer))
        for start in itertools.chain((0,), (row.end() for row in rows)):
            end = answers.echo_end(self._buffer[start:], line)
            if end >= 0:
                return start + end
        return None

    def _renamed(self, line: str, following: str | None) -> tuple[re.Match[str], int] | None:
        """After a silence: take any host's prompt, also without the echo; and learn from it."""
        loose = at_start(self._dialect.prompt.replace("HOST", self._dialect.host))
        found = self._ended(line, following, loose, echo=self._echoes)
        if found is None and following is None:
            found = self._ended(line, following, loose, echo=False)
            if found is not None and line:
                self._echoes = answers.without_echo(self._buffer, line) != self._buffer
        if found is not None:
            self._prompt = self._dialect.own_prompt(found[0].group().strip())
        elif following is not None:
            found = self._ended(line, following, self._prompt, echo=False)
            if found is not None and self._buffer[found[1] :].strip():
                self._echoes = False  # lines ahead are echoed as they come: only prompts count
        return found

    def _reply(self) -> None:
        """Turn the page, or answer the question, that the switch waits with."""
        last = max(0, len(self._buffer) - _TAIL)
        for pattern, reply in (
            (self._dialect.pager, lambda text: " "),
            (self._dialect.question, self._dialect.reply),
        ):
            if pattern is not None and (match := pattern.search(self._buffer, last)):
                self._buffer = self._buffer[: match.start()] + _PAGE
                self._transport.write(reply(match.group()).encode())

    # --- bytes ------------------------------------------------------------------------------------

    def _send(self, line: str) -> None:
        self._buffer = ""
        self._transport.write(line.encode() + b"\r\n")

    async def _read_until(self, when: float) -> bytes | None:
        """Read some bytes; empty at the end of the connection, None when the time is over."""
        try:
            async with asyncio.timeout_at(when):
                return await self._transport.read()
        except TimeoutError:
            return None

    async def _expect(
        self, patterns: dict[str, re.Pattern[str] | None], doing: str, *, fresh: bool = False
    ) -> _Found:
        """Read until one of the patterns ends what came in. ``doing`` is never a password.

        ``fresh``: nothing was asked yet, so a connection that is closed without a word has no
        session free.
        """
        when = asyncio.get_running_loop().time() + self._login_timeout
        while (found := self._match(patterns)) is None:
            data = await self._read_until(when)
            if data is None:
                raise self._silent(doing, self._login_timeout)
            if not data:
                raise self._busy("") if fresh and not quote(self._buffer) else self._cut(doing)
            self._buffer += self._terminal.text(data)
        return found

    def _match(self, patterns: dict[str, re.Pattern[str] | None]) -> _Found | None:
        for kind, pattern in patterns.items():
            if pattern is not None and (match := pattern.search(self._buffer)):
                self._buffer = ""
                return _Found(kind, match)
        return None

    # --- errors -----------------------------------------------------------------------------------

    def _silent(self, doing: str, timeout: float) -> DeviceError:
        self.ended = True
        return DeviceError(
            f"{self.device} did not answer ({doing}) within {timeout:g} s{self._last_words()}:"
            " look at the switch, then apply again.",
            reason="timeout",
        )

    def _busy(self, said: str) -> DeviceError:
        words = quote(said)
        return DeviceError(
            f"{self.device} has no session free{f' ({words})' if words else ''}: close one that"
            " nobody needs, then apply again.",
            reason="busy",
        )

    def _cut(self, doing: str) -> DeviceError:
        self.ended = True
        return DeviceError(
            f"{self.device} closed the connection ({doing}){self._last_words()}: see whether others"
            " use all its sessions or it has restarted, then apply again.",
            reason="cut",
        )

    def _last_words(self) -> str:
        words = quote(self._buffer)
        return f', its last words "{words}"' if words else ""


class _Found(NamedTuple):
    """Which pattern ended what came in."""

    kind: str
    match: re.Match[str]


def _echo_behind(rest: str, line: str) -> int:
    """Say where in ``rest``, behind a prompt, the echo of ``line`` begins.

    ``INCOMPLETE`` when more has to come, ``MISMATCH`` when it was no prompt. Log messages may stand
    between the two: the switch writes them in when it likes, and not every one repeats its prompt.
    """
    end = answers.echo_end(rest, line)
    if end >= 0:
        return 0
    if end == INCOMPLETE:
        return INCOMPLETE
    at = 0
    for row in rest.splitlines(keepends=True):
        if not row.endswith(("\n", "\r")) or (row.strip() and not answers.is_log(row)):
            break
        at += len(row)
    if at == 0:
        return end
    end = answers.echo_end(rest[at:], line)
    return at if end >= 0 else end
