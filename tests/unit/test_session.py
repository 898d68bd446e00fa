"""A session on a switch, by real telnet with the simulated Catalyst: logins, answers, errors."""

from __future__ import annotations

import asyncio
import logging
import re
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.driver import SwitchDriver
from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import (
    PARKED,
    PortConfig,
    PortSeen,
    PresenceSeen,
    SaveConfig,
    SetPort,
    SetVlan,
    SwitchChange,
)
from haas_rpcd.sim.cli.telnet import GREETING
from haas_rpcd.sim.ios import NVRAM_BUSY, IosSwitch, gigabit

FULL = Credential(username="haas", password="s3cret", enable="en4ble")
GI1 = "GigabitEthernet1/0/1"
SETTINGS: dict[str, Any] = {
    "connect_timeout": 5.0,
    "login_timeout": 5.0,
    "answer_timeout": 10.0,
    "busy_timeout": 0.0,
}


def catalyst(hostname: str = "sw1", **options: Any) -> IosSwitch:
    defaults: dict[str, Any] = {
        "ports": gigabit(4),
        "username": "haas",
        "password": "s3cret",
        "enable": "en4ble",
        "history": True,
    }
    return IosSwitch(hostname, **(defaults | options))


@asynccontextmanager
async def driving(
    switch: IosSwitch | Toy, credential: Credential = FULL, **settings: float
) -> AsyncIterator[SwitchDriver]:
    """Start a switch, and open a session on it."""
    timeout = SwitchSettings(**(SETTINGS | settings)).connect_timeout
    async with switch:
        driver = SwitchDriver(
            "sw1",
            DIALECTS["cisco_ios"],
            connect=lambda: TelnetTransport.connect("sw1", "127.0.0.1", switch.port, timeout),
            options={},
            credential=lambda: credential,
            settings=SwitchSettings(**(SETTINGS | settings)),
        )
        try:
            await driver.open(silent)
            yield driver
        finally:
            await driver.close()


def silent(line: str) -> None:
    """Take no notice."""


