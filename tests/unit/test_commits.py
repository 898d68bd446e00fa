"""A switch on which lines take effect at a commit: without one, they are discarded."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers import Outcome
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.driver import SwitchDriver
from haas_rpcd.drivers.switch.ioslike import SwitchportLines
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.writer import InContexts, Options, PortContexts, PortStages
from haas_rpcd.model import PortConfig, SetPort

CHANGES = [SetPort("Et1", PortConfig(untagged=100)), SetPort("Et2", PortConfig(untagged=101))]
SETTINGS = SwitchSettings(login_timeout=5.0, answer_timeout=5.0, busy_timeout=0.0)


EOS = DIALECTS["arista_eos"]


def _all_at_once(current: PortState | None, config: PortConfig, options: Options) -> PortStages:
    """Return the lines of IOS, all of which take effect at one commit."""
    stages = SwitchportLines().stages(current, config, options)
    return PortStages(settings=[*stages.settings, stages.open])


COMMITTING = replace(
    EOS,
    name="committing",
    dialogue=replace(EOS.dialogue, setup=(), saved=re.compile("")),
    writer=replace(
        EOS.writer,
        ports=InContexts(_all_at_once, PortContexts(leave="exit")),
        needs_current="never",
        commit=("commit",),
        abort=("discard",),
    ),
)
"""Similar to a configuration session of EOS, or a candidate of Junos."""


class Candidate:
    """A switch with a candidate, and the transport to it. It answers each line when it is read."""

    def __init__(self, refuses: str = "$^") -> None:
        self.committed: list[str] = []
        self.candidate: list[str] = []
        self.lines: list[str] = []
        self._refuses = re.compile(refuses)
        self._coming = b"sw1#"
        self._configuring = False

    def write(self, data: bytes) -> None:
        for line in data.decode().split("\r\n")[:-1]:
            self._carry_out(line)

    def _carry_out(self, line: str) -> None:
        self.lines.append(line)
        printed = ""
        if self._refuses.search(line):
            printed = "% Not so.\r\n"
        elif line == "configure terminal":
            self._configuring = True
        elif line == "end":
            self._configuring = False
        elif line == "commit":
            self.committed += self.candidate
            self.candidate = []
        elif line == "discard":
            self.candidate = []
        elif self._configuring:
            self.candidate.append(line)
        prompt = "sw1(config)#" if self._configuring else "sw1#"
        self._coming += f"{line}\r\n{printed}{prompt}".encode()

    async def read(self) -> bytes:
        await asyncio.sleep(0)
        if not self._coming:
            await asyncio.Event().wait()
        data, self._coming = self._coming, b""
        return data

    async def close(self) -> None:
        pass


class Stopping:
    """Records the lines, and cancels once a certain line is sent."""

    def __init__(self, at: str = "never") -> None:
        self.lines: list[str] = []
        self._at = at

    def line_sent(self, change: int, line: str) -> None:
        self.lines.append(line)

    def cancelled(self) -> bool:
        return self._at in self.lines


async def sending(switch: Candidate, progress: Stopping, window: int) -> Sequence[Outcome]:
    async def connect() -> Candidate:
        return switch

    driver = SwitchDriver(
        "sw1", COMMITTING, connect=connect, options={"window": window},
        credential=lambda: Credential(), settings=SETTINGS,
    )  # fmt: skip
    await driver.open(lambda line: None)
    return await driver.send(CHANGES, progress)


@pytest.mark.parametrize("window", [1, 16])
async def test_lines_take_effect_at_the_commit(window: int) -> None:
    switch = Candidate()
    outcomes = await sending(switch, Stopping(), window)
    assert outcomes == [Outcome("sent"), Outcome("sent")]
    assert switch.committed
    assert switch.candidate == []


@pytest.mark.parametrize("window", [1, 16])
@pytest.mark.parametrize(
    "line", ["configure terminal", "interface Et1", "switchport access vlan 101", "no shutdown"]
)
async def test_a_cancelled_script_commits_nothing(line: str, window: int) -> None:
    switch, progress = Candidate(), Stopping(at=line)
    outcomes = await sending(switch, progress, window)
    assert {outcome.state for outcome in outcomes} <= {"unfinished", "unsent"}
    assert [outcome.error for outcome in outcomes] == [None, None]
    assert progress.lines[-1] == line  # nothing more is sent
    assert (switch.committed, switch.candidate) == ([], [])  # what was sent is discarded
    assert switch.lines[-1] == "end"


async def test_a_script_that_is_cancelled_after_the_commit_counts_as_sent() -> None:
    switch = Candidate()
    assert await sending(switch, Stopping(at="commit"), 16) == [Outcome("sent")] * 2


async def test_a_job_that_was_cancelled_before_sends_nothing() -> None:
    switch, progress = Candidate(), Stopping(at="before")
    progress.lines.append("before")
    assert await sending(switch, progress, 16) == [Outcome("unsent")] * 2
    assert switch.lines == []


async def test_nothing_of_a_script_with_a_refused_line_is_committed() -> None:
    switch = Candidate(refuses="^switchport access vlan 101$")
    outcomes = await sending(switch, Stopping(), 16)
    assert [outcome.state for outcome in outcomes] == ["sent", "refused"]
    assert 'sw1 refused "switchport access vlan 101"' in str(outcomes[1].error)
    # The other port is set by a script of its own, after the first was discarded.
    refused, discarded = map(switch.lines.index, ["switchport access vlan 101", "discard"])
    assert "commit" not in switch.lines[refused:discarded]
    assert "interface Et1" in switch.committed
    assert "interface Et2" not in switch.committed
    assert switch.candidate == []


@pytest.mark.parametrize("line", ["no shutdown", "commit"])
async def test_a_script_with_a_refused_line_for_all_ports_commits_nothing(line: str) -> None:
    switch = Candidate(refuses=f"^{line}$")
    outcomes = await sending(switch, Stopping(), 16)
    assert "sent" not in {outcome.state for outcome in outcomes}
    refused = [outcome.error for outcome in outcomes if outcome.state == "refused"]
    assert refused  # one change, or both if the line serves both
    assert all(f'sw1 refused "{line}"' in str(error) for error in refused)
    assert (switch.committed, switch.candidate) == ([], [])
