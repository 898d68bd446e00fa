"""Tenants who do not trust each other, an admin, and failing switches: a Hypothesis state machine.

rita (project red), bob (blue) and eve (green) come in with tokens, the admin as root. They act one
after the other and at the same time, share networks, hold nodes, of which one has a bond, on leases
and against quotas, and try what is not theirs. Switches refuse, ignore, hang and are changed by
hand; the daemon restarts. After each line that a switch gets, `tests/rpc/watch.py` checks what
every port carries.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from haas_rpcd.config import SwitchSettings
from tests.rpc.parties import PROJECTS, Parties, caller, totals
from tests.rpc.small_site import NOTHING, Prepared, RpcError, prepare, small_site
from tests.rpc.test_campaign import BLIND, EXPECTED, OTHER, PHONES, bonded, converges, place_of

REFUSALS = EXPECTED | {"denied", "stale_plan", "limited"}

MEMORY = Path("/dev/shm")

TENANT = (
    "go", "go", "go", "go", "go", "allocate", "lease", "extend", "release",
    "make_network", "drop_network", "connect", "connect", "disconnect",
    "make_headnode", "drop_headnode", "connect_headnode",
    "apply", "apply", "cancel", "offer", "offer", "accept", "accept", "leave", "unshare",
    "trespass", "compare", "compare",
)  # fmt: skip
ADMIN = (
    "apply_site", "check", "repair", "pass_on", "quota", "end_leases", "end_leases",
    "replace_member", "share", "unshare", "release", "drop_network",
)  # fmt: skip
FAULTS = (
    "fail", "fail", "hang", "finish", "ignore", "ignore", "tamper", "mend", "mend", "restart",
    "pause", "pause", "pause",
)  # fmt: skip
NO_FAULTS = ("finish", "mend", "pause")

DICE = st.integers(0, 255).map(random.Random)
"""Dice of their own: how often an act throws them depends on what the daemon did meanwhile."""


class TenantsMachine(RuleBasedStateMachine):
    """See the module. A rule ends when its calls are answered; jobs go on in the next rules."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.logged = _Logged()
        logging.getLogger("haas_rpcd").addHandler(self.logged)
        self.parties = self.runner.run(self._begin(_prepared()))
        totals["sites"] += 1

    async def _begin(self, prepared: Prepared) -> Parties:
        folder = tempfile.TemporaryDirectory(
            prefix="haas-tenants-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None
        )
        self.stack.callback(folder.cleanup)
        path = Path(folder.name)
        site = await self.stack.enter_async_context(
            small_site(path, prepared, every_line=True, switches=_patience(path))
        )
        parties = Parties(site)
        await bonded(site)
        await site.call("project.create", project="green")
        await site.call("user.create", user="eve")
        for user in PROJECTS:
            await parties.let_in(user)
        for switch in site.switches.values():
            switch.running.add_vlan(PHONES)
            switch.save()
        return parties

    @initialize(blind=st.booleans())
    def begin(self, blind: bool) -> None:
        """Begin with two tenants on their networks.

        ``blind``: the switches show no sessions, so that one that hangs cannot be ended.
        """
        self.parties.blind = dict(BLIND) if blind else {}
        self._do(None, "mend", "red", random.Random(0))
        for user in ("rita", "bob"):
            self._do(user, "go", PROJECTS[user], random.Random(0))

    # --- rules ------------------------------------------------------------------------------------

    @rule(user=st.sampled_from(sorted(PROJECTS)), act=st.sampled_from(TENANT), dice=DICE)
    def tenant(self, user: str, act: str, dice: random.Random) -> None:
        self._do(user, act, PROJECTS[user], dice)

    @rule(act=st.sampled_from(ADMIN), project=st.sampled_from(sorted(OTHER)), dice=DICE)
    def admin(self, act: str, project: str, dice: random.Random) -> None:
        self._do(None, act, project, dice)

    @rule(act=st.sampled_from(FAULTS), project=st.sampled_from(sorted(OTHER)), dice=DICE)
    def switches(self, act: str, project: str, dice: random.Random) -> None:
        self._do(None, act, project, dice)

    @rule(
        acts=st.lists(
            st.tuples(st.sampled_from(sorted(PROJECTS)), st.sampled_from(TENANT)),
            min_size=2,
            max_size=5,
        ),
        admin=st.sampled_from(("end_leases", "share", "unshare", "release", "drop_network")),
        dice=DICE,
    )
    def at_once(self, acts: list[tuple[str, str]], admin: str, dice: random.Random) -> None:
        """Let several parties act at the same time."""
        self.parties.dice = dice
        turns = [self._turn(user, act, PROJECTS[user]) for user, act in acts]
        self._run(*turns, self._turn(None, admin, "red"))

    # --- what must hold ---------------------------------------------------------------------------

    @invariant()
    def isolated(self) -> None:
        parties = self.parties
        parties.site.watch.check("after the last act")
        assert not parties.site.watch.violations, (parties.site.watch.violations, parties.done)

    @invariant()
    def nothing_failed_unexpectedly(self) -> None:
        assert not self.logged.errors, (self.logged.errors, self.parties.done)

    @invariant()
    def free_nodes_are_parked_for_good(self) -> None:
        """And no project holds more than it may."""
        listed = self.runner.run(self.parties.site.call("node.list"))["items"]
        held = Counter(node["project"] for node in listed)
        for project, most in self.parties.quotas.items():
            assert held[project] <= most, (project, self.parties.done)
        for node in (node for node in listed if node["state"] == "free"):
            for nic in ("eth0", "ipmi"):
                name, port = place_of(node["node"], nic)
                full = port.replace("Gi", "GigabitEthernet")
                if (name, full) in self.parties.tampered:
                    continue
                switch = self.parties.site.switches[name]
                parked = (switch.carried(full), switch.startup.carried(full))
                assert parked == (NOTHING, NOTHING), (node, nic, parked, self.parties.done)

    def teardown(self) -> None:
        """End the faults: then all of it converges, and what is stored is the truth."""
        try:
            self.runner.run(self._converge())
        finally:
            totals["lines"] += self._lines()
            totals["checks of all ports"] += self.parties.site.watch.checks
            logging.getLogger("haas_rpcd").removeHandler(self.logged)
            self.runner.run(self.stack.aclose())
            self.runner.close()

    async def _converge(self) -> None:
        self.parties.dice = random.Random(0)
        for project in self.parties.quotas:
            await self.parties.site.call("project.set_quota", project=project, nodes=-1)
        await converges(self.parties, tuple(PROJECTS.values()))
        assert not self.logged.errors, self.logged.errors

    # --- how --------------------------------------------------------------------------------------

    def _lines(self) -> int:
        return sum(switch.counters.lines for switch in self.parties.site.switches.values())

    def _do(self, user: str | None, act: str, project: str, dice: random.Random) -> None:
        self.parties.dice = dice
        self._run(self._turn(user, act, project))

    def _run(self, *turns: Awaitable[None]) -> None:
        async def together() -> None:
            await asyncio.gather(*turns)

        self.runner.run(together())

    async def _turn(self, user: str | None, act: str, project: str) -> None:
        caller.set(user)  # each turn is a task with a context of its own
        totals["operations"] += 1
        if act in FAULTS and act not in NO_FAULTS:
            totals[f"faults: {act}"] += 1
        done: Callable[[str], Awaitable[Any]] = getattr(self.parties, act)
        try:
            said = await done(project)
        except RpcError as error:
            assert error.kind in REFUSALS, (self.parties.done, act, error.kind, error.message)
            totals[f"refused: {error.kind}"] += 1
            said = error.kind
        self.parties.done.append(f"{user or 'admin'}: {act} {project}: {said}")


class _Logged(logging.Handler):
    """Keeps the errors that the daemon logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.errors.append(self.format(record))


@cache
def _prepared() -> Prepared:
    """The registered and parked site, made once."""
    with tempfile.TemporaryDirectory(prefix="haas-tenants-") as folder:
        return prepare(Path(folder))


def _patience(folder: Path) -> SwitchSettings:
    """Settings for switches that hang: soon given up."""
    return SwitchSettings(
        connect_timeout=5.0,
        login_timeout=5.0,
        answer_timeout=0.5,
        busy_timeout=0.0,
        known_hosts=str(folder / "known_hosts"),
    )
