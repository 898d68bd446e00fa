"""Taking a switch's output apart: echoes, log messages, quotes."""

from __future__ import annotations

import pytest

from haas_rpcd.drivers.switch import answers
from haas_rpcd.drivers.switch.answers import INCOMPLETE, MISMATCH
from tests.unit.catalyst import LOG_MESSAGE

LINE = "switchport trunk allowed vlan 100-104"


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (f"{LINE}\r\nanswer", len(LINE) + 2),
        (f"{LINE}\n", len(LINE) + 1),
        (f"{LINE} \x08\r\n", len(LINE) + 4),
        ("switchport trunk \r\nallowed vlan 100-104\r\n", len(LINE) + 4),
        (f"switchport trunk\r\n{LOG_MESSAGE}\r\n allowed vlan 100-104\r\n",
         len(LINE) + len(LOG_MESSAGE) + 6),
        ("", INCOMPLETE),
        ("switchport trunk", INCOMPLETE),
        (LINE, INCOMPLETE),
        (f"{LINE} \x08", INCOMPLETE),
        (f"{LINE}5", MISMATCH),
        (f"{LINE}5\r\n", MISMATCH),
        ("switchport access", MISMATCH),
        (f"x{LINE}\r\n", MISMATCH),
    ],
)  # fmt: skip
def test_the_end_of_an_echo_is_found_as_far_as_it_has_arrived(text: str, end: int) -> None:
    assert answers.echo_end(text, LINE) == end


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ("switchport trunk a\x08\x08\x08\x08$lowed vlan 100-104\r\n", True),
        ("switchport trunk a\r$nk allowed vlan 100-104\r\n", True),
        ("switchport trunk a\r$100-104\r\n", False),  # too little of it is visible
        ("switchport trunk a\r$nk allowed vlan 100-105\r\n", False),
        ("switchport trunk a\rnk allowed vlan 100-104\r\n", False),  # not marked as shifted
        ("switchport access\r$nk allowed vlan 100-104\r\n", False),
    ],
)
def test_a_shifted_echo_is_found_by_its_end(shown: str, found: bool) -> None:
    assert answers.echo_end(shown, LINE) == (len(shown) if found else MISMATCH)


def test_a_shifted_echo_may_still_be_arriving() -> None:
    assert answers.echo_end("switchport trunk a\r$nk all", LINE) == INCOMPLETE


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("", True),
        (" \r\x08", True),
        (f"\r\n{LOG_MESSAGE}\r\n", True),
        (f"\r\n\r\n{LOG_MESSAGE}\r\n{LOG_MESSAGE}\r\n", True),
        (LOG_MESSAGE, False),  # the rest of the line may still come
        (f"{LOG_MESSAGE}\r\nBuilding configuration...\r\n", False),
        ("\r\nsw1#", False),
    ],
)
def test_only_complete_log_messages_count_as_such(text: str, only: bool) -> None:
    assert answers.only_logs(text) == only


def test_an_answer_has_neither_its_echo_nor_log_messages() -> None:
    output = f"show vlan\r\n1 default\r\n{LOG_MESSAGE}\r\n100 haas-100\r\n"
    answer = answers.without_logs(answers.without_echo(output, "show vlan"))
    assert answer.split("\n") == ["1 default", "100 haas-100", ""]


@pytest.mark.parametrize(
    ("output", "line", "answer"),
    [
        ("sw1(config)#exit\r\nbye", "exit", "bye"),  # a prompt before it
        ("no such echo\r\nbye", "exit", "no such echo\r\nbye"),
        ("bye", "exit", "bye"),
        ("\r\nbye", "", "bye"),
    ],
)
def test_an_echo_is_dropped_even_after_a_prompt(output: str, line: str, answer: str) -> None:
    assert answers.without_echo(output, line) == answer


def test_a_quote_is_one_line_without_carets() -> None:
    output = "  switchport mode acces\r\n                    ^\r\n% Invalid input detected\r\n\r\n"
    assert answers.quote(output) == "switchport mode acces % Invalid input detected"


def test_a_long_quote_is_cut_off() -> None:
    assert answers.quote("x" * 300) == "x" * 300
    assert answers.quote("x" * 301) == "x" * 300 + "…"