class Listener:
    """Hears which lines are sent, and stops nothing."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def line_sent(self, change: int, line: str) -> None:
        self.lines.append(line)

    def cancelled(self) -> bool:
        return False


async def send(driver: SwitchDriver, *changes: SwitchChange) -> list[str]:
    """Send changes that must all be accepted; give the lines. Raises the first error."""
    progress = Listener()
    for outcome in await driver.send(changes, progress):
        if outcome.error is not None:
            raise outcome.error
        assert outcome.state == "sent"
    return progress.lines


def port(config: PortConfig, number: int = 1) -> SetPort:
    return SetPort(f"Gi1/0/{number}", config)


def commands(switch: IosSwitch) -> list[str]:
    """The lines that were sent after the login."""
    texts = [record.text for record in switch.lines]
    return texts[texts.index("terminal width 511") + 1 :]


# --- logging in -----------------------------------------------------------------------------------

LOGINS: dict[str, tuple[dict[str, Any], Credential]] = {
    "username, password, enable": ({}, FULL),
    "privilege 15": ({"enable": None}, Credential(username="haas", password="s3cret")),
    "privilege 15 although there is an enable secret": (
        {"privilege": 15}, Credential(username="haas", password="s3cret")),
    "password only": ({"username": None, "enable": None}, Credential(password="s3cret")),
    "password only, enable": ({"username": None}, Credential(password="s3cret", enable="en4ble")),
    "an empty enable secret": ({"enable": "", "privilege": 1}, FULL),
    "a message of the day": ({"motd": "Welcome to sw1#\nPassword policy: be good\nno > # prompt"},
                             FULL),
}  # fmt: skip


@pytest.mark.parametrize("case", LOGINS)
async def test_all_ways_to_log_in_end_in_privileged_mode(case: str) -> None:
    options, credential = LOGINS[case]
    async with driving(catalyst(**options), credential) as driver:
        seen = await driver.probe()
        assert seen.prompt == "sw1#"
        assert seen.said[0].startswith("Cisco IOS Software, C2960S Software")


@pytest.mark.parametrize(
    "hostname", ["sw1.dc-2.example.org", "a-very-long-host-name-that-IOS-shortens-in-prompts", "S"]
)
async def test_prompts_of_all_kinds_of_host_names(hostname: str) -> None:
    async with driving(catalyst(hostname)) as driver:
        await send(driver, SetVlan(100, True))
        await send(driver, port(PortConfig(100)))
        assert await driver.observe([port(PARKED)]) == [PortSeen(PortConfig(100))]


WRONG: dict[str, tuple[dict[str, Any], Credential, str, str]] = {
    "password": ({}, Credential(username="haas", password="no", enable="en4ble"), "login",
                 "sw1 refused the login of haas (% Login invalid)"),
    "username": ({}, Credential(username="x", password="s3cret"), "login",
                 "check its entry in the credentials file"),
    "line password": ({"username": None}, Credential(password="no"), "login",
                      "sw1 refused the login"),
    "enable": ({}, Credential(username="haas", password="s3cret", enable="no"), "enable",
               "sw1 refused privileged mode"),
    "no enable": ({}, Credential(username="haas", password="s3cret"), "enable",
                  "add  enable = …  to its entry"),
    "no enable secret on the switch": ({"enable": None, "privilege": 1}, FULL, "enable",
                                       "No password set"),
    "no way to log in": ({"username": None, "password": None}, FULL, "cut",
                         "Password required, but none set"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
async def test_a_login_that_fails_says_what_to_do(case: str) -> None:
    options, credential, reason, words = WRONG[case]
    with pytest.raises(DeviceError) as caught:
        async with driving(catalyst(**options), credential):
            pass
    assert caught.value.reason == reason
    assert words in caught.value.message
    for secret in (credential.password, credential.enable):
        assert not secret or f" {secret}" not in caught.value.message


async def test_one_wrong_login_is_one_failed_login() -> None:
    """Three would lock an account out on many a site."""
    switch = catalyst()
    wrong = Credential(username="haas", password="no")
    with pytest.raises(DeviceError):
        async with driving(switch, wrong):
            pass
    assert switch.counters.failed_logins == 1


async def test_a_switch_with_no_session_free() -> None:
    with pytest.raises(DeviceError) as caught:
        async with driving(catalyst(vtys=0)):
            pass
    assert caught.value.reason == "busy"
    assert "sw1" in caught.value.message


# --- answers --------------------------------------------------------------------------------------


async def test_a_switch_that_pages_all_the_same() -> None:
    """It takes no notice of ``terminal length 0``: pages are turned, and read without a seam."""
    switch = catalyst(ports=gigabit(60))
    switch.faults.refuse = {"^terminal length": ""}
    async with driving(switch) as driver:
        for number in (1, 30, 60):
            await send(driver, SetVlan(99 + number, True))
            await send(driver, port(PortConfig(99 + number), number))
        ports = [port(PARKED, number) for number in range(1, 61)]
        seen = await driver.observe(ports)
        assert [i for i, one in enumerate(seen, 1) if one == PortSeen(PortConfig(99 + i))] == [
            1, 30, 60,
        ]  # fmt: skip
        assert switch.sessions[0].length == 24


MESSAGE = (
    "*Mar  1 00:01:02.345: %LINK-3-UPDOWN: Interface GigabitEthernet1/0/4, changed state to up"
)


async def test_log_messages_in_the_middle_of_everything() -> None:
    """They come while a line is carried out, and are neither errors nor ends of answers."""
    switch = catalyst()
    switch.on_change = lambda changed, ports: changed.announce(MESSAGE)
    async with driving(switch) as driver:
        await send(driver, SetVlan(100, True))
        for config in (PortConfig(100), PARKED, PortConfig(100), PortConfig(None, (100,))):
            switch.announce(MESSAGE)
            await send(driver, port(config))
            switch.announce(MESSAGE)
            assert await driver.observe([port(config)]) == [PortSeen(config)]
        switch.announce(MESSAGE)
        await send(driver, SaveConfig())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(True)]


async def test_an_error_is_of_its_line_and_nothing_follows_it() -> None:
    switch = catalyst()
    switch.faults.refuse = {"^switchport mode access$": "Command rejected: Gi1/0/1 is no port."}
    async with driving(switch) as driver:
        progress = Listener()
        [outcome] = await driver.send([port(PortConfig(100))], progress)
        assert outcome.state == "refused"
        error = outcome.error
        assert error is not None
        assert error.reason == "refused"
        assert error.data["line"] == "switchport mode access"
        assert error.message == (
            'sw1 refused "switchport mode access": Command rejected: Gi1/0/1 is no port.'
        )
        assert progress.lines[-1] == "switchport mode access"
        assert commands(switch) == [*progress.lines, "end"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (SetPort("Gi1/0/9", PARKED), "interface Gi1/0/9"),
        (SetPort("Te1/1/1", PARKED), "interface Te1/1/1"),
        (SetVlan(1002, False), "no vlan 1002"),
    ],
)
async def test_what_ios_itself_refuses(change: SetPort | SetVlan, line: str) -> None:
    switch = catalyst()
    async with driving(switch) as driver:
        with pytest.raises(DeviceError, match=f'sw1 refused "{line}": '):
            await send(driver, change)
        assert line in commands(switch)
        assert commands(switch)[-1] == "end"
        assert switch.history == []  # what was sent ahead of the refusal fell on nothing
        await send(driver, SetVlan(100, True))  # the session is as good as before
    assert 100 in switch.running.vlans


async def test_a_port_that_the_switch_does_not_show() -> None:
    async with driving(catalyst()) as driver:
        many = [port(PARKED, number) for number in range(1, 6)]
        *there, missing = await driver.observe(many)
        assert all(isinstance(one, PortSeen) for one in there)
        assert len(there) == 4
        assert isinstance(missing, DeviceError)
        assert "sw1 does not show a port Gi1/0/5: check its name" in missing.message


async def test_silence_ends_in_a_sentence() -> None:
    switch = catalyst()
    switch.faults.stall_at = "^switchport mode access$"
    async with driving(switch, answer_timeout=0.2) as driver:
        with pytest.raises(DeviceError) as caught:
            await send(driver, port(PortConfig(100)))
    assert caught.value.reason == "timeout"
    assert "sw1 did not answer (switchport mode access) within 0.2 s" in caught.value.message
    assert "look at the switch, then apply again" in caught.value.message


async def test_silence_at_the_login() -> None:
    switch = catalyst()
    switch.faults.stall_at = "^haas$"
    with pytest.raises(DeviceError, match=r"did not answer \(login\) within 0.2 s"):
        async with driving(switch, login_timeout=0.2):
            pass


async def test_a_connection_that_is_cut() -> None:
    switch = catalyst()
    switch.faults.cut_at = "^interface"
    async with driving(switch) as driver:
        with pytest.raises(DeviceError) as caught:
            await send(driver, port(PortConfig(100)))
    assert caught.value.reason == "cut"
    assert "sw1 closed the connection (interface Gi1/0/1)" in caught.value.message


async def test_a_save_is_confirmed_by_the_switch_s_word_only() -> None:
    switch = catalyst()
    async with driving(switch) as driver:
        await send(driver, SaveConfig())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(True)]
        switch.faults.save_error = NVRAM_BUSY
        with pytest.raises(DeviceError, match=r"did not say that it saved .*resource busy"):
            await send(driver, SaveConfig())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(False)]


async def test_a_hundred_ports_are_read_back_in_one_line() -> None:
    switch = catalyst(ports=gigabit(120))
    async with driving(switch) as driver:
        for vlan in (100, 101):
            await send(driver, SetVlan(vlan, True))
        wanted = {
            number: PortConfig(100 if number % 2 else None, (101,) if number % 3 else ())
            for number in range(1, 121)
        }
        changes = [port(config, number) for number, config in wanted.items()]
        for change in changes:
            await send(driver, change)
        before = switch.counters.lines
        seen = await driver.observe(changes)
        assert seen == [PortSeen(config) for config in wanted.values()]
        assert [record.text for record in switch.lines[before:]] == ["end", "show running-config"]


async def test_passwords_are_in_no_log_and_no_exception(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for options, credential in LOGINS.values():
        async with driving(catalyst(**options), credential) as driver:
            await send(driver, SetVlan(100, True))
    for options, credential, _, _ in WRONG.values():
        with pytest.raises(DeviceError) as caught:
            async with driving(catalyst(**options), credential):
                pass
        assert "s3cret" not in repr(caught.value)
    assert "s3cret" not in caplog.text
    assert "en4ble" not in caplog.text
    assert "s3cret" not in repr(FULL)


# --- what real switches do ------------------------------------------------------------------------


class Toy:
    """Just enough of a switch: it answers lines, in whatever way a test wants them answered."""

    prompt = "sw1#"
    greeting: tuple[str, ...] = ("\r\nUsername: ", "Password: ", "\r\n")
    """What it asks before the first prompt; what stands last is printed before that."""

    def __init__(self, **ways: Any) -> None:
        self.shows: dict[str, str] = {}
        self.lines: list[str] = []
        self._input = b""
        for name, value in ways.items():
            assert hasattr(self, name), name
            setattr(self, name, value)

    def echo(self, line: str) -> str:
        """What is written back of a line."""
        return f"{line}\r\n"

    async def answer(self, line: str) -> None:
        """Print what a line has to say."""
        await self.write(self.shows.get(line, ""))

    async def write(self, text: str) -> None:
        """Write a text as it comes."""
        self.writer.write(text.encode("latin-1"))
        await self.writer.drain()

    async def read(self, until: str = "\r") -> str:
        """Read a line, or with ``until=""`` a key; telnet's own commands are left out."""
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
        """Ask what there is to ask."""
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
                await self.write(self.prompt)
        except ConnectionError:
            writer.close()


