"""A logged-in session on a switch: sends lines, and finds the answer and the error of each.

An answer ends at the switch's own prompt at the start of a line, followed by nothing or by the echo
of the next line that was sent ahead. The host name is learnt at login, so output that merely looks
like a prompt ends no answer. If the host is renamed meanwhile, the new name is learnt after a short
silence. Nothing here sleeps: every wait is for output, and has a time-out.
"""

from __future__ import annotations

import functools
import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from haas_rpcd import patience
from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch import answers, channel
from haas_rpcd.drivers.switch.answers import INCOMPLETE, quote
from haas_rpcd.drivers.switch.channel import Channel
from haas_rpcd.drivers.switch.dialogue import Dialogue
from haas_rpcd.drivers.switch.login import Login
from haas_rpcd.drivers.switch.longtexts import beside
from haas_rpcd.drivers.switch.script import Line
from haas_rpcd.drivers.switch.transcript import Transcript
from haas_rpcd.drivers.switch.transport import Transport
from haas_rpcd.errors import DeviceError

_TAIL = 4096
"""Characters at the end of a long answer that are searched for its end, or for a question."""

_NEWLINE = re.compile(r"[\r\n]+")

_OVERLAP = 8192
"""Characters before new output that are searched again, as a prompt or an echo may start there."""

_LAST_PROMPTS = 8
"""Prompts at the end of the output of which one may be the last."""

_BEGINNING = 6
"""Characters of a line that are looked for in the output before its echo is."""

_SILENT_TAIL = 2**18
"""Characters at the end that are searched for a renamed host's prompt after a silence."""

_PAGE = "\f"
"""Marks in the buffer where a page was turned."""

_PAGE_TURNED = re.compile(r"\f(?:[\x08 ]*\x08|\r *\r)?")
"""The mark, and what a switch writes over its ``--More--`` before the next page."""


class ScriptResult(NamedTuple):
    """The result of a script: ``answered`` lines were accepted, out of ``sent``.

    ``error`` is the error of the line after the accepted ones, or None. Every line that was sent
    has been answered, unless the session has :attr:`~Session.ended`. (If the line that enters a
    context is refused, the lines that leave it may log out.) ``silent_from``: the switch did not
    answer this line and those after it in time; None if it answered, or closed the session.
    """

    answered: int
    sent: int
    error: DeviceError | None = None
    silent_from: int | None = None


