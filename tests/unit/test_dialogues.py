"""Logins at switches with words of their own: banners, prompts, menus, expired passwords."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import cast

import pytest

from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch import dialogue as drivers
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.script import Line
from haas_rpcd.drivers.switch.session import Session
from haas_rpcd.errors import DeviceError
from tests.unit.dialogue import CLOSED, Dialogue

HAAS = Credential(username="haas", password="s3cret", enable="en4ble")
Part = str | list[str] | None


def session_with(dialogue: Dialogue, dialect: str = "cisco_ios", timeout: float = 5.0) -> Session:
    spoken = DIALECTS[dialect].dialogue
    return Session("sw1", spoken, dialogue, login_timeout=timeout, answer_timeout=timeout)


async def logged_in(dialect: str, *parts: Part) -> Dialogue:
    """Log in, without the lines that set the terminal up; return what was said."""
    dialogue = Dialogue(*parts)
    session = session_with(dialogue, dialect)
    await session.login(HAAS)
    return dialogue


async def refused(dialect: str, *parts: Part) -> tuple[DeviceError, Dialogue]:
    """Fail to log in."""
    dialogue = Dialogue(*parts)
    with pytest.raises(DeviceError) as caught:
        await session_with(dialogue, dialect).login(HAAS)
    return caught.value, dialogue


SETUP: list[Part] = ["terminal length 0\nsw1#", "terminal width 511\nsw1#"]

IOS_LOGINS: dict[str, list[Part]] = {
    # warnings in banners, as sites write them
    "a banner about invalid logins": [
        "Invalid login attempts are logged.\nLogin failed? Call 4711.\nUsername: ",
        "haas\nPassword: ", "\nsw1#", *SETUP,
    ],
    "a banner about sessions": [
        "Idle connections and too many sessions are cut.\nAll lines in use are monitored\n"
        "Username: ", "haas\nPassword: ", "\nsw1#", *SETUP,
    ],
    "a message of the day about invalid logins": [
        "Username: ", "haas\nPassword: ",
        "\nInvalid login attempts are logged.\nLogin failed 3 times since yesterday\nsw1#", *SETUP,
    ],
    "a message of the day about passwords that expire": [
        "Username: ", "haas\nPassword: ",
        "\nTell the help desk if your password has expired.\nsw1#", *SETUP,
    ],
    # scrapli issue 367: words of a TACACS+ server
    "Username(HAD)": ["Username(HAD): ", "haas\nPassword(HAD): ", "\nsw1#", *SETUP],
    "Enter PASSCODE": ["Username: ", "haas\nEnter PASSCODE: ", "\nsw1#", *SETUP],
    # netmiko issues 1280, 3478, 467 of superputty
    "CPPM_UserName": ["CPPM_UserName: ", "haas\nCPPM_Password: ", "\nsw1#", *SETUP],
    "Login Name": ["Login Name: ", "haas\nPassword: ", "\nsw1#", *SETUP],
    "TACACS Username": ["TACACS Username: ", "haas\nTACACS Password: ", "\nsw1#", *SETUP],
    "questions in pieces": [
        ["User", "name", ": "], ["ha", "as\nPass", "word: "], ["\n", "sw", "1#"], *SETUP,
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", IOS_LOGINS)
async def test_a_login_succeeds(case: str) -> None:
    dialogue = await logged_in("cisco_ios", *IOS_LOGINS[case])
    assert dialogue.sent[:2] == ["haas", "s3cret"]


REFUSALS: dict[str, list[Part]] = {
    "and asks again": ["Username: ", "haas\nPassword: ", "\n% Login invalid\n\nUsername: "],
    "and closes": ["Username: ", "haas\nPassword: ", "\n% Login invalid\n", CLOSED],
    "and falls silent": ["Username: ", "haas\nPassword: ", "\n% Login invalid\n"],
    "after a banner about it": [
        "Invalid login attempts are logged.\nUsername: ", "haas\nPassword: ",
        "\n% Login invalid\n\nUsername: ",
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
async def test_a_refusal_comes_after_the_password(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("haas_rpcd.drivers.switch.login._AFTER_REFUSAL", 0.05)
    error, dialogue = await refused("cisco_ios", *REFUSALS[case])
    assert error.reason == "login"
    assert "sw1 refused the login of haas (% Login invalid)" in error.message
    assert dialogue.sent == ["haas", "s3cret"]


EXPIRED: dict[str, tuple[str, list[Part], str]] = {
    "TACACS+ on IOS": (
        "cisco_ios",
        ["Username: ", "haas\nPassword: ",
         "\nPassword is expired, please change it.\nNew password: "],
        "Password is expired, please change it.",
    ),
    "netmiko issue 1337": (
        "cisco_ios", ["Username: ", "haas\nPassword: ", "\nEnter old password: "],
        "Enter old password:",
    ),
    "netmiko issue 2083": (
        "cisco_ios",
        ["Username: ", "haas\nPassword: ",
         "\nPassword expired. Change your password now.\nCurrent Password: "],
        "Password expired. Change your password now.",
    ),
    "Linux-PAM": (
        "sonic",
        ["sonic login: ", "haas\nPassword: ",
         "\nYou are required to change your password immediately (administrator enforced).\n"
         "Changing password for haas.\nCurrent password: "],
        "You are required to change your password immediately",
    ),
    "and the login is called incorrect": (
        "cisco_ios",
        ["Username: ", "haas\nPassword: ",
         "\nYour password has expired\n% Authentication failed\n\nUsername: "],
        "Your password has expired",
    ),
    "and it closes": (
        "cisco_ios", ["Username: ", "haas\nPassword: ", "\n% Password expired\n", CLOSED],
        "Password expired",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", EXPIRED)
async def test_an_expired_password_is_told_from_a_wrong_one(case: str) -> None:
    dialect, parts, said = EXPIRED[case]
    error, dialogue = await refused(dialect, *parts)
    assert error.reason == "login"
    assert "sw1 wants a new password for haas" in error.message
    assert said in error.message
    assert "change it on the switch, then in the credentials file" in error.message
    assert dialogue.sent == ["haas", "s3cret"]


async def test_a_switch_that_is_full_says_so_and_hangs_up() -> None:
    error, _ = await refused("cisco_ios", "\nAll vtys are in use, try later\n", CLOSED)
    assert error.reason == "busy"
    assert "sw1 has no session free (All vtys are in use, try later)" in error.message


async def test_a_switch_that_asks_for_names_without_end_is_left() -> None:
    error, dialogue = await refused("cisco_ios", *["Username: "] * 50)
    assert error.reason == "login"
    assert len(dialogue.sent) <= 3


async def test_the_menu_of_a_stack_is_left_by_enter() -> None:
    """netmiko issue 306, oxidized issue 509."""
    dialogue = await logged_in(
        "hp_procurve",
        "Username: ",
        "haas\nPassword: ",
        "\n Stack Members\n\n  SN MAC Address   System Name  Device Type  Status\n"
        "  -- ------------- ------------ ------------ --------------\n"
        "  0  000000-000000 sw00         HP 2524      Commander Up\n"
        "  1  000000-000001 sw01         HP 2524      Member Up\n"
        "Enter switch number to connect to or <CR>: ",
        "\nsw00# ",
        "no page\nsw00# ",
    )
    assert dialogue.sent == ["haas", "s3cret", "", "no page"]


@pytest.mark.usefixtures("short_silences")
@pytest.mark.parametrize("host", ["27N2(2960_PoE)", "sw(lab)1", "(old)sw1"])
async def test_a_host_name_may_have_parentheses(host: str) -> None:
    """scrapli issue 291."""
    dialogue = Dialogue(
        "Username: ", "haas\nPassword: ", f"\n{host}#", f"terminal length 0\n{host}#",
        f"terminal width 511\n{host}#", f"configure terminal\n{host}(config)#",
        f"interface Gi1/0/1\n{host}(config-if)#", f"shutdown\n{host}(config-if)#",
        f"end\n{host}#",
    )  # fmt: skip
    session = session_with(dialogue)
    await session.login(HAAS)
    await session.command("configure terminal")
    assert session.configuring
    lines = [Line("interface Gi1/0/1", (0,), 0, True), Line("shutdown", (0,), 0, False)]
    result = await session.run(lines, window=1, on_sent=lambda line: None, cancelled=lambda: False)
    assert (result.answered, result.error) == (2, None)
    await session.command("end")
    assert not session.configuring


async def test_a_clock_in_the_prompt_costs_no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """netmiko issue 720: EOS with ``prompt %H.%D{%T}%P``.

    Without a known prompt a session would wait until the answer's time-out.
    """
    monkeypatch.setattr("haas_rpcd.drivers.switch.channel.PROMPT_FALLBACK", 3600.0)
    dialogue = Dialogue(
        "upp306 login: ", "haas\nPassword: ", "\nupp306.17:16:58>",
        "enable\nupp306.17:16:59#", "terminal length 0\nupp306.17:17:00#",
        "terminal width 511\nupp306.17:17:01#", "show clock\nlater\nupp306.9:59:59#",
        "configure\nupp306.10:00:00(config)#",
    )  # fmt: skip
    session = session_with(dialogue, "arista_eos")
    await session.login(HAAS)
    assert await session.command("show clock") == "later\r\n"
    await session.command("configure")
    assert session.configuring


async def test_the_last_words_are_the_last() -> None:
    error, _ = await refused(
        "cisco_ios",
        "Welcome.\n" + "An officer watches each of your keys.\n" * 100 + "Boot failed: ",
        CLOSED,
    )
    assert error.reason == "cut"
    assert 'Boot failed:": ' in error.message
    assert "Welcome" not in error.message
    assert len(error.message) < 600


# --- switches that print without end --------------------------------------------------------------

NOISE: dict[str, str] = {
    "lines": "a line of noise, as a boot prints it\n",
    "one line": "noise ",
    "empty lines": "\n",
    "returns": "\r",
    "blanks": " ",
    "backspaces": "\b",
    "prompts": "sw1#",
    "lines of prompts": "sw1#\n",
    "words of a login": "username login password press any key all lines too many ",
    "starts of the line": "show version show\n",
    "letters of the line": "s\n",
    "escapes": "\x1b]0;sw1\x07\x1b[K",
    "log messages": "*Mar  1 00:01:02.345: %LINK-3-UPDOWN: Interface Gi1/0/4, changed state\n",
}


def much(noise: str, length: int = 2**20) -> list[str]:
    """Return a megabyte of noise, in the pieces in which it is read."""
    text = noise * (length // len(noise))
    return [text[at : at + 65536] for at in range(0, len(text), 65536)]


class Counted:
    """A pattern that counts the characters that it may have to look at."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern
        self.pattern, self.flags = pattern.pattern, pattern.flags
        self.characters = 0

    def search(self, text: str, start: int = 0) -> re.Match[str] | None:
        self.characters += len(text) - start
        return self._pattern.search(text, start)

    def finditer(self, text: str, start: int = 0) -> Iterator[re.Match[str]]:
        self.characters += len(text) - start
        return self._pattern.finditer(text, start)


