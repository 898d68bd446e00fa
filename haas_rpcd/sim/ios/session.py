"""One telnet session: a protocol on one connection, driven by what arrives and by timers.

There is no task behind it. `Session.data_received` carries out as many lines as have come, also
when a client sent many of them ahead, and writes all their answers at once; it stops where a line
is delayed, where a question or a page waits for its answer, or where the client does not read.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, cast

from haas_rpcd.sim.ios import commands, login
from haas_rpcd.sim.ios.editor import Editor, Key
from haas_rpcd.sim.ios.modes import SUBMODES, Mode, prompt
from haas_rpcd.sim.ios.records import MASK, HistoryEntry, LineRecord
from haas_rpcd.sim.ios.telnet import GREETING, TelnetFilter

if TYPE_CHECKING:
    from haas_rpcd.sim.ios.switch import IosSwitch

Answer = Callable[[str], Iterable[str] | None]

MORE = " --More-- "
# IOS writes nine backspaces and eight blanks over the ten characters of its own prompt.
UNMORE = "\b" * 9 + " " * 8 + "\b" * 9

MAX_AHEAD = 65536
"""Bytes a client may send ahead before the switch stops reading from it."""

MAX_UNWRITTEN = 65536
"""Characters of answers that are gathered before they are written."""


class _Question:
    """A prompt that waits for an answer: a line, or a single key."""

    def __init__(self, answered: Answer, mode: str, key: bool) -> None:
        self.answered = answered
        self.mode = mode
        self.key = key


class Session(asyncio.Protocol):
    """What one client sees of a switch. Made by `IosSwitch`, which also lists them."""

    def __init__(self, switch: IosSwitch) -> None:
        self.switch = switch
        self.number = 0  # in the records
        self.line = -1  # which VTY
        self.user = ""
        self.peer = ""
        self.mode = Mode.USER
        self.selection: tuple[str, ...] = ()  # the ports that interface commands go to
        self.vlans: dict[int, str | None] = {}  # under edit, with the new name if one was typed
        self.length = 24  # lines a page; 0 is no paging
        self.monitors = False
        self.editor = Editor(self._write)
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._telnet = TelnetFilter(self._send)
        self._input = bytearray()
        self._output: list[str] = []
        self._unwritten = 0
        self._logs: list[str] = []  # came while a line was being carried out
        self._question: _Question | None = None
        self._rest: list[str] = []  # what is still to come after --More--
        self._timer: asyncio.TimerHandle | None = None
        self._busy = False
        self._held = False  # the client does not read
        self._stalled = False
        self._leaving = False  # close once the output is written

    # --- the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a VTY and open the dialogue, or refuse."""
        self._transport = cast(asyncio.Transport, transport)
        self.peer = str((transport.get_extra_info("peername") or ("",))[0])
        if not self.switch.admit(self):
            self.cut()
            return
        self._send(GREETING)
        login.greet(self)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Carry out what has come."""
        self.switch.counters.bytes_in += len(data)
        self._input += self._telnet.feed(data)
        self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the VTY back. VLANs still under edit are dropped."""
        if self._timer is not None:
            self._timer.cancel()
        self._transport = None
        self.switch.forget(self)
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        """The client does not read: carry out nothing more for now."""
        self._held = True

    def resume_writing(self) -> None:
        """Go on."""
        self._held = False
        self._pump()

    def hang_up(self) -> None:
        """Close once everything is written, as ``exit`` does."""
        self._leaving = True

    def cut(self) -> None:
        """Reset the connection at once, as a power cut or a full switch does."""
        if self._transport is None:
            return
        sock: socket.socket | None = self._transport.get_extra_info("socket")
        if sock is not None:  # without lingering, so that a reset goes out and not an orderly end
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._output.clear()
        self._leaving = True
        self._transport.abort()

    # --- for commands

    def ask(
        self,
        question: str,
        answered: Answer,
        *,
        mode: str = "question",
        echo: bool = True,
        key: bool = False,
    ) -> None:
        """Ask a question; ``answered`` gets the line, or with ``key`` a single key."""
        self._question = _Question(answered, mode, key)
        self.editor.begin(question, echo=echo)

    def print(self, lines: Iterable[str]) -> None:
        """Write lines, unpaged."""
        for line in lines:
            self._write(f"{line}\n")

    def select(self, mode: Mode, ports: tuple[str, ...]) -> None:
        """Enter interface configuration of ``ports``."""
        self.mode, self.selection = mode, ports

    def edit_vlans(self, vlans: Iterable[int]) -> None:
        """Enter config-vlan mode."""
        self.mode, self.vlans = Mode.VLAN, dict.fromkeys(vlans)

    def leave_submode(self) -> list[str]:
        """Return to global configuration. Only now do VLANs under edit come into being.

        (Catalyst 2960 software configuration guide, "Configuring VLANs": the changes are applied
        when config-vlan mode is left.)
        """
        printed = self.switch.add_vlans(self.vlans) if self.mode is Mode.VLAN else []
        self.mode, self.selection, self.vlans = Mode.CONFIG, (), {}
        return printed

    def end_configuration(self) -> list[str]:
        """Return to the ``#`` prompt from any configuration mode."""
        printed = self.leave_submode() if self.mode in SUBMODES else []
        self.mode = Mode.PRIVILEGED
        user = f" by {self.user}" if self.user else ""
        self.switch.log(
            f"%SYS-5-CONFIG_I: Configured from console{user} on vty{self.line} ({self.peer})"
        )
        return printed

    def log(self, text: str) -> None:
        """Write a message of the system; in the middle of a line it waits for the prompt.

        IOS does not write the prompt again after it, unless "logging synchronous" is set.
        """
        if self._busy:
            self._logs.append(text)
        else:
            self._write(f"\n{text}\n")
            self._flush()

    # --- reading

    def _pump(self) -> None:
        """Carry out whatever can be carried out now, then write the answers."""
        if self._busy:
            return
        while (
            self._input
            and not (self._held or self._stalled or self._leaving or self._timer)
            and self._step()
        ):
            if self._unwritten > MAX_UNWRITTEN:
                self._flush()  # and learn whether the client reads
        self._flush()
        if self._transport is not None and not self._transport.is_closing():
            if len(self._input) > MAX_AHEAD:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _step(self) -> bool:
        """Read one line or key and act on it; False when the input holds no whole one."""
        question = self._question
        if self._rest or (question and question.key):
            key = self.editor.read_key(self._input)
            if key is None:
                return False
            if self._rest:
                self._turn_page(key)
            else:
                self._write("\n")
                self._arrived(key)
            return True
        match self.editor.read(self._input):
            case None:
                return False
            case Key.ENTER:
                self._arrived(self.editor.text)
            case Key.HELP:
                text = self.editor.text
                self.print(commands.help_lines(self, text))
                self._prompt(text)
            case Key.INTERRUPT:
                self._interrupted()
            case Key.END if self.mode.configures and not question:
                # What was typed before Ctrl-Z is still carried out.
                self._arrived(self.editor.text or "end", ends=True)
            case Key.END:
                self._arrived(self.editor.text)
        return True

    def _interrupted(self) -> None:
        """Ctrl-C: drop the line or the question; it also leaves configuration."""
        record = self._record("^C")
        if self.mode.configures:
            self.print(self.end_configuration())
        if self._question and self._question.mode in ("username", "password"):
            self.hang_up()
            return
        self._question = None
        self._settle(record)
        self._prompt()

    def _record(self, text: str) -> LineRecord:
        question = self._question
        hidden = question is not None and question.mode in ("password", "enable")
        mode = question.mode if question else self.mode.value
        shown = MASK if hidden else text.strip("\r\n")
        return self.switch.record(LineRecord(self.number, mode, shown))

    def _arrived(self, text: str, *, ends: bool = False) -> None:
        """A line has come: let it meet its fate now, or after the switch's delay."""
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
        if faults.line_delay > 0:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(faults.line_delay, self._delayed, text, record, ends)
        else:
            self._carry_out(text, record, ends)

    def _delayed(self, text: str, record: LineRecord, ends: bool) -> None:
        self._timer = None
        self._carry_out(text, record, ends)
        self._pump()

    def _carry_out(self, text: str, record: LineRecord, ends: bool) -> None:
        switch = self.switch
        question, self._question = self._question, None
        cut = question is None and switch.strikes(switch.faults.cut_at, record)
        refusal = switch.refusal(record) if question is None else None
        self._busy = True
        try:
            if question is not None:
                printed = list(question.answered(text) or ())
            elif refusal is not None:
                printed = refusal.splitlines()
            else:
                printed = commands.run(self, text, prompt(self.mode, switch.running.hostname))
            if ends and self.mode.configures:
                printed += self.end_configuration()
            self._settle(record)
        finally:
            self._busy = False
        if cut:
            switch.faults.cut_at = None
            self.cut()
        if self._transport is None or self._transport.is_closing():
            return
        if self._question is not None:  # it has written its own prompt, after these lines
            asked = self._output.pop()
            self.print(printed)
            self._output.append(asked)
        else:
            self._page(printed)

    def _settle(self, record: LineRecord) -> None:
        changed = self.switch.settle()
        if changed and self.switch.keeps_history:
            self.switch.history.append(HistoryEntry(record, changed))

    # --- writing

    def _page(self, lines: list[str], page: int | None = None) -> None:
        """Write a page of lines, or ``page`` of them; after the last one, the prompt."""
        if page is None:
            page = max(1, self.length - 1) if self.length else len(lines)
        self.print(lines[:page])
        self._rest = lines[page:]
        if self._rest:
            self._write(MORE)
        elif not self._leaving:
            self._prompt()

    def _turn_page(self, key: str) -> None:
        """Blank: a page more. Return: a line more. Anything else: no more."""
        lines, self._rest = self._rest, []
        self._write(UNMORE)
        if key == " ":
            self._page(lines)
        elif key in "\r\n":
            self._page(lines, 1)
        else:
            self._page([])

    def _prompt(self, text: str = "") -> None:
        self.editor.begin(
            prompt(self.mode, self.switch.running.hostname),
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
            self._send(text.replace("\n", "\r\n").encode("ascii", "replace"))
        if self._leaving and self._transport is not None:
            self._transport.close()

    def _send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
            self.switch.counters.bytes_out += len(data)
