"""`ShellSwitch`: a device with a shell; vendors derive from it."""

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
from haas_rpcd.sim.shell.session import ShellSession


class ShellSwitch(Device[C]):
    """A switch that is a Linux machine."""

    programs: ClassVar[tuple[str, ...]] = ()
    """The vendor's commands."""

    tries: ClassVar[int] = 3
    """Wrong logins after which the line is closed."""

    columns: ClassVar[int] = 80
    ps1: ClassVar[str] = "{user}@{host}:\\w$ "
    """The prompt; ``{user}`` and ``{host}`` are filled in when somebody logs in. Bash's own ``\\$``
    goes by who runs the simulation."""

    @abstractmethod
    async def run(self, call: Call) -> int:
        """Carry out one of `programs`; return its exit status."""

    def make_session(self, wire: Wire) -> ShellSession:
        """A session for a new connection."""
        return ShellSession(self, wire)

    def environment(self, session: ShellSession) -> Mapping[str, str]:
        """The environment of a session's shell."""
        return {
            "PATH": f"{self.home}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "PS1": self.ps1.format(user=session.user, host=self.running.hostname),
            "HOME": str(self.home),
            "USER": session.user,
            "LOGNAME": session.user,
            "TERM": "vt100",
            "LANG": "C.UTF-8",
            "HAAS_SIM_SOCKET": str(self.home / "socket"),
            "HAAS_SIM_SESSION": str(session.number),
        }

    async def start(self, host: str = "127.0.0.1", port: int = 0, ssh_port: int = 0) -> int:
        """Lay out the vendor's commands, and listen."""
        self.home = Path(tempfile.mkdtemp(prefix="haas-sim-"))
        commands = self.home / "bin"
        commands.mkdir()
        for program in (*self.programs, "reboot", "sudo"):
            self._lay_out(commands / program, f"#!{sys.executable} -IS\n{CLIENT}")
        self._calls: set[asyncio.Task[Any]] = set()
        self._socket = await asyncio.start_unix_server(self._serve, self.home / "socket")
        return await super().start(host, port, ssh_port)

    async def stop(self) -> None:
        """Stop, and leave nothing behind."""
        await super().stop()
        if hasattr(self, "_socket"):
            self._socket.close()
            for call in list(self._calls):
                call.cancel()
            await asyncio.gather(*self._calls, return_exceptions=True)
            shutil.rmtree(self.home, ignore_errors=True)

    @staticmethod
    def _lay_out(path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._calls.add(task)
        try:
            call = await Call.read(reader, writer)
            await self._meet(call)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # it was interrupted
        finally:
            writer.close()
            if task is not None:
                self._calls.discard(task)

    async def _meet(self, call: Call) -> None:
        """Let a command meet its fate."""
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
        await asyncio.sleep(self.seconds_for(record))
        refusal = self.refusal(record)
        if refusal is not None:
            call.error(*refusal.splitlines())
            status = 1
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

    def _cut(self, number: int) -> None:
        for session in self.sessions:
            if session.number == number:
                session.cut()
