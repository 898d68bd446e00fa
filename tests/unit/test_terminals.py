"""Sessions on terminals that prompt, echo, page and ask in unusual ways."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PARKED, PortConfig, PresenceSeen, SaveConfig
from tests.unit.catalyst import LOG_MESSAGE, port
from tests.unit.dialects.harness import driving, send
from tests.unit.toy import Toy, reads_port_1, toy


@pytest.mark.parametrize(
    "prompt",
    ["SW_1~a/b.c#", "sw1:1#", "sw1.dc-2$x# ", "a@b#", "SW-1!*#", "{sw1}#", "\rsw1#", "\x00sw1#",
     "\x07sw1# "],
)  # fmt: skip
async def test_a_prompt_may_have_odd_characters(prompt: str) -> None:
    async with driving(toy(prompt=prompt)) as driver:
        assert await reads_port_1(driver)


COLOURED = [
    "\x1b[1;32msw1\x1b[0m#",
    "\x1b[?2004hsw1#\x1b[K",
    "\x1b[24;1H\x1b[?25h\x1b[24;1Hsw1#\x1b[24;6H",
    "\x1b]0;sw1\x07sw1#",
    "\x1b7\x1b[1;24r\x1b8sw1#\x1b[?25h",
    "\x1b=sw1#\x1b[6n",
]


@pytest.mark.parametrize("prompt", COLOURED)
async def test_escape_sequences_are_ignored_even_in_pieces(prompt: str) -> None:
    """Colours, cursor movements and titles, at once and one byte at a time."""

    class Dripping(Toy):
        async def write(self, text: str) -> None:
            for char in text:
                await super().write(char)
                await asyncio.sleep(0)

    for kind in (Toy, Dripping):
        async with driving(toy(kind=kind, prompt=prompt)) as driver:
            assert await reads_port_1(driver)
            await send(driver, port(PortConfig(100)))


WRAPS: dict[str, Callable[[str], str]] = {
    "line feed": lambda line: "\r\n".join(textwrap.wrap(line, 60, drop_whitespace=False)),
    "blank and return": lambda line: " \r".join(textwrap.wrap(line, 60, drop_whitespace=False)),
    "blank and backspace": lambda line: " \x08".join(textwrap.wrap(line, 60)),
    "written over": lambda line: line[:60] + "\x08" * 60 + "$" + line[20:],
    "scrolled to the left": lambda line: line[:60] + "\r\x1b[Ksw1(config-if)#$" + line[40:],
    "two returns": lambda line: line + "\r",
    "a blank more": lambda line: line + " ",
}


@pytest.mark.parametrize("way", WRAPS)
async def test_a_long_line_may_be_echoed_in_several_rows(way: str) -> None:
    class Narrow(Toy):
        def echo(self, line: str) -> str:
            return (WRAPS[way](line) if len(line) > 90 else line) + "\r\n"

    async with driving(toy(kind=Narrow)) as driver:
        lines = await send(driver, port(PortConfig(None, tuple(range(100, 400, 3)))))
        assert max(map(len, lines)) > 160
        assert await reads_port_1(driver)


PAGERS = [
    (" --More-- ", "\x08" * 10 + " " * 10 + "\x08" * 10),
    ("--More--", "\r        \r"),
    ("--More-- or (q)uit", "\r                  \r"),
    ("<--- More --->", "\r              \r"),
    ("---- More ----", "\x1b[16D                \x1b[16D"),
    ("---(more 43%)---", "\r                    \r"),
    ("More: <space>,  Quit: q or CTRL+Z, One line: <return> ", "\r" + " " * 60 + "\r"),
    ("-- MORE --, next page: Space, next line: Enter, quit: Control-C", "\r\x1b[K"),
    ("Press any key to continue (Q to quit)", "\r" + " " * 40 + "\r"),
    ("--More-- (<SPACE> = next page, <CR> = one line, C = continuous, Q = quit)", "\r\x1b[2K"),
    ("\x1b[7m--More--\x1b[m", "\x08 \x08" * 8),
]


@pytest.mark.parametrize(("more", "erased"), PAGERS)
async def test_pages_are_turned_on_every_kind_of_pager(more: str, erased: str) -> None:
    class Paging(Toy):
        async def answer(self, line: str) -> None:
            rows = self.shows.get(line, "").split("\r\n")
            for row in rows[:-1]:
                await self.write(f"{row}\r\n{more}")
                assert await self.read(until="") == " "
                await self.write(erased)

    async with driving(toy(kind=Paging)) as driver:
        assert await reads_port_1(driver)


QUESTIONS = [
    ("Destination filename [startup-config]? ", "\r"),
    ("Overwrite the previous NVRAM configuration?[confirm]", "\r"),
    ("Are you sure you want to save? (y/n) ", "y"),
    ("Overwrite file [startup-config].... (Y/N)[N] ?", "y"),
    ("Save? [Y/N]:", "y"),
    ("Continue with saving? [yes/no]: ", "yes\r"),
]


@pytest.mark.parametrize(("question", "wanted"), QUESTIONS)
async def test_questions_are_answered(question: str, wanted: str) -> None:
    class Asking(Toy):
        async def answer(self, line: str) -> None:
            if line != "write memory":
                return
            await self.write(question)
            for key in wanted:
                assert await self.read(until="") == key
            await self.write("\r\nBuilding configuration...\r\n[OK]\r\n")

    async with driving(toy(kind=Asking)) as driver:
        await send(driver, SaveConfig())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(True)]


@pytest.mark.usefixtures("short_silences")
@pytest.mark.parametrize(
    "rows",
    [
        ("sw1#", "\r\nsw1>\r\nno entry#\r\n"),
        ("core-9> ", "\r\n% Authorized users only\r\n"),
        ("-----#", "\r\nLast login: ", "Sun Nov 22 12:00:00 2026 from 10.0.0.1\r\n"),
    ],
)
async def test_a_banner_that_looks_like_a_prompt_is_no_prompt(rows: tuple[str, ...]) -> None:
    """The switch pauses within its banner, and asks for the user name later."""

    class Wordy(Toy):
        async def print_some(self) -> None:
            for row in rows:
                await self.write(row)
                await asyncio.sleep(0.02)  # a switch that looks up a name

        async def log_in(self) -> None:
            await self.print_some()
            await self.write("\r\nUsername: ")
            assert await self.read() == "haas"
            await self.write("\r\nPassword: ")
            assert await self.read() == "s3cret"
            await self.print_some()

    async with driving(toy(kind=Wordy)) as driver:
        assert await reads_port_1(driver)


@pytest.mark.usefixtures("short_silences")
@pytest.mark.parametrize("said", ["\r\nThe fan is back.\r\n", f"\r\n{LOG_MESSAGE}\r\n", "\r\nsw1#"])
async def test_output_may_follow_the_first_prompt(said: str) -> None:
    """The login asks no question, and no other prompt follows."""

    class Interrupted(Toy):
        async def log_in(self) -> None:
            await self.write("\r\nsw1#")
            await asyncio.sleep(0.02)  # an event happens on the switch at this moment
            await self.write(said)
            self.prompt = ""

        async def answer(self, line: str) -> None:
            self.prompt = "sw1#"
            await super().answer(line)

    async with driving(toy(kind=Interrupted)) as driver:
        assert await reads_port_1(driver)


@pytest.mark.parametrize("at", [1, 9, 20])
async def test_a_log_message_may_interrupt_an_echo(at: int) -> None:
    """Without ``logging synchronous`` IOS continues the echo after the message."""

    class Chatty(Toy):
        def echo(self, line: str) -> str:
            return f"{line[:at]}\r\n{LOG_MESSAGE}\r\n{line[at:]}\r\n"

    async with driving(toy(kind=Chatty)) as driver:
        await send(driver, port(PortConfig(100)))
        assert await reads_port_1(driver)


@pytest.mark.usefixtures("short_silences")
async def test_a_switch_may_not_echo() -> None:
    class Silent(Toy):
        def echo(self, line: str) -> str:
            return "\r\n"

    async with driving(toy(kind=Silent)) as driver:
        await send(driver, port(PortConfig(100)))
        assert await reads_port_1(driver)


@pytest.mark.usefixtures("short_silences")
async def test_a_switch_may_echo_lines_as_they_arrive() -> None:
    """Lines that are sent ahead are then echoed before the answers."""

    class Terminal(Toy):
        async def log_in(self) -> None:
            await super().log_in()
            reader, self.reader = self.reader, self  # echo all input at once from now on
            self.inner = reader

        async def read(self, until: Any = "\r") -> Any:
            if not isinstance(until, int):
                return await super().read(until)
            data = await self.inner.read(until)
            self.writer.write(data)
            return data

        def echo(self, line: str) -> str:
            return ""

    async with driving(toy(kind=Terminal)) as driver:
        for change in (port(PortConfig(100)), port(PARKED), port(PortConfig(None, (100,)))):
            await send(driver, change)
        assert await reads_port_1(driver)


async def test_a_very_long_answer_is_read() -> None:

    class Long(Toy):
        async def answer(self, line: str) -> None:
            if line != "show running-config":
                return
            for number in range(1, 2001):
                await self.write(f"interface Vlan{number}\r\n description {'x' * 60}\r\n")
            await self.write(self.shows[line])

    async with driving(toy(kind=Long)) as driver:
        assert await reads_port_1(driver)


async def test_nothing_is_typed_after_a_failed_login() -> None:
    """The switch asks for a user name again: what is typed then is another failed login."""

    class Refusing(Toy):
        async def log_in(self) -> None:
            await super().log_in()
            await self.write("% Login invalid\r\n\r\nUsername: ")
            while True:
                self.lines.append(await self.read())

    switch = toy(kind=Refusing)
    with pytest.raises(DeviceError, match="sw1 refused the login"):
        async with driving(switch):
            pass
    async with asyncio.timeout(10):
        await switch.left.wait()
    assert switch.lines == []
