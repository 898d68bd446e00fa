"""Readings, the samples of what switches print, and ways to disturb what is printed.

The samples are data: ``readings/DIALECT.toml``, a list of ``[[reading]]``. Each has

* ``source``: where it was published; ``after …``: the lines are put together after a manual;
* ``answers``: the answers to the lines of ``Reader.read_ports``, shortened, names replaced;
* ``ports``: for each port that must be read, by its canonical name: ``untagged`` (a VLAN),
  ``tagged`` (a list such as ``"2,10-12"``), ``open`` (true unless given), or the line that is
  ``not_understood``. A port with ``{}`` is open and carries nothing;
* ``options`` of the switch, if the sample needs any.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from haas_rpcd.drivers.switch.answers import without_logs
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.model import PortSeen

FOLDER = Path(__file__).with_name("readings")

LOGS = (
    "*Mar  1 00:20:01.113: %LINK-3-UPDOWN: Interface GigabitEthernet0/2, changed state to up",
    "2026 Jun  9 12:00:02 sw1 %ETHPORT-5-IF_UP: Interface Ethernet1/9 is up in mode access",
    "Aug  9 05:40:40 sw1 Ebra: %LINEPROTO-5-UPDOWN: Line protocol on Interface Ethernet9, changed"
    " state to up",
    "<189> Oct 21 09:10:54 10.201.1.110-1 TRAPMGR[trapTask]: traputil.c(721) 29331 %% NOTE"
    " 'startup-config' has changed.",
    "04-Jun-2016 13:02:53 %LINK-W-Down:  gi1/0/9",
)
"""Log messages. Each is taken out, so all is read as without it."""

STRANGE = (
    "frobnicate level 3",
    "   frobnicate level 3",
    "Connection to the other stack member was lost.",
    "--More--",
    " --More-- ",
)
"""Lines that HaaS knows nothing of, and page breaks that the session did not recognize."""

PAGE_BREAK = "--More-- "
"""A page break that was not wiped from the line behind it."""


_SPAN_END = re.compile(r"(?<=\d-)\d+\b|(?<=\d to )\d+\b|(?<=\"vlanEnd\":)\d+\b")
"""The end of a span: of ``1-24``, ``1 to 24``, ``"vlanEnd":24``."""


class Reading(NamedTuple):
    """What a switch printed, and what its ports are."""

    dialect: str
    source: str
    answers: list[str]
    ports: dict[str, dict[str, Any]]
    options: dict[str, Any] = {}

    def read(self, answers: Sequence[str] | None = None) -> dict[str, PortSeen]:
        """Read these answers, by default the sample's, as the driver does."""
        shown = [without_logs(answer) for answer in answers or self.answers]
        states = DIALECTS[self.dialect].reader.parse_ports(shown, self.options)
        return {port: state.seen for port, state in states.items()}


def _readings() -> dict[str, list[Reading]]:
    return {
        path.stem: [
            Reading(path.stem, **entry) for entry in tomllib.loads(path.read_text())["reading"]
        ]
        for path in sorted(FOLDER.glob("*.toml"))
    }


READINGS = _readings()


def disturbed(answers: Sequence[str], intruders: Sequence[str]) -> Iterator[list[str]]:
    """Yield the answers with each intruder before and after each line."""
    for at, answer in enumerate(answers):
        lines = answer.split("\n")
        for place in range(len(lines) + 1):
            for intruder in intruders:
                text = "\n".join([*lines[:place], intruder, *lines[place:]])
                yield [*answers[:at], text, *answers[at + 1 :]]


def with_page_breaks(answers: Sequence[str]) -> Iterator[list[str]]:
    """Yield the answers with a page break before each line, on that line."""
    for at, answer in enumerate(answers):
        lines = answer.split("\n")
        for place, line in enumerate(lines):
            text = "\n".join([*lines[:place], PAGE_BREAK + line, *lines[place + 1 :]])
            yield [*answers[:at], text, *answers[at + 1 :]]


def with_long_spans(answers: Sequence[str]) -> Iterator[list[str]]:
    """Yield the answers with the end of one span of ports or VLANs far away."""
    for at, answer in enumerate(answers):
        for end in _SPAN_END.finditer(answer):
            text = answer[: end.start()] + "99999999999" + answer[end.end() :]
            yield [*answers[:at], text, *answers[at + 1 :]]


# --- JSON -----------------------------------------------------------------------------------------

_STRANGE_VALUES: tuple[Any, ...] = (None, True, -3, "frobnicate", [], {}, ["frobnicate"])


def mutated(answer: str) -> Iterator[str]:
    """Yield a JSON answer with each object enlarged by a key, each list by an item that fits none,
    and each value replaced by one of another kind."""
    document = json.loads(answer)
    for path, value in _values(document):
        for strange in _STRANGE_VALUES:
            if isinstance(value, dict):
                yield json.dumps(_put(document, path, {**value, "frobnicate": strange}))
            if isinstance(value, list):
                yield json.dumps(_put(document, path, [*value, strange]))
            if type(strange) is not type(value):
                yield json.dumps(_put(document, path, strange))


def _values(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    yield path, value
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _values(item, (*path, key))


def _put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(document)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed
