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
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haas_rpcd.sim.cli.device import Device
from haas_rpcd.sim.cli.editor import Editor, Key
from haas_rpcd.sim.cli.records import MASK, LineRecord
from haas_rpcd.sim.cli.wire import Conversation, Wire

CHUNK = 65536
ROWS = 24


@dataclass(frozen=True)
class ShellSettings:
    """How a device starts its users' shells."""

    home: Path
    columns: int
    max_login_attempts: int
    environment: Callable[[str, int], Mapping[str, str]]
    """Returns the environment variables of a shell, given its user and the session's number."""


class ShellSession(Conversation):
    """The session of one client."""

    def __init__(self, device: Device[Any], wire: Wire, settings: ShellSettings) -> None:
        super().__init__()
        self.user = ""
        self._device = device
        self._wire = wire
        self._settings = settings
        self._input = bytearray()
        self._editor = Editor(self._write, width=0, helps=False)
        self._asking = ""  # "username" or "password" until the shell runs
        self._failed_logins = 0
        self._shell: subprocess.Popen[bytes] | None = None
        self._terminal = -1

    def begin(self, user: str | None) -> None:
        """Ask for a login, or start the shell of a user who has logged in already (SSH)."""
        if user is None:
            self._ask_username()
        else:
            self._open(user)

    def feed(self, data: bytes) -> None:
        """Take input: first the answers of the login, then everything for the shell."""
        self._input += data
        while self._shell is None and self._asking and self._input:
            key = self._editor.read(self._input)
            if key is None:
                return
            if key in (Key.INTERRUPT, Key.END):
                self._wire.close()
                return
            self._answered(self._editor.text)
        self._forward_input()

    def hold(self) -> None:
        """Stop reading from the shell while the client does not read."""
        if self._terminal >= 0:
            asyncio.get_running_loop().remove_reader(self._terminal)

    def resume(self) -> None:
        """Read from the shell again."""
        if self._terminal >= 0:
            asyncio.get_running_loop().add_reader(self._terminal, self._forward_output)

    def log(self, text: str) -> None:
        """Write a message into the terminal, as ``wall`` does."""
        self._write(f"\n{text}\n")

    def cut(self) -> None:
        """Reset the connection."""
        self._wire.abort()

    def lost(self) -> None:
        """End the shell: the connection is gone."""
        self._close()
        super().lost()

    # --- the login

    def _ask_username(self) -> None:
        self._ask("username", f"{self._device.running.hostname} login: ")

    def _ask(self, what: str, question: str) -> None:
        self._asking = what
        self._editor.begin(question, echo=what != "password")

    def _answered(self, text: str) -> None:
        hidden = self._asking == "password"
        self._device.record(LineRecord(self.number, self._asking, MASK if hidden else text))
        if not hidden:
            self.user = text
            self._ask("password", "Password: ")
        elif self._device.allows(self.user, text):
            self._open(self.user)
        else:
            self._failed_logins += 1
            self._write("\nLogin incorrect\n")
            if self._failed_logins >= self._settings.max_login_attempts:
                self._asking = ""
                self._wire.close()
            else:
                self._ask_username()

    # --- the shell

    def _open(self, user: str) -> None:
        self.user, self._asking = user, ""
        self._device.counters.logins += 1
        self._write("".join(f"{line}\n" for line in self._device.motd.splitlines()))
        self._terminal, slave = pty.openpty()
        size = struct.pack("HHHH", ROWS, self._settings.columns, 0, 0)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
        self._shell = subprocess.Popen(  # setsid makes this the shell's controlling terminal
            ["setsid", "--ctty", "bash", "--noprofile", "--norc", "-i"],  # noqa: S607
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=self._settings.home,
            env=self._settings.environment(user, self.number),
        )
        os.close(slave)
        os.set_blocking(self._terminal, False)
        asyncio.get_running_loop().add_reader(self._terminal, self._forward_output)

    def _forward_output(self) -> None:
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

    def _forward_input(self) -> None:
        """Write the input to the shell, and wait if the terminal does not take all of it."""
        if self._terminal < 0:
            return
        loop = asyncio.get_running_loop()
        if self._input:
            data = bytes(self._input).replace(b"\r\n", b"\r").replace(b"\r\0", b"\r")
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(self._terminal, data) :]
            self._input[:] = data
        if self._input:
            loop.add_writer(self._terminal, self._forward_input)
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
