"""What tenants, an admin and failing switches do in the state machine of tenants.py."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import pytest

from haas_rpcd.auth.secret import digest_of
from haas_rpcd.errors import DeniedError
from tests.rpc.small_site import RpcError, SmallSite
from tests.rpc.test_campaign import OTHER, Campaign, nic_of

PROJECTS = {"rita": "red", "bob": "blue", "eve": "green"}
NEVER = "never"
"""A name that nothing has."""

IGNORED = (
    "^shutdown", "^no shutdown", "^no switchport access", "^vlan", "^no vlan", "^name", "^write",
    "^switchport access", "^switchport access", "^switchport trunk", "^switchport mode",
    "^channel-group", "^no channel-group", "^no interface",
)  # fmt: skip
"""Lines that a switch may take without a word, and not carry out."""

caller: ContextVar[str | None] = ContextVar("caller", default=None)
"""The user whose token calls are made with; None: the admin."""

totals: Counter[str] = Counter()
"""What all machines of this process did."""


class Parties(Campaign):
    """The campaign's acts, each done by one party; and more of them."""

    def __init__(self, site: SmallSite) -> None:
        super().__init__(site, random.Random(0), bond=True)
        self.tokens: dict[str, str] = {}
        self.quotas: dict[str, int] = {}
        """The most nodes that a project may hold."""

    async def call(self, method: str, **params: Any) -> Any:
        """Call a method as the party whose turn it is."""
        user = caller.get()
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
        name = self.dice.choice(found)["node"] if found else self.dice.choice(self.nodes)
        await self.call("node.allocate", project=project, node=name)
        network = self.net()
        await self.call("network.create", project=project, network=network)
        await self.call("nic.connect", node=name, nic=nic_of(name, "eth0"), network=network)
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
        node = self.dice.choice(self.nodes)
        await self.call("node.allocate", project=project, node=node, until=_in(3600))
        return node

    async def extend(self, project: str) -> Any:
        node = self.dice.choice(self.nodes)
        await self.call("node.extend", node=node, until=_in(7200))
        return node

    async def trespass(self, project: str) -> Any:
        """Use what is another project's."""
        other = OTHER[project]
        node = {"node": self.dice.choice(self.nodes)}
        nic = {**node, "nic": nic_of(node["node"], "eth0")}
        net = {"project": other, "network": self.net()}
        method, params = self.dice.choice([
            ("node.release", node), ("nic.disconnect", nic),
            ("nic.connect", {**nic, "network": f"{other}/{self.net()}"}),
            ("node.allocate", {**node, "project": other}), ("apply.start", {"project": other}),
            ("network.create", net), ("network.delete", net),
            ("network.share", {**net, "with": project}), ("apply.start", {}),
            ("project.add_member", {"project": other, "user": caller.get()}),
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
        assert mine, f"{caller.get()} may call {method} {params}"
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
            nic = nic_of(node["node"], "eth0")
            pairs += [(name, there, not_there) for name in ("node.show", "node.release")]
            pairs += [
                (name, {**there, **more}, {**not_there, **more})
                for name, more in (
                    ("node.extend", {"until": _in(60)}),
                    ("nic.connect", {"nic": nic, "network": "a"}),
                    ("nic.disconnect", {"nic": nic}),
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
        self.quotas[project] = len({*self.nodes}) if most < 0 else max(most, held)
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
        totals[f"lines to be ignored: {line}"] += 1
        return name, line


def _in(seconds: float) -> str:
    return datetime.fromtimestamp(time.time() + seconds, UTC).isoformat()
