"""Recorded answers of real switches: which are errors, and of which line.

The samples are data: ``samples/DIALECT.toml``, with ``[[error]]`` and ``[[benign]]``. Each has the
``line`` that was typed, the ``answer`` between its echo and the next prompt, that ``prompt``, and
the ``source``. An error also has the text that must be quoted (``says``). A session gets them as a
switch would print them, with all lines sent ahead.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch import answers
from haas_rpcd.drivers.switch.dialect import Dialect
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.script import Line
from haas_rpcd.drivers.switch.session import Session

FOLDER = Path(__file__).with_name("samples")
LEAST_OF_A_DIALECT = 18
LEAST_OF_ALL = 200


class Sample(NamedTuple):
    """One line that was typed at a real switch, and its answer."""

    dialect: str
    line: str
    answer: str
    prompt: str
    source: str
    says: str = ""


def _samples(kind: str) -> dict[str, list[Sample]]:
    """Read the samples of a kind (``error``, ``benign``), by dialect."""
    found: dict[str, list[Sample]] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        entries = tomllib.loads(path.read_text())
        assert set(entries) == {"error", "benign"}, path
        found[path.stem] = [Sample(path.stem, **entry) for entry in entries[kind]]
    return found


ERRORS, BENIGN = _samples("error"), _samples("benign")


def each(samples: dict[str, list[Sample]]) -> pytest.MarkDecorator:
    """Parametrize a test with all samples, under telling names."""
    return pytest.mark.parametrize(
        "sample",
        [
            pytest.param(sample, id=f"{name}-{number}-{sample.line}")
            for name, own in samples.items()
            for number, sample in enumerate(own, 1)
        ],
    )


def on_the_wire(text: str) -> str:
    """Convert line ends to those of a terminal."""
    return re.sub(r"\r?\n", "\r\n", text)


def error_in(sample: Sample) -> str | None:
    """Find the error as a session does: without the echo and log messages."""
    dialect = DIALECTS[sample.dialect]
    echo = f"{sample.line}\r\n" if dialect.dialogue.echoes else ""
    written = answers.without_echo(on_the_wire(echo + sample.answer), sample.line)
    prompt = dialect.dialogue.own_prompt(sample.prompt).search(on_the_wire(sample.prompt))
    assert prompt is not None, f"{sample.prompt!r} is not taken for a prompt"
    return dialect.dialogue.error_in(answers.without_logs(written), prompt)


def words(text: str) -> str:
    """Return a text on one line."""
    return " ".join(text.split())


# --- how many there are ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_every_dialect_has_its_samples(name: str) -> None:
    for samples in (ERRORS, BENIGN):
        own = samples.get(name, [])
        assert len(own) >= LEAST_OF_A_DIALECT
        assert len({(sample.line, sample.answer) for sample in own}) == len(own)
        assert all(sample.source for sample in own)
    assert all(sample.says for sample in ERRORS[name])


@pytest.mark.parametrize("samples", [ERRORS, BENIGN], ids=["errors", "benign"])
def test_there_are_hundreds_of_samples(samples: dict[str, list[Sample]]) -> None:
    assert set(samples) <= set(DIALECTS)
    assert sum(map(len, samples.values())) >= LEAST_OF_ALL


# --- which are errors -----------------------------------------------------------------------------


@each(ERRORS)
def test_an_error_is_found_and_quoted(sample: Sample) -> None:
    assert words(sample.says) in words(error_in(sample) or "")


@each(BENIGN)
def test_a_benign_answer_is_no_error(sample: Sample) -> None:
    assert error_in(sample) is None


# --- of which line --------------------------------------------------------------------------------


class Player:
    """A transport to a switch that answers the lines of some samples, in their order."""

    def __init__(self, dialect: Dialect, greeting: str, samples: Sequence[Sample]) -> None:
        self._dialect = dialect
        self._prompt = greeting
        self._samples = list(samples)
        self._written = greeting
        self._setup = list(dialect.dialogue.setup)

    async def read(self) -> bytes:
        """Return the output; b"" once all of it was read."""
        written, self._written = self._written, ""
        return on_the_wire(written).encode()

    def write(self, data: bytes) -> None:
        """Answer every line."""
        for line in data.decode().split("\r\n")[:-1]:
            answer = ""
            if self._setup:
                assert line == self._setup.pop(0)
            elif self._samples:
                sample = self._samples.pop(0)
                assert line == sample.line
                answer, self._prompt = sample.answer, sample.prompt
            echo = f"{line}\n" if self._dialect.dialogue.echoes else ""
            self._written += echo + answer + self._prompt

    async def close(self) -> None:
        """Do nothing."""

    async def abort(self) -> None:
        """Do nothing."""


async def typed_ahead(dialect: Dialect, samples: Sequence[Sample]) -> Session:
    """Log in to a switch that answers as in some samples."""
    greeting = samples[0].prompt
    if dialect.dialogue.enable is not None and dialect.dialogue.unprivileged(greeting):
        greeting = re.sub(r">(?= ?\Z)", "#", greeting)
    session = Session(
        "sw1",
        dialect.dialogue,
        Player(dialect, greeting, samples),
        login_timeout=5.0,
        answer_timeout=5.0,
    )
    await session.login(Credential())
    return session


@each(ERRORS)
async def test_an_error_is_attributed_to_its_line(sample: Sample) -> None:
    """All lines are sent ahead; the lines before and after it have benign answers."""
    dialect = DIALECTS[sample.dialect]
    prompt = dialect.dialogue.own_prompt(sample.prompt)
    others = [one for one in BENIGN[sample.dialect] if prompt.search(on_the_wire(one.prompt))][:6]
    before, behind = others[:3], others[3:]
    played = [*before, sample, *behind]
    session = await typed_ahead(dialect, played)
    ran = await session.run(
        [Line(one.line, (0,), 0, barrier=False) for one in played],
        window=len(played),
        on_sent=lambda line: None,
        cancelled=lambda: False,
    )
    assert ran.error is not None
    assert ran.error.reason == "refused"
    assert (ran.answered, ran.error.data["line"]) == (len(before), sample.line)
    assert ran.sent == len(played)


@pytest.mark.parametrize("name", sorted(BENIGN))
async def test_a_script_with_only_benign_answers_completes(name: str) -> None:
    dialect = DIALECTS[name]
    for played in by_host(dialect, BENIGN[name]):
        session = await typed_ahead(dialect, played)
        ran = await session.run(
            [Line(one.line, (0,), 0, barrier=False) for one in played],
            window=16,
            on_sent=lambda line: None,
            cancelled=lambda: False,
        )
        assert (ran.error, ran.answered) == (None, len(played))


def by_host(dialect: Dialect, samples: Sequence[Sample]) -> list[list[Sample]]:
    """Group samples by the host in their prompts."""
    hosts: list[list[Sample]] = []
    for sample in samples:
        for host in hosts:
            if dialect.dialogue.own_prompt(host[0].prompt).search(on_the_wire(sample.prompt)):
                host.append(sample)
                break
        else:
            hosts.append([sample])
    return hosts