@dataclass(frozen=True, kw_only=True)
class CountedDialogue(drivers.Dialogue):
    """A dialogue that counts how much of the output is searched."""

    counted: list[Counted] = field(default_factory=list)

    def own_prompt(self, prompt: str) -> re.Pattern[str]:
        return counting(super().own_prompt(prompt), self.counted)

    def searched(self) -> int:
        total = sum(pattern.characters for pattern in self.counted)
        for pattern in self.counted:
            pattern.characters = 0
        return total


def counting(pattern: re.Pattern[str], counted: list[Counted]) -> re.Pattern[str]:
    counted.append(Counted(pattern))
    return cast(re.Pattern[str], counted[-1])


def counted_ios() -> CountedDialogue:
    """Return the dialogue of Cisco IOS, counting."""
    ios = DIALECTS["cisco_ios"].dialogue
    parts = {part.name: getattr(ios, part.name) for part in fields(ios)}
    counted: list[Counted] = []
    for name in ("username", "password", "login_failed", "no_free_session", "press_key"):
        parts[name] = counting(parts[name], counted)
    return CountedDialogue(**parts, counted=counted)


@pytest.mark.parametrize("noise", NOISE)
async def test_noise_is_searched_once(noise: str) -> None:
    """Before the login, before an echo, and between the answers to lines that were sent ahead."""
    size = 2**18
    ios = counted_ios()
    dialogue = Dialogue(
        [*much(NOISE[noise], size), "\nUsername: "], "haas\nPassword: ", "\nsw1#", *SETUP,
        ["show version\n", *much(NOISE[noise], size), "\nsw1#"],
        ["interface Gi1/0/1\n", *much(NOISE[noise], size), "\nsw1#shutdown\n"], "\nsw1#",
    )  # fmt: skip
    session = Session("sw1", ios, dialogue, login_timeout=60.0, answer_timeout=60.0)
    await session.login(HAAS)
    assert ios.searched() < 6 * size  # by five patterns
    await session.command("show version")
    assert ios.searched() < 3 * size
    lines = [Line("interface Gi1/0/1", (0,), 0, False), Line("shutdown", (0,), 0, False)]
    result = await session.run(lines, window=2, on_sent=lambda line: None, cancelled=lambda: False)
    assert (result.answered, result.error) == (2, None)
    assert ios.searched() < 3 * size


async def test_a_switch_that_prints_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("haas_rpcd.drivers.switch.channel.MAX_OUTPUT", 2**20)
    error, _ = await refused("cisco_ios", much(NOISE["lines"], 2**22))
    assert error.reason == "timeout"
    assert "sw1 printed more than 1 MB without an end (login), its last words" in error.message
    dialogue = Dialogue(
        "Username: ", "haas\nPassword: ", "\nsw1#", *SETUP, much(NOISE["lines"], 2**22)
    )
    session = session_with(dialogue)
    await session.login(HAAS)
    with pytest.raises(DeviceError, match=r"more than 1 MB without an end \(show version\)"):
        await session.command("show version")
    assert session.ended


async def test_others_get_a_turn_while_a_switch_prints() -> None:
    """Although there is always more to read."""
    dialogue = Dialogue([*much(NOISE["lines"]), "\nUsername: "], "Password: ", "\nsw1#", *SETUP)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += not dialogue.sent

    beside = asyncio.create_task(other())
    await session_with(dialogue).login(HAAS)
    beside.cancel()
    assert turns >= 10


async def test_others_get_a_turn_while_a_long_answer_is_taken_apart() -> None:
    loop = asyncio.get_running_loop()

    def judging(ios: drivers.Dialogue, answer: str, prompt: re.Match[str]) -> str | None:
        turn = threading.Event()
        loop.call_soon_threadsafe(turn.set)
        if len(answer) > 2**17 and not turn.wait(10.0):
            return "% nobody else had a turn"
        return None

    dialogue = Dialogue(
        "Username: ", "haas\nPassword: ", "\nsw1#", *SETUP,
        ["show version\n", *much(NOISE["lines"], 2**18), "\nsw1#"],
    )  # fmt: skip
    ios = replace(DIALECTS["cisco_ios"].dialogue, find_error=judging)
    session = Session("sw1", ios, dialogue, login_timeout=60.0, answer_timeout=60.0)
    await session.login(HAAS)
    await session.command("show version")


class Chatterer(Dialogue):
    """Prints a line in every turn, for ever."""

    async def read(self) -> bytes:
        await asyncio.sleep(0)
        return b"still booting\r\n"


async def test_a_switch_that_never_stops_talking_times_out() -> None:
    with pytest.raises(DeviceError) as caught:
        await session_with(Chatterer(), timeout=0.2).login(HAAS)
    assert caught.value.reason == "timeout"
    assert "sw1 did not answer (login) within 0.2 s, its last words" in caught.value.message
