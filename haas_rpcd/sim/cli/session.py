"""One session at a command line, driven by input and by timers.

There is no task behind it. `Session.feed` executes all lines that have arrived, even if a client
sent many of them ahead, and writes all their answers at once. It stops if a line is delayed, if a
question or a page waits for an answer, or if the client does not read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from haas_rpcd.sim.cli.editor import Editor, Key
from haas_rpcd.sim.cli.idle import IdleTimer
from haas_rpcd.sim.cli.interpreter import Interpreter
from haas_rpcd.sim.cli.question import Answer, Question
from haas_rpcd.sim.cli.records import MASK, LineRecord
from haas_rpcd.sim.cli.texts import Mode, RejectedError
from haas_rpcd.sim.cli.wire import Conversation, Wire

MAX_AHEAD = 65536
"""Bytes that a client may send ahead before the switch stops reading from it."""

MAX_UNWRITTEN = 65536
"""Characters of answers that are collected before they are written."""


class Session(Conversation):
    """What one client sees of a switch. `CliSwitch` makes sessions and lists them."""

    def __init__(self, switch: Interpreter, wire: Wire) -> None:
        super().__init__()
        self.switch = switch
        self.user = ""
        self.peer = wire.peer
        self.mode: Mode = switch.user_mode
        self.label = ""  # what the prompt shows of what is being configured
        self.selection: tuple[str, ...] = ()  # the ports that commands of interfaces apply to
        self.editing: Any = None  # what else is being configured; its type depends on the vendor
        self.length = switch.pager.length  # lines per page; 0: no paging
        self.monitors = False
        self.editor = Editor(
            self._write,
            width=switch.width,
            longest=switch.longest_line,
            helps=switch.question_mark_helps,
        )
        self._wire = wire
        self._connected = True
        self._input = bytearray()
        self._output: list[str] = []
        self._unwritten = 0
        self._logs: list[str] = []  # messages that came while a line was executed
        self._question: Question | None = None
        self._rest: list[str] = []  # the lines that follow --More--
        self._timer: asyncio.TimerHandle | None = None
        self._idle = IdleTimer(self._timed_out)
        self._busy = False
        self._held = False  # the client does not read
        self._stalled = False
        self._kept: tuple[str, LineRecord, bool] | None = None  # the line at which it hangs
        self._leaving = False  # close when the output is written

    # --- the connection

    def begin(self, user: str | None) -> None:
        """Open the dialogue. ``user`` has already logged in; with None, ask for a login."""
        if user is None:
            self.switch.greet(self)
        else:
            self.ask_nothing(self.switch.enter(self, user))
        self._flush()
        self._wait_for_more()

    def feed(self, data: bytes) -> None:
        """Execute the input."""
        self._input += data
        self._pump()
        self._wait_for_more()

    def _wait_for_more(self) -> None:
        """Close the session if there is no input for too long."""
        self._idle.stop()
        if self._connected:
            self._idle.start(self.switch.faults.idle_timeout)

    def _timed_out(self) -> None:
        self._write(self.switch.idle_text)
        self.hang_up()
        self._flush()

    def lost(self) -> None:
        """End the session. Unfinished edits are lost."""
        self._idle.stop()
        if self._timer is not None:
            self._timer.cancel()
        self._connected = False
        super().lost()

    def hold(self) -> None:
        """The client does not read: execute nothing more for now."""
        self._held = True

    def resume(self) -> None:
        """The client reads again: continue."""
        self._held = False
        self._pump()

    def hang_up(self) -> None:
        """Close when everything is written, as ``exit`` does."""
        self._leaving = True

    def cut(self) -> None:
        """Reset the connection at once, as a power cut or a full switch does."""
        if not self._connected:
            return
        self._output.clear()
        self._leaving = True
        self._wire.abort()

    def finish(self) -> None:
        """Execute the line at which the session hangs, and what was typed after it."""
        kept, self._kept = self._kept, None
        if kept is None:
            return
        self._stalled = self._held = False
        self._execute(*kept)
        self._pump()

    def clear(self) -> None:
        """End the session at once, even if it hangs; what it kept is not executed."""
        self._kept = None
        self.clear_vty()
        self.cut()

    def clear_vty(self) -> None:
        """Hang no more: without a connection, give the VTY back."""
        self.hung = False
        if not self._connected:
            self.switch.forget(self)

    # --- for commands

    def ask(
        self,
        question: str,
        answered: Answer,
        *,
        mode: str = "question",
        echo: bool | str = True,
        key: bool = False,
        shows_key: bool = False,
    ) -> None:
        """Ask a question. ``answered`` is called with a line, or with a single key if ``key``.

        A key is echoed only with ``shows_key``. ``echo``: False for none, or what replaces each
        character (``"*"``). ``mode`` is for the records: ``password`` and ``enable`` are masked.
        """
        self._question = Question(answered, mode, key, shows_key)
        self.editor.begin(question, echo=echo)

    def ask_nothing(self, printed: Iterable[str]) -> None:
        """Let the user in without a question: print lines and the prompt."""
        self.print(printed)
        self._prompt()

    def print(self, lines: Iterable[str]) -> None:
        """Write lines without paging."""
        for line in lines:
            self._write(f"{line}\n")

    def enter(
        self, mode: Mode, label: str = "", *, ports: Iterable[str] = (), editing: Any = None
    ) -> None:
        """Enter a mode to configure ``ports``, or whatever else is in ``editing``."""
        self.mode, self.label = mode, label
        self.selection, self.editing = tuple(ports), editing

    def leave(self) -> list[str]:
        """Return to the parent mode; return what is printed."""
        switch, mode = self.switch, self.mode
        printed = list(switch.leaving(self))
        if mode.parent is not None:
            self.enter(mode.parent)
        if mode.configures and not self.mode.configures:
            switch.configured(self)
        return printed

    def leave_all(self) -> list[str]:
        """Leave all configuration modes; return what is printed."""
        printed: list[str] = []
        while self.mode.configures and self.mode.parent is not None:
            printed += self.leave()
        return printed

    def log(self, text: str) -> None:
        """Write a system message. While a line is executed, it waits for the prompt.

        The prompt is not repeated after the message.
        """
        if self._busy:
            self._logs.append(text)
        else:
            self._write(f"\n{text}\n")
            self._flush()

    # --- reading

    def _pump(self) -> None:
        """Execute all lines that can be executed now, then write the answers."""
        if self._busy:
            return
        while (
            self._input
            and not (self._held or self._stalled or self._leaving or self._timer)
            and self._step()
        ):
            if self._unwritten > MAX_UNWRITTEN:
                self._flush()  # this shows whether the client reads
        self._flush()
        if self.hung and self._kept is None and self._timer is None:
            self.clear_vty()
        if self._connected and not self._leaving:
            if len(self._input) > MAX_AHEAD:
                self._wire.pause_reading()
            else:
                self._wire.resume_reading()

    def _step(self) -> bool:
        """Read a line or a key and act on it; False if the input has no complete one."""
        question = self._question
        if self._rest or (question and question.key):
            key = self.editor.read_key(self._input)
            if key is None:
                return False
            if self._rest:
                self._turn_page(key)
            elif question is not None:
                self._write(f"{key.strip()}\n" if question.shows_key else "\n")
                self._arrived(key)
            return True
        match self.editor.read(self._input):
            case None:
                return False
            case Key.ENTER:
                self._arrived(self.editor.text)
            case Key.HELP:
                text = self.editor.text
                self.print(self.switch.help_lines(self, text))
                self._prompt(text)
            case Key.INTERRUPT:
                self._interrupted()
            case Key.END if self.mode.configures and not question:
                # What was typed before Ctrl-Z is still executed.
                self._arrived(self.editor.text or self.switch.end_word, ends=True)
            case Key.END:
                self._arrived(self.editor.text)
        return True

    def _interrupted(self) -> None:
        """Ctrl-C drops the line or the question. On some switches it leaves configuration."""
        record = self._record("^C")
        if self.mode.configures and self.switch.interrupt_leaves:
            self.print(self.leave_all())
        if self._question and self._question.mode in ("username", "password"):
            self.hang_up()
            return
        self._question = None
        self.switch.settle(record)
        self._prompt()

    def _record(self, text: str) -> LineRecord:
        question = self._question
        hidden = question is not None and question.mode in ("password", "enable")
        mode = question.mode if question else self.mode.name
        shown = MASK if hidden else text.strip("\r\n")
        return self.switch.record(LineRecord(self.number, mode, shown))

    def _arrived(self, text: str, *, ends: bool = False) -> None:
        """Execute a line now or after the switch's delay, unless a fault prevents that."""
        record = self._record(text)
        faults = self.switch.faults
        is_command = self._question is None
        if is_command and faults.cut_after is not None:
            if faults.cut_after <= 0:
                faults.cut_after = None
                self.cut()
                return
            faults.cut_after -= 1
        if self.switch.strikes(faults.stall_at, record):
            self._stalled = True
            return
        if is_command and self.switch.strikes(faults.hang_at, record):
            faults.hang_at = None
            self._stalled = self.hung = True
            self._kept = (text, record, ends)
            return
        if (seconds := self.switch.seconds_for(record)) > 0:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(seconds, self._delayed, text, record, ends)
        else:
            self._execute(text, record, ends)

    def _delayed(self, text: str, record: LineRecord, ends: bool) -> None:
        self._timer = None
        self._execute(text, record, ends)
        self._pump()

    def _execute(self, text: str, record: LineRecord, ends: bool) -> None:
        switch = self.switch
        question, self._question = self._question, None
        cut = question is None and switch.strikes(switch.faults.cut_at, record)
        refusal = switch.refusal(record) if question is None else None
        self._busy = True
        try:
            if question is not None:
                try:
                    printed = list(question.answered(text) or ())
                except RejectedError as error:
                    printed = error.lines
            elif refusal is not None:
                printed = refusal.splitlines()
            else:
                printed = list(switch.execute(self, text))
            if ends and self.mode.configures:
                printed += self.leave_all()
            switch.settle(record)
        finally:
            self._busy = False
        if cut:
            switch.faults.cut_at = None
            self.cut()
        if cut or not (self._connected or self.hung):
            return
        if self._question is not None:  # its prompt was written first; it belongs after these lines
            asked = self._output.pop()
            self.print(printed)
            self._output.append(asked)
        else:
            self._page(printed)

    # --- writing

    def _page(self, lines: list[str], page: int | None = None) -> None:
        """Write a page of lines, or ``page`` lines. After the last line, write the prompt."""
        if page is None:
            room = self.length - self.switch.pager.keeps
            page = max(1, room) if self.length else len(lines)
        self.print(lines[:page])
        self._rest = lines[page:]
        if self._rest:
            self._write(self.switch.pager.more)
        elif not self._leaving:
            self._prompt()

    def _turn_page(self, key: str) -> None:
        """Blank shows another page, Return another line. A quit key ends the output."""
        pager = self.switch.pager
        quits = pager.quits is None or key in pager.quits
        if key not in " \r\n" and not quits:
            return
        lines, self._rest = self._rest, []
        self._write(pager.erase)
        if key == " ":
            self._page(lines)
        elif key in "\r\n":
            self._page(lines, 1)
        else:
            self._page([])

    def _prompt(self, text: str = "") -> None:
        self.editor.begin(
            self.switch.prompt(self),
            helps=True,
            text=text,
        )
        logs, self._logs = self._logs, []
        for message in logs:
            self._write(f"\n{message}\n")

    def _write(self, text: str) -> None:
        self._output.append(text)
        self._unwritten += len(text)

    def _flush(self) -> None:
        if self._output:
            text = "".join(self._output)
            self._output.clear()
            self._unwritten = 0
            if self._connected:
                self._wire.write(text.replace("\n", "\r\n").encode("ascii", "replace"))
        if self._leaving and self._connected:
            self._wire.close()