class Session:
    """A session in privileged mode, with paging off. Call :meth:`login` first."""

    def __init__(
        self,
        device: str,
        dialogue: Dialogue,
        transport: Transport,
        *,
        login_timeout: float,
        answer_timeout: float,
        transcript: Transcript | None = None,
    ) -> None:
        self.device = device
        self.prompt = ""
        self._dialogue = dialogue
        self._channel = Channel(device, transport, transcript)
        self._login_timeout = login_timeout
        self._answer_timeout = answer_timeout
        self._echo_end: int | None = None  # where the current line's echo ends in the buffer
        self._searched = 0  # before that there is neither an echo nor a prompt in the buffer
        self._prompt = dialogue.any_host
        self._echoes = dialogue.echoes

    async def login(self, credential: Credential) -> None:
        """Log in, enter privileged mode, and turn paging off.

        Raises DeviceError: ``login``, ``enable``, ``busy``, ``cut``, ``timeout``.
        """
        dialogue = self._dialogue
        self.prompt = await Login(self._channel, dialogue, credential, self._login_timeout).run()
        self._prompt = dialogue.own_prompt(self.prompt)
        self._channel.transcript.on = True  # not before: passwords were typed
        for line in dialogue.setup:
            try:
                await self.command(line)
            except DeviceError as error:
                if error.reason != "refused":  # some models lack it; their pages are turned
                    raise

    # --- lines ------------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """True once the switch closed the session or fell silent: it can no longer be used."""
        return self._channel.ended

    @property
    def configuring(self) -> bool:
        """True if the last prompt was one of configuration mode."""
        pattern = self._dialogue.configuring
        return pattern is not None and pattern.search(self.prompt) is not None

    @property
    def unprivileged(self) -> bool:
        """True if the session fell back to the mode before ``enable``.

        This happens if the lines that enter a context are refused, and those that leave it are not.
        """
        dialogue = self._dialogue
        return dialogue.enable is not None and dialogue.unprivileged(self.prompt)

    async def command(self, line: str, *, timeout: float | None = None) -> str:
        """Send one line; return the answer without the echo and the prompt.

        Raises DeviceError: ``refused`` if the answer has an error, ``cut``, ``timeout``.
        """
        self._channel.buffer = ""
        self._channel.send(line)
        answer, error = await self._answer(line, None, timeout or self._answer_timeout)
        if error is not None:
            raise error
        return answer

    async def run(
        self,
        lines: Sequence[Line],
        *,
        window: int,
        on_sent: Callable[[Line], None],
        cancelled: Callable[[], bool],
        timeout: float | None = None,
    ) -> ScriptResult:
        """Send lines, up to ``window`` of them ahead of their answers; stop at the first error.

        A line with a barrier waits until all lines before it were answered. After an error, or once
        ``cancelled`` returns true, nothing more is sent, and the answers to what was sent are
        awaited. ``on_sent`` is called with each line. Raises nothing: see :class:`ScriptResult`.
        """
        in_flight: deque[int] = deque()
        sent = answered = 0
        error: DeviceError | None = None
        self._channel.buffer = ""
        while True:
            ahead: list[str] = []
            while (
                error is None
                and sent < len(lines)
                and len(in_flight) < window
                and not (lines[sent].barrier and in_flight)
                and not cancelled()
            ):
                on_sent(lines[sent])
                ahead.append(lines[sent].text)
                in_flight.append(sent)
                sent += 1
            if ahead:
                self._channel.send(*ahead)
            if not in_flight:
                return ScriptResult(answered, sent, error)
            number = in_flight.popleft()
            line = lines[number].text
            next_line = lines[in_flight[0]].text if in_flight else None
            try:
                _, refused = await self._answer(line, next_line, timeout or self._answer_timeout)
            except DeviceError as lost:
                silent_from = number if lost.reason == "timeout" else None
                return ScriptResult(answered, sent, error or lost, silent_from)
            if error is None:
                error = refused
                answered += refused is None

    async def alive(self, timeout: float) -> bool:
        """Return whether the switch still answers: an empty line brings a prompt in time."""
        self._channel.buffer = ""
        self._channel.send("")
        try:
            await self._answer("", None, timeout)
        except DeviceError:
            return False
        return True

    async def close(self) -> None:
        """End the session. Never raises.

        Before the login succeeded nothing is typed: the switch would take it for another login. A
        session in which the switch fell silent is cut, so that what is still on its way is lost.
        """
        if self.ended:
            await self._channel.abort()
            return
        if self.prompt:
            self._channel.send(*self._dialogue.logout)
        await self._channel.close()

    # --- answers ----------------------------------------------------------------------------------

    async def _answer(
        self, line: str, next_line: str | None, timeout: float
    ) -> tuple[str, DeviceError | None]:
        """Wait for the answer to a line; return it and its error. Raises ``cut``, ``timeout``.

        Output after the answer stays in the buffer.
        """
        deadline = patience.now() + timeout
        self._echo_end, self._searched = None, 0
        end = self._find_end(line, next_line, self._prompt, echo=self._echoes)
        while end is None:
            self._searched = max(0, len(self._channel.buffer) - _OVERLAP)
            if next_line is None:
                self._turn_page_or_reply()
            wait = min(deadline, patience.now() + channel.PROMPT_FALLBACK)
            received = await self._channel.receive(wait)
            if received == "output":
                end = self._find_end(line, next_line, self._prompt, echo=self._echoes)
                continue
            if received == "timeout":
                end = self._find_end_after_silence(line, next_line)
                if end is not None or patience.now() < deadline:
                    continue
            raise self._channel.error(received, line, timeout)
        prompt, position = end
        buffer = self._channel.buffer
        self.prompt = prompt.group().strip()
        self._channel.buffer = buffer[position:]
        answer, error = await beside(position, self._judge, buffer, prompt, line)
        if error is None or self._dialogue.tolerates(line, error):
            return answer, None
        return answer, DeviceError(
            f'{self.device} refused "{line}": {quote(error)}', reason="refused", line=line
        )

    def _judge(self, buffer: str, prompt: re.Match[str], line: str) -> tuple[str, str | None]:
        """Return the answer before a prompt, and the error in it."""
        answer = answers.without_echo(_PAGE_TURNED.sub("", buffer[: prompt.start()]), line)
        return answer, self._dialogue.error_in(answers.without_logs(answer), prompt)

    def _find_end(
        self, line: str, next_line: str | None, prompt: re.Pattern[str], *, echo: bool
    ) -> tuple[re.Match[str], int] | None:
        """Return the prompt that ends the answer to a line, and where the next output starts."""
        buffer = self._channel.buffer
        start = self._searched
        if echo and line:
            if self._echo_end is None:
                self._echo_end = self._find_echo_end(line, prompt)
            if self._echo_end is None:
                return None
            start = max(start, self._echo_end)
        if next_line is None:  # only log messages may follow the last prompt
            start = max(start, len(buffer) - _TAIL)
        if next_line is None:
            last = deque(prompt.finditer(buffer, start), _LAST_PROMPTS)
            ends = (match for match in last if answers.only_logs(buffer[match.end() :]))
            return next(((match, len(buffer)) for match in ends), None)
        for match in prompt.finditer(buffer, start):
            if not echo:
                return match, match.end()
            behind = _echo_behind(buffer[match.end() : match.end() + _OVERLAP], next_line)
            if behind == INCOMPLETE:
                return None
            if behind >= 0:
                return match, match.end() + behind
        return None

    def _find_echo_end(self, line: str, prompt: re.Pattern[str]) -> int | None:
        """Return where a line's echo ends; log messages and repeated prompts may precede it."""
        buffer = self._channel.buffer
        starts = _echo_starts(line, prompt.pattern, prompt.flags).finditer(buffer, self._searched)
        ends = (answers.echo_end(buffer, line, start.end()) for start in starts)
        return next((end for end in ends if end >= 0), None)

    def _find_end_after_silence(
        self, line: str, next_line: str | None
    ) -> tuple[re.Match[str], int] | None:
        """Like :meth:`_find_end`, but accept any host's prompt or a missing echo; remember it."""
        any_host = self._dialogue.any_host
        self._searched = max(0, len(self._channel.buffer) - _SILENT_TAIL)
        found = self._find_end(line, next_line, any_host, echo=self._echoes)
        if found is None and next_line is None:
            found = self._find_end(line, next_line, any_host, echo=False)
            if found is not None and line:
                buffer = self._channel.buffer
                self._echoes = answers.without_echo(buffer, line) != buffer
        if found is not None:
            self._prompt = self._dialogue.own_prompt(found[0].group().strip())
        elif next_line is not None:
            found = self._find_end(line, next_line, self._prompt, echo=False)
            if found is not None and self._channel.buffer[found[1] :].strip():
                self._echoes = False  # it echoes lines as they arrive, so only prompts count
        return found

    def _turn_page_or_reply(self) -> None:
        """Turn the page if the pager waits, and reply if the switch asks a question."""
        buffer = self._channel.buffer
        last = max(0, len(buffer) - _TAIL)
        for pattern, reply in (
            (self._dialogue.pager, lambda text: " "),
            (self._dialogue.question, self._dialogue.reply),
        ):
            if pattern is not None and (match := pattern.search(buffer, last)):
                buffer = buffer[: match.start()] + _PAGE
                self._channel.write(reply(match.group()))
        self._channel.buffer = buffer


