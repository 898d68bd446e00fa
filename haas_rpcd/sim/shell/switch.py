"""`ShellSwitch`: the base class of devices with a shell."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from haas_rpcd.sim.cli.device import C, Device
from haas_rpcd.sim.cli.records import LineRecord
from haas_rpcd.sim.cli.wire import Wire
from haas_rpcd.sim.shell.call import CLIENT, Call
from haas_rpcd.sim.shell.session import ShellSession, ShellSettings
from haas_rpcd.tasks import cancel_and_wait


class ShellSwitch(Device[C]):
    """A switch that is a Linux machine."""

    programs: ClassVar[tuple[str, ...]] = ()
    """The names of the vendor's commands."""

    max_login_attempts: ClassVar[int] = 3
    """The connection is closed after this many wrong logins."""

    columns: ClassVar[int] = 80
    ps1: ClassVar[str] = "{user}@{host}:\\w$ "
    """The prompt, with ``{user}`` and ``{host}`` filled in at login. It avoids bash's own ``\\$``,
    which would show whether the simulation runs as root."""

    @abstractmethod
    async def run(self, call: Call) -> int:
        """Carry out one of `programs`; return its exit status."""

    def make_session(self, wire: Wire) -> ShellSession:
        """Make the session of a new connection."""
        settings = ShellSettings(
            self.home, self.columns, self.max_login_attempts, self._environment
        )
        return ShellSession(self, wire, settings)

    def user_of(self, call: Call) -> str:
        """Return the user who runs a command: ``root`` under sudo."""
        if call.root:
            return "root"
        for session in self.sessions:
            if session.number == call.session and isinstance(session, ShellSession):
                return session.user
        return ""

    async def start(self, host: str = "127.0.0.1", port: int = 0, ssh_port: int = 0) -> int:
        """Install the vendor's commands in a temporary directory, then listen."""
        self.home = Path(tempfile.mkdtemp(prefix="haas-sim-"))
        commands = self.home / "bin"
        commands.mkdir()
        for program in (*self.programs, "reboot", "sudo"):
            client = commands / program
            client.write_text(f"#!{sys.executable} -IS\n{CLIENT}")
            client.chmod(0o755)
        self._calls: set[asyncio.Task[Any]] = set()
        self._hung: list[asyncio.Event] = []
        self._socket = await asyncio.start_unix_server(self._serve, self.home / "socket")
        return await super().start(host, port, ssh_port)

    async def stop(self) -> None:
        """Stop listening, cancel running commands and remove the temporary directory."""
        await super().stop()
        if hasattr(self, "_socket"):
            self._socket.close()
            await cancel_and_wait(*self._calls)
            shutil.rmtree(self.home, ignore_errors=True)

    def _environment(self, user: str, session: int) -> Mapping[str, str]:
        return {
            "PATH": f"{self.home}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "PS1": self.ps1.format(user=user, host=self.running.hostname),
            "HOME": str(self.home),
            "USER": user,
            "LOGNAME": user,
            "TERM": "vt100",
            "LANG": "C.UTF-8",
            "HAAS_SIM_SOCKET": str(self.home / "socket"),
            "HAAS_SIM_SESSION": str(session),
        }

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._calls.add(task)
        try:
            await self._answer(await Call.read(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client was interrupted
        except asyncio.CancelledError:
            pass  # the switch is stopped; asyncio's server would report it as an error
        finally:
            writer.close()
            if task is not None:
                self._calls.discard(task)

    async def _answer(self, call: Call) -> None:
        """Carry out a command, or apply the fault that is set for it."""
        faults = self.faults
        record = self.record(LineRecord(call.session, "shell", call.text))
        if faults.cut_after is not None:
            if faults.cut_after <= 0:
                faults.cut_after = None
                self._cut(call.session)
                return
            faults.cut_after -= 1
        if self.strikes(faults.stall_at, record):
            await asyncio.Event().wait()
        if self.strikes(faults.hang_at, record):
            faults.hang_at = None
            self._hung.append(gate := asyncio.Event())
            await gate.wait()
        await asyncio.sleep(self.seconds_for(record))
        refusal = self.refusal(record)
        if refusal is not None:
            call.error(*refusal.splitlines())
            status = 1 if refusal else 0
        elif call.words[0] == "reboot":
            self.reload()
            return
        else:
            status = await self.run(call)
        self.settle(record)
        if self.strikes(faults.cut_at, record):
            faults.cut_at = None
            self._cut(call.session)
            return
        await call.finish(status)

    def finish_hung(self) -> None:
        """Let the commands that hang go on, even if their sessions are gone."""
        hung, self._hung = self._hung, []
        for gate in hung:
            gate.set()

    def _cut(self, number: int) -> None:
        for session in self.sessions:
            if session.number == number:
                session.cut()
