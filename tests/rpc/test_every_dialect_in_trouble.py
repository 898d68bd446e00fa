"""Every dialect in trouble: its switch refuses lines, disconnects, stalls, and logs in between.

Two projects and an admin act at random and at the same time, as in test_campaign. No line breaks
isolation, no call and no job fails unexpectedly, and once the faults are gone, applying leaves
nothing to do. ``HAAS_TEST_SEEDS`` is the number of runs for each dialect.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from haas_rpcd.sim.cli import LineRecord
from haas_rpcd.sim.personalities import dialects
from tests.rpc.one_switch import OneSwitch, Registered, Vendor, one_switch
from tests.rpc.test_campaign import Campaign

pytestmark = pytest.mark.slow

SEEDS = range(int(os.environ.get("HAAS_TEST_SEEDS", "1")))
ACTS = 45
OPTIONS = ({}, {"window": 1}, {"ranges": False}, {"window": 3})


class Trouble(Campaign):
    """A campaign with one switch, on which all kinds of faults occur."""

    site: OneSwitch

    def __init__(self, site: OneSwitch, dice: random.Random) -> None:
        super().__init__(site, dice)
        self.acts = [
            (4, self.allocate), (2, self.release), (3, self.make_network), (2, self.drop_network),
            (8, self.connect), (3, self.disconnect), (2, self.share), (1, self.unshare),
            (8, self.apply), (1, self.apply_site), (1, self.cancel), (5, self.fail), (3, self.mend),
            (1, self.restart), (4, self.pause), (1, self.check), (1, self.repair),
            (2, self.hang), (2, self.finish), (2, self.pass_on),
        ]  # fmt: skip
        self.vendor = Vendor(site.dialect.name)
        self.chatty = 0.0
        self.taken: list[asyncio.StreamWriter] = []
        device = site.device
        record, settle = device.record, device.settle

        def noted(line: LineRecord) -> LineRecord:
            self.chatter(line)
            return record(line)

        def settled(line: LineRecord | None = None) -> None:
            self.chatter(line)
            settle(line)

        vars(device).update(record=noted, settle=settled)

    def chatter(self, line: LineRecord | None) -> None:
        """Maybe print a log message, before or after a line's answer."""
        asked = ("username", "password", "enable", "question")
        if line and line.mode not in asked and self.dice.random() < self.chatty:
            self.site.device.announce(self.dice.choice(self.vendor.logs))

    async def fail(self, project: str) -> Any:
        faults = self.site.device.faults
        line = self.dice.choice(sorted({record.text for record in self.site.records()}))
        at = f"^{re.escape(line)}$"
        match self.dice.randrange(12):
            case 0 | 1 | 2:
                faults.refuse = {at: self.dice.choice(self.vendor.errors)}
            case 3 | 4:
                faults.cut_at = at
            case 5 | 6:
                faults.cut_after = self.dice.randrange(30)
            case 7:
                faults.save_error = self.dice.choice(self.vendor.errors)
            case 8:
                faults.stall_at = at
            case 9:
                await self.fill()
            case 10:
                self.chatty = 0.4
            case _:
                faults.line_delay = 0.002  # so that others act in the middle of a script
        return line

    async def fill(self) -> None:
        """Occupy all sessions of the switch."""
        device = self.site.device
        while device.has_room():
            reader, writer = await asyncio.open_connection("127.0.0.1", device.port)
            await reader.read(1)
            self.taken.append(writer)

    async def hang(self, project: str) -> Any:
        """Let the next session hang on one of the lines that the switch has received."""
        line = self.dice.choice(sorted({record.text for record in self.site.records()}))
        self.site.device.faults.hang_at = f"^{re.escape(line)}$"
        return line

    async def finish(self, project: str) -> Any:
        """Let the sessions that hang go on."""
        self.site.device.finish_hung()

    async def mend(self, project: str) -> Any:
        faults = self.site.device.faults
        faults.refuse, faults.cut_at, faults.cut_after = {}, None, None
        faults.save_error, faults.stall_at, faults.line_delay = None, None, 0.0
        faults.hang_at = None
        self.chatty = 0.0
        for writer in self.taken:
            writer.close()
        self.taken.clear()

    async def check(self, project: str) -> Any:
        return (await self.call("drift.check"))["items"]

    async def repair(self, project: str) -> Any:
        return (await self.call("drift.repair"))["job"]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("dialect", dialects())
async def test_whatever_happens(
    dialect: str,
    seed: int,
    tmp_path: Path,
    registered: Callable[[str], Registered],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR, logger="haas_rpcd")
    dice = random.Random(f"{dialect} {seed}")
    async with one_switch(tmp_path, dialect, registered(dialect), answer_timeout=0.5) as site:
        options = msgspec.json.encode(dice.choice(OPTIONS)).decode()
        await site.sql("UPDATE switch SET options = ?", (options,))
        await site.call("drift.check")  # so that the switch has received lines that can fail
        trouble = Trouble(site, dice)
        await trouble.run(ACTS)

        await trouble.mend("")
        await trouble.finish("")
        patient = msgspec.structs.replace(
            site.settings.switches, answer_timeout=30.0, settle_timeout=0.0
        )
        site.settings = msgspec.structs.replace(site.settings, switches=patient)
        await site.restart()
        for job in (await site.call("job.list", limit=1000))["items"]:
            await site.finished(job["job"])
        for project in ("red", "blue", "red", "blue", None):  # twice: one may wait for the other
            job = await site.apply(project)
            assert job["state"] == "succeeded", (job["error"], trouble.done)
        for project in ("red", "blue", None):
            plan = await site.call("plan.show", project=project)
            assert plan["empty"], (plan, trouble.done)
        report = await site.call("drift.check")
        late = {str(row["vlan"]) for row in await site.rows("SELECT vlan FROM vlan_may_change")}
        remade = [item["target"] for item in report["items"] if item["kind"] == "vlan"]
        if remade and set(remade) <= late:  # by a line that came late: shown, and not free
            repair = await site.call("drift.repair", switch="sw1")
            assert (await site.finished(repair["job"]))["state"] == "succeeded"
            report = await site.call("drift.check")
        assert (report["items"], report["unreachable"]) == ([], [])
        states = {node["state"] for node in (await site.call("node.list"))["items"]}
        assert states <= {"free", "allocated"}
        assert not site.device.modified
        assert await site.rows("SELECT * FROM vlan_claim WHERE network_id IS NULL") == []
        assert [record.getMessage() for record in caplog.records] == []