@functools.lru_cache(1024)
def _echo_starts(line: str, prompt: str, flags: int) -> re.Pattern[str]:
    """Return a pattern for what precedes the echo of a line: a prompt, or the end of a row.

    Each of the line's first characters must follow, each with the next one or an interruption (see
    :func:`answers.echo_end`). Most of the output is excluded by it cheaply.
    """
    beginning = ""
    for char in reversed("".join(line.split())[:_BEGINNING]):
        beginning = rf"{re.escape(char)}(?:[\s\x08]|\Z|{beginning})"
    return re.compile(rf"(?:\A|\n|{prompt})(?=[\s\x08]*{beginning})", flags)


def _echo_behind(rest: str, line: str) -> int:
    """Return where the echo of ``line`` starts in ``rest``, the output after a prompt.

    ``INCOMPLETE``: more output is needed to decide. ``MISMATCH``: it was no prompt. The switch may
    print log messages between the two, and does not always repeat its prompt after them.
    """
    end = answers.echo_end(rest, line)
    if end >= 0:
        return 0
    if end == INCOMPLETE:
        return INCOMPLETE
    at = 0
    for newline in _NEWLINE.finditer(rest):
        row = rest[at : newline.end()]
        if row.strip() and not answers.is_log(row):
            break
        at = newline.end()
    if at == 0:
        return end
    end = answers.echo_end(rest, line, at)
    return at if end >= 0 else end
