"""A toy switch with Cisco's command line, for terminals that the simulated Catalyst lacks."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from haas_rpcd.drivers.switch.driver import SwitchDriver
from haas_rpcd.model import PARKED, PortConfig, PortSeen
from haas_rpcd.sim.cli.telnet import GREETING
from tests.unit.catalyst import port

SHOW = "show running-config interface "


class Toy:
    """A minimal switch that answers lines in any way that a test needs."""

    dialect = "cisco_ios"
    prompt = "sw1#"
    greeting: tuple[str, ...] = ("\r\nUsername: ", "Password: ", "\r\n")
    """The questions of the login; the last text is printed before the first prompt."""

    def __init__(self, **ways: Any) -> None:
        self.shows: dict[str, str] = {}
        self.lines: list[str] = []
        self.left = asyncio.Event()
        """Set once the connection is closed."""
        self._input = b""
        self._configuring = False
        self._typed: dict[str, dict[str, str]] = {}
        """The lines typed for each interface, by what they set."""
        self._interface: dict[str, str] = {}
        for name, value in ways.items():
            assert hasattr(self, name), name
            setattr(self, name, value)

    def echo(self, line: str) -> str:
        """Return the echo of a line."""
        return f"{line}\r\n"

    @property
    def prompt_now(self) -> str:
        """The prompt, with the mode in it while the switch is configured."""
        before, hash_, after = self.prompt.rpartition("#")
        return f"{before}(config){hash_}{after}" if self._configuring else self.prompt

    async def answer(self, line: str) -> None:
        """Print the answer to a line: as it was told to, or what was typed for an interface."""
        shown = self.shows.get(line, "")
        if not shown and line.startswith(SHOW):
            name = line.removeprefix(SHOW).replace("Gi1", "GigabitEthernet1")
            rows = [f"interface {name}", *self._typed.get(line.removeprefix(SHOW), {}).values()]
            shown = "\r\n ".join(rows) + "\r\nend\r\n"
        await self.write(shown)

    def configure(self, line: str) -> None:
        """Keep a line that was typed for an interface."""
        if line.startswith("interface "):
            self._interface = self._typed.setdefault(line.removeprefix("interface "), {})
        elif line.startswith("no "):
            self._interface.pop(" ".join(line.split()[1:4]), None)
        else:
            more = " add " in line  # of a list that is shown in several lines
            self._interface[line if more else " ".join(line.split()[:3])] = line

    async def write(self, text: str) -> None:
        """Print a text."""
        self.writer.write(text.encode("latin-1"))
        await self.writer.drain()

    async def read(self, until: str = "\r") -> str:
        """Read a line, or a key if ``until`` is empty; leave out telnet's own commands."""
        while True:
            self._input = re.sub(rb"\xff[\xfb-\xfe].|\xff\xfa.*?\xff\xf0", b"", self._input)
            self._input = self._input.lstrip(b"\n\0")
            at = self._input.find(until.encode()) if until else 0
            if self._input and b"\xff" not in self._input and at >= 0:
                text, self._input = self._input[: at or 1], self._input[at + 1 :]
                return text.decode() if at or not until else ""
            data = await self.reader.read(4096)
            if not data:
                raise ConnectionResetError
            self._input += data

    async def log_in(self) -> None:
        """Ask the questions of the login."""
        *questions, last = self.greeting
        for question in questions:
            await self.write(question)
            await self.read()
            await self.write("\r\n")
        await self.write(last)

    async def __aenter__(self) -> Toy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *why: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self._input = reader, writer, b""
        try:
            writer.write(GREETING)
            await self.log_in()
            await self.write(self.prompt)
            while True:
                line = await self.read()
                self.lines.append(line)
                await self.write(self.echo(line))
                await self.answer(line)
                if self._configuring and line not in ("exit", "end"):
                    self.configure(line)
                self._configuring = line != "end" and (
                    self._configuring or line == "configure terminal"
                )
                await self.write(self.prompt_now)
        except ConnectionError:
            writer.close()
            self.left.set()


RUNNING = "interface GigabitEthernet1/0/1\r\n switchport access vlan 100\r\n"
RUNNING += " switchport mode access\r\n!\r\nend\r\n"
PORTS = [port(PARKED, number) for number in range(1, 5)]


async def reads_port_1(driver: SwitchDriver) -> bool:
    """Return whether the toy's configuration is read correctly."""
    return (await driver.observe(PORTS))[0] == PortSeen(PortConfig(100))


def toy(kind: type[Toy] = Toy, **ways: Any) -> Toy:
    """Make a switch that shows port 1 on VLAN 100."""
    made = kind(**ways)
    made.shows.setdefault("show running-config", RUNNING)
    return made
