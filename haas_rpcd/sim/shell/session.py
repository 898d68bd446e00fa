"""One session on a device with a shell: the login, then bash on a pseudo terminal."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import termios
from typing import TYPE_CHECKING, Any

from haas_rpcd.sim.cli.editor import Editor, Key
from haas_rpcd.sim.cli.records import MASK, LineRecord
from haas_rpcd.sim.cli.wire import Conversation, Wire

if TYPE_CHECKING:
    from haas_rpcd.sim.shell.switch import ShellSwitch

CHUNK = 65536


class ShellSession(Conversation):
    """What one client sees."""

    def __init__(self, switch: ShellSwitch[Any], wire: Wire) -> None:
        super().__init__()
        self.switch = switch
        self.user = ""
        self._wire = wire
        self._typed = bytearray()
        self._editor = Editor(self._write, width=0, helps=False)
        self._asking = ""  # "username" or "password", before the shell is there
        self._tries = 0
        self._shell: subprocess.Popen[bytes] | None = None
        self._terminal = -1

    def begin(self, user: str | None) -> None:
        """Ask who it is, or open the shell."""
        if user is None:
            self._ask("username", f"{self.switch.running.hostname} login: ")
        else:
            self._open(user)

    def feed(self, data: bytes) -> None:
        """Take what was typed: a login's answers, then all of it for the shell."""
        self._typed += data
        while self._shell is None and self._asking and self._typed:
            key = self._editor.read(self._typed)
            if key is None:
                return
            if key in (Key.INTERRUPT, Key.END):
                self._wire.close()
                return
            self._answered(self._editor.text)
        self._type()

    def hold(self) -> None:
        """The client does not read: let the shell wait."""
        if self._terminal >= 0:
            asyncio.get_running_loop().remove_reader(self._terminal)

    def resume(self) -> None:
        """Go on."""
        if self._terminal >= 0:
            asyncio.get_running_loop().add_reader(self._terminal, self._shown)

    def log(self, text: str) -> None:
        """Write over whatever is there, as ``wall`` does."""
        self._write(f"\n{text}\n")

    def cut(self) -> None:
        """Reset the connection."""
        self._wire.abort()

    def lost(self) -> None:
        """Hang the shell up."""
        self._close()
        super().lost()

    # --- the login

    def _ask(self, what: str, question: str) -> None:
        self._asking = what
        self._editor.begin(question, echo=what != "password")

    def _answered(self, text: str) -> None:
        hidden = self._asking == "password"
        self.switch.record(LineRecord(self.number, self._asking, MASK if hidden else text))
        if not hidden:
            self.user = text
            self._ask("password", "Password: ")
        elif self.switch.allows(self.user, text):
            self._open(self.user)
        else:
            self._tries += 1
            self._write("\nLogin incorrect\n")
            if self._tries >= self.switch.tries:
                self._asking = ""
                self._wire.close()
            else:
                self._ask("username", f"{self.switch.running.hostname} login: ")

    # --- the shell

    def _open(self, user: str) -> None:
        self.user, self._asking = user, ""
        self.switch.counters.logins += 1
        self._write("".join(f"{line}\n" for line in self.switch.motd.splitlines()))
        self._terminal, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, self.switch.columns, 0, 0))
        self._shell = subprocess.Popen(  # setsid makes the terminal its controlling one
            ["setsid", "--ctty", "bash", "--noprofile", "--norc", "-i"],  # noqa: S607
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=self.switch.home,
            env=self.switch.environment(self),
        )
        os.close(slave)
        os.set_blocking(self._terminal, False)
        asyncio.get_running_loop().add_reader(self._terminal, self._shown)

    def _shown(self) -> None:
        try:
            data = os.read(self._terminal, CHUNK)
        except BlockingIOError:
            return
        except OSError:  # EIO: the shell has ended
            data = b""
        if data:
            self._wire.write(data)
        else:
            self._close()
            self._wire.close()

    def _type(self) -> None:
        """Pass on what was typed, as far as the terminal takes it."""
        if self._terminal < 0:
            return
        loop = asyncio.get_running_loop()
        if self._typed:
            data = bytes(self._typed).replace(b"\r\n", b"\r").replace(b"\r\0", b"\r")
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(self._terminal, data) :]
            self._typed[:] = data
        if self._typed:
            loop.add_writer(self._terminal, self._type)
        else:
            loop.remove_writer(self._terminal)

    def _close(self) -> None:
        if self._terminal >= 0:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._terminal)
            loop.remove_writer(self._terminal)
            os.close(self._terminal)
            self._terminal = -1
        if self._shell is not None:
            self._shell.kill()
            self._shell.wait()

    def _write(self, text: str) -> None:
        if text:
            self._wire.write(text.replace("\n", "\r\n").encode())