RUNNING = "interface GigabitEthernet1/0/1\r\n switchport access vlan 100\r\n"
RUNNING += " switchport mode access\r\n!\r\nend\r\n"
PORTS = [port(PARKED, number) for number in range(1, 5)]


async def reads_port_1(driver: SwitchDriver) -> bool:
    """Whether its configuration is read without a seam."""
    return (await driver.observe(PORTS))[0] == PortSeen(PortConfig(100))


def toy(kind: type[Toy] = Toy, **ways: Any) -> Toy:
    """A switch that shows port 1 on VLAN 100."""
    made = kind(**ways)
    made.shows.setdefault("show running-config", RUNNING)
    return made


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silences are over soon."""
    monkeypatch.setattr("haas_rpcd.drivers.switch.channel.PROMPT_FALLBACK", 0.05)


@pytest.mark.usefixtures("soon")
async def test_a_switch_that_is_renamed_meanwhile() -> None:
    """Between two lines, and while lines are under way."""
    switch = catalyst()
    names = iter(["core-1", "Edge_2.lab", "x", "another-very-long-host-name", "sw1"])
    async with driving(switch) as driver:
        switch.running.hostname = next(names)
        await send(driver, SetVlan(100, True))
        switch.on_change = lambda changed, ports: setattr(
            changed.running, "hostname", next(names, "sw1")
        )
        for config in (PortConfig(100), PARKED, PortConfig(100)):
            await send(driver, port(config))
            assert await driver.observe([port(config)]) == [PortSeen(config)]


@pytest.mark.parametrize(
    "prompt",
    ["SW_1~a/b.c#", "sw1:1#", "sw1.dc-2$x# ", "a@b#", "SW-1!*#", "{sw1}#", "\rsw1#", "\x00sw1#",
     "\x07sw1# "],
)  # fmt: skip
async def test_prompts_with_odd_characters(prompt: str) -> None:
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
async def test_terminals_that_are_painted_on(prompt: str) -> None:
    """Colours, cursors and titles, whole and a byte at a time."""

    class Dripping(Toy):
        async def write(self, text: str) -> None:
            for char in text:
                await super().write(char)
                await asyncio.sleep(0)

    for kind in (Toy, Dripping):
        async with driving(toy(kind=kind, prompt=prompt)) as driver:
            assert await reads_port_1(driver)
            await send(driver, port(PortConfig(100)))


async def test_lines_that_scroll_in_a_narrow_terminal() -> None:
    """It takes no notice of ``terminal width``: a long line is shifted while it is echoed."""
    switch = catalyst()
    switch.faults.refuse = {"^terminal width": ""}
    wanted = PortConfig(None, tuple(range(100, 300, 2)))
    async with driving(switch) as driver:
        for vlan in wanted.tagged:
            switch.running.add_vlan(vlan)
        assert max(map(len, await send(driver, port(wanted)))) > 160
        assert await driver.observe([port(wanted)]) == [PortSeen(wanted)]


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
async def test_long_lines_that_are_echoed_over_several_rows(way: str) -> None:
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
async def test_pagers_of_all_kinds_that_can_t_be_turned_off(more: str, erased: str) -> None:
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


@pytest.mark.usefixtures("soon")
async def test_answers_that_take_longer_than_a_silence() -> None:
    switch = catalyst()
    switch.faults.slow = {"^(show|interface|no shutdown|write)": 0.12}
    async with driving(switch) as driver:
        await send(driver, SetVlan(100, True))
        await send(driver, port(PortConfig(100)))
        await send(driver, SaveConfig())
        assert await driver.observe([port(PARKED)]) == [PortSeen(PortConfig(100))]


async def test_a_session_that_was_idle_for_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The switch closed it: it is asked before it is used, and not used."""
    monkeypatch.setattr("haas_rpcd.drivers.switch.driver.CHECK_AFTER_IDLE", 0.0)
    switch = catalyst()
    async with driving(switch) as driver:
        assert await driver.usable()
        await send(driver, SetVlan(100, True))
        assert await driver.usable()
        [session] = switch.sessions
        switch.faults.idle_timeout = 0.01
        assert await driver.usable()
        await session.closed
        assert not await driver.usable()


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    "rows",
    [
        ("sw1#", "\r\nsw1>\r\nno entry#\r\n"),
        ("core-9> ", "\r\n% Authorized users only\r\n"),
        ("-----#", "\r\nLast login: ", "Sun Nov 22 12:00:00 2026 from 10.0.0.1\r\n"),
    ],
)
async def test_banners_that_look_like_prompts(rows: tuple[str, ...]) -> None:
    """The switch stops to think in the middle of them, and only then asks who it is."""

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


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("said", ["\r\nThe fan is back.\r\n", f"\r\n{MESSAGE}\r\n", "\r\nsw1#"])
async def test_a_first_prompt_behind_which_something_else_is_said(said: str) -> None:
    """No question was asked, and there is no other prompt to wait for."""

    class Interrupted(Toy):
        async def log_in(self) -> None:
            await self.write("\r\nsw1#")
            await asyncio.sleep(0.02)  # something happens to the switch just then
            await self.write(said)
            self.prompt = ""

        async def answer(self, line: str) -> None:
            self.prompt = "sw1#"
            await super().answer(line)

    async with driving(toy(kind=Interrupted)) as driver:
        assert await reads_port_1(driver)


