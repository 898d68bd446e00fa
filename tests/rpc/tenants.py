"""Tenants who do not trust each other, an admin, and failing switches: a Hypothesis state machine.

rita (project red), bob (blue) and eve (green) come in with tokens, the admin as root. They act one
after the other and at the same time, share networks, hold nodes on leases and against quotas, and
try what is not theirs. Switches refuse, ignore, hang and are changed by hand; the daemon restarts.
After each line that a switch gets, `tests/rpc/watch.py` checks what every port carries.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from haas_rpcd.auth.secret import digest_of
from haas_rpcd.config import SwitchSettings
from haas_rpcd.errors import DeniedError
from tests.rpc.small_site import NOTHING, Prepared, RpcError, SmallSite, place, prepare, small_site
from tests.rpc.test_campaign import BLIND, EXPECTED, NODES, OTHER, PHONES, Campaign, converges

PROJECTS = {"rita": "red", "bob": "blue", "eve": "green"}
REFUSALS = EXPECTED | {"denied", "stale_plan", "limited"}
NEVER = "never"
"""A name that nothing has."""

IGNORED = (
    "^shutdown", "^no shutdown", "^no switchport access", "^vlan", "^no vlan", "^name", "^write",
)  # fmt: skip
"""Lines that a switch may take without a word, and not carry out."""

MEMORY = Path("/dev/shm")

_caller: ContextVar[str | None] = ContextVar("caller", default=None)
"""The user whose token calls are made with; None: the admin."""

totals: Counter[str] = Counter()
"""What all machines of this process did."""


class Parties(Campaign):
    """The campaign's acts, each done by one party; and more of them."""

    def __init__(self, site: SmallSite) -> None:
        super().__init__(site, random.Random(0))
        self.tokens: dict[str, str] = {}
        self.quotas: dict[str, int] = {}
        """The most nodes that a project may hold."""

    async def call(self, method: str, **params: Any) -> Any:
        """Call a method as the party whose turn it is."""
        user = _caller.get()
        headers = {} if user is None else {"Authorization": f"Bearer {self.tokens[user]}"}
        body = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
        totals["calls"] += 1
        async with self.site.http.post("http://haas/rpc", json=body, headers=headers) as response:
            answer = json.loads(await response.text())
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    async def let_in(self, user: str) -> None:
        """Make a user a member of its project (again), with a new token."""
        project = PROJECTS[user]
        await self.site.call("project.add_member", project=project, user=user)
        made = await self.site.call("token.create", label=f"of-{user}", user=user)
        self.tokens[user] = made["token"]

    # --- what tenants do --------------------------------------------------------------------------

    async def apply(self, project: str) -> Any:
        return (await self.call("apply.start", project=project))["job"]

    async def go(self, project: str) -> Any:
        """Get a node on a network in one go, and wait for it."""
        found = (await self.call("node.list", free=True))["items"]
        name = found[0]["node"] if found else self.dice.choice(NODES)
        await self.call("node.allocate", project=project, node=name)
        network = self.net()
        await self.call("network.create", project=project, network=network)
        await self.call("nic.connect", node=name, nic="eth0", network=network)
        job = (await self.call("apply.start", project=project))["job"]
        return (await self.site.finished(job))["state"]

    async def offer(self, project: str) -> Any:
        guest = self.dice.choice([other for other in PROJECTS.values() if other != project])
        await self.call("network.share", project=project, network=self.net(), **{"with": guest})

    async def accept(self, project: str) -> Any:
        offers = (await self.call("network.offers", project=project))["items"]
        name = self.dice.choice(offers)["network"] if offers else f"{OTHER[project]}/{self.net()}"
        await self.call("network.accept", project=project, network=name)
        return name

    async def leave(self, project: str) -> Any:
        """End a share as the guest, or decline an offer."""
        name = f"{OTHER[project]}/{self.net()}"
        await self.call("network.unshare", network=name, **{"with": project})

    async def lease(self, project: str) -> Any:
        node = self.dice.choice(NODES)
        await self.call("node.allocate", project=project, node=node, until=_in(3600))
        return node

    async def extend(self, project: str) -> Any:
        node = self.dice.choice(NODES)
        await self.call("node.extend", node=node, until=_in(7200))
        return node

    async def trespass(self, project: str) -> Any:
        """Use what is another project's."""
        other = OTHER[project]
        node = {"node": self.dice.choice(NODES)}
        net = {"project": other, "network": self.net()}
        method, params = self.dice.choice([
            ("node.release", node), ("nic.disconnect", {**node, "nic": "eth0"}),
            ("nic.connect", {**node, "nic": "eth0", "network": f"{other}/{self.net()}"}),
            ("node.allocate", {**node, "project": other}), ("apply.start", {"project": other}),
            ("network.create", net), ("network.delete", net),
            ("network.share", {**net, "with": project}), ("apply.start", {}),
            ("project.add_member", {"project": other, "user": _caller.get()}),
            ("site.export", {}), ("drift.check", {}),
            ("token.create", {"label": "x", "user": "root"}),
        ])  # fmt: skip
        mine = await self.holds(project, node["node"]) if "node" in params else False
        try:
            await self.call(method, **params)
        except RpcError as error:
            return method, error.kind
        if "node" in params:
            mine = mine or await self.holds(project, node["node"])
        assert mine, f"{_caller.get()} may call {method} {params}"
        return method

    async def holds(self, project: str, node: str) -> bool:
        shown = await self.site.call("node.show", node=node)
        return bool(shown["project"] in (project, None))

    async def compare(self, project: str) -> Any:
        """Check that another project's things answer as what does not exist."""
        other = OTHER[project]
        jobs = (await self.site.call("job.list", project=other))["items"]
        held = (await self.site.call("node.list", project=other))["items"]
        pairs: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
            (method, {"project": other}, {"project": NEVER})
            for method in ("project.show", "plan.show", "apply.start", "audit.list", "node.list",
                           "network.offers", "job.list")
        ] + [
            ("network.show", {"project": other, "network": "a"},
             {"project": NEVER, "network": "a"}),
            ("headnode.show", {"project": other, "headnode": "head"},
             {"project": NEVER, "headnode": "head"}),
        ]  # fmt: skip
        pairs += [
            (method, {"job": job["job"]}, {"job": 9})
            for job in jobs[:1]
            for method in ("job.show", "job.cancel", "job.wait", "job.subscribe")
        ]
        for node in held[:1]:
            there, not_there = {"node": node["node"]}, {"node": NEVER}
            pairs += [(name, there, not_there) for name in ("node.show", "node.release")]
            pairs += [
                (name, {**there, **more}, {**not_there, **more})
                for name, more in (
                    ("node.extend", {"until": _in(60)}),
                    ("nic.connect", {"nic": "eth0", "network": "a"}),
                    ("nic.disconnect", {"nic": "eth0"}),
                )
            ]
        method, foreign, missing = self.dice.choice(pairs)
        if "node" in foreign and await self.holds(project, foreign["node"]):
            return None
        first, second = await self.text(method, foreign), await self.text(method, missing)
        if "node" in foreign and await self.holds(project, foreign["node"]):
            return None  # it was released meanwhile
        assert first == second, (method, foreign, first, second)
        totals["foreign things compared with nonexistent ones"] += 1
        return method

    async def text(self, method: str, params: dict[str, Any]) -> str:
        """Return what a call answers, without the names in its params."""
        try:
            said = json.dumps(await self.call(method, **params))
        except RpcError as error:
            said = f"{error.code} {error.message} {error.data}"
        for value in params.values():
            said = said.replace(str(value), "NAME")
        return said

    # --- what admins do ---------------------------------------------------------------------------

    async def quota(self, project: str) -> Any:
        held = len((await self.call("node.list", project=project))["items"])
        most = self.dice.choice((-1, 0, 1, 2))
        await self.call("project.set_quota", project=project, nodes=most)
        self.quotas[project] = len(NODES) if most < 0 else max(most, held)
        return most

    async def end_leases(self, project: str) -> Any:
        ended = await self.site.sql("UPDATE lease SET until = ?", (time.time(),))
        self.site.daemon.context.leases.changed()
        return ended

    async def replace_member(self, project: str) -> Any:
        """Delete a user and make another of the same name: nobody gets in with the old token."""
        [user] = [user for user, its in PROJECTS.items() if its == project]
        old = self.tokens[user]
        await self.call("user.delete", user=user)
        await self.call("user.create", user=user)
        await self.let_in(user)
        context = self.site.daemon.context
        with pytest.raises(DeniedError):
            await context.store.read(context.authenticator.of_token, digest_of(old))

    async def share(self, project: str) -> Any:
        with_ = self.dice.choice([other for other in PROJECTS.values() if other != project])
        await self.call("network.share", project=project, network=self.net(), **{"with": with_})

    # --- what switches do -------------------------------------------------------------------------

    async def ignore(self, project: str) -> Any:
        """Let a switch take a line without a word, and not carry it out."""
        name, line = self.dice.choice(sorted(self.site.switches)), self.dice.choice(IGNORED)
        self.site.switches[name].faults.refuse = {line: ""} | self.blind
        return name, line


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
                name, port = place(node["node"], nic)
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
        _caller.set(user)  # each turn is a task with a context of its own
        totals["operations"] += 1
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


def _in(seconds: float) -> str:
    return datetime.fromtimestamp(time.time() + seconds, UTC).isoformat()