@pytest.mark.parametrize("at", [1, 9, 20])
async def test_a_log_message_in_the_middle_of_an_echo(at: int) -> None:
    """Without ``logging synchronous`` IOS goes on with the echo behind the message."""

    class Chatty(Toy):
        def echo(self, line: str) -> str:
            return f"{line[:at]}\r\n{MESSAGE}\r\n{line[at:]}\r\n"

    async with driving(toy(kind=Chatty)) as driver:
        await send(driver, port(PortConfig(100)))
        assert await reads_port_1(driver)


@pytest.mark.usefixtures("soon")
async def test_a_switch_that_does_not_echo() -> None:
    class Silent(Toy):
        def echo(self, line: str) -> str:
            return "\r\n"

    async with driving(toy(kind=Silent)) as driver:
        await send(driver, port(PortConfig(100)))
        assert await reads_port_1(driver)


@pytest.mark.usefixtures("soon")
async def test_a_switch_that_echoes_what_is_sent_ahead_as_it_comes() -> None:
    """As a terminal does that is not read yet: echoes first, then answers and prompts."""

    class Terminal(Toy):
        async def log_in(self) -> None:
            await super().log_in()
            reader, self.reader = self.reader, self  # what is read from now on is echoed at once
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


async def test_a_very_long_answer() -> None:
    """It comes in a thousand pieces; what was looked through is not looked through again."""

    class Long(Toy):
        async def answer(self, line: str) -> None:
            if line != "show running-config":
                return
            for number in range(1, 2001):
                await self.write(f"interface Vlan{number}\r\n description {'x' * 60}\r\n")
            await self.write(self.shows[line])

    async with driving(toy(kind=Long)) as driver:
        assert await reads_port_1(driver)
