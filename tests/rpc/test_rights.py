"""The table of who may call what: every method, in every role, on every kind of object.

Each call is made for real, in a transaction that is undone.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import pytest

from haas_rpcd.auth.caller import Bound, Caller
from haas_rpcd.errors import HaasError
from haas_rpcd.methods.call import Call
from haas_rpcd.methods.invoke import invoke
from haas_rpcd.methods.registry import METHODS
from haas_rpcd.methods.rights import RIGHTS
from haas_rpcd.rpc import openrpc
from haas_rpcd.store.database import Store, Tx
from tests.rpc.small_site import SmallSite

P = ParamSpec("P")
T = TypeVar("T")

RANK = {"user": 0, "reader": 1, "member": 2, "owner": 3, "admin": 4}

ROLES = {
    "olga": "owner",
    "rita": "member",
    "rob": "reader",
    "eve": "user",
    "ada": "admin",
}
"""The users, and what each is in red. Eve is in no project of these tests; ada is an admin."""

OBJECTS: dict[str, dict[str, Any]] = {
    "own": {
        "project": "red", "node": "node-1", "network": "net", "headnode": "head", "job": 0,
        "with": "green",
    },
    "shared": {"project": "red", "network": "blue/own", "node": "node-1", "headnode": "head"},
    "free": {"node": "node-2", "project": "red", "network": "net"},
    "foreign": {
        "project": "blue", "node": "node-3", "network": "blue/more", "headnode": "bluehead",
        "job": 0, "with": "blue", "user": "bob",
    },
    "nonexistent": {
        "project": "nowhere", "node": "node-99", "network": "blue/none", "headnode": "none",
        "job": 999, "with": "nowhere", "user": "nobody-here",
    },
}  # fmt: skip
"""What the params of a call name. Calls about foreign objects name one such, and else red's own."""

DEFAULTS: dict[str, Any] = {
    "node": "node-1", "nic": "eth0", "network": "net", "headnode": "head", "project": "red",
    "user": "rita", "switch": "sw1", "dialect": "cisco_ios", "host": "192.0.2.1", "ports": ["x1"],
    "port": "Gi1/0/1", "nics": [], "site": "", "job": 0, "with": "green", "label": "new",
    "until": "2100-01-01T00:00:00Z", "protocol": "ipmi", "action": "status",
    "hypervisor": "hv9", "uri": "qemu+ssh://hv9.example/system", "trunk_nic": "eth0",
}  # fmt: skip
"""Values of the params that a method requires and an object does not name."""

OF_DEVICES = {
    "cabling.check", "drift.check", "hypervisor.trust", "switch.probe", "switch.trust",
}  # fmt: skip
"""Methods that would reach for a device when they are allowed."""


class Undone(Exception):
    def __init__(self, result: Any) -> None:
        self.result = result


class UndoingStore(Store):
    """The store of a daemon, except that what is written is undone."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.path = store.path

    async def write(
        self, function: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        def undone(tx: Tx) -> None:
            raise Undone(function(tx, *args, **kwargs))

        try:
            await self._store.write(undone)
        except Undone as result:
            found: T = result.result
            return found
        raise AssertionError("unreachable")

    async def note(
        self, function: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self.write(function, *args, **kwargs)

    async def read(
        self, function: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self._store.read(function, *args, **kwargs)

    async def glance(
        self, function: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self._store.read(function, *args, **kwargs)


@pytest.fixture
async def roles(site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SmallSite]:
    """Red with a user in each role, and green of red's users; blue of bob. Both hold things."""
    await site.call("project.create", project="green")
    for user, role in ROLES.items():
        if user != "rita":
            await site.call("user.create", user=user, admin=role == "admin")
        if role in ("owner", "member", "reader"):
            for project in ("red", "green"):
                await site.call("project.add_member", project=project, user=user, role=role)
    for project, node, networks, head in (
        ("red", "node-1", ("net", "spare"), "head"),
        ("blue", "node-3", ("own", "more"), "bluehead"),
    ):
        await site.hold_nodes(project, node)
        for network in networks:
            await site.network(project, network)
        await site.connect(node, networks[0])
        await site.call("headnode.create", project=project, headnode=head)
        job = (await site.apply(project))["job"]
        for known in (OBJECTS["own"], DEFAULTS) if project == "red" else (OBJECTS["foreign"],):
            monkeypatch.setitem(known, "job", job)
    await site.call("network.share", project="blue", network="own", **{"with": "red"})
    yield site


def named(method: str) -> set[str]:
    """Return the params of a method that name objects."""
    return set(METHODS[method].params.__struct_encode_fields__) & OBJECTS["foreign"].keys()


def params_of(method: str, kind: str, param: str | None = None) -> dict[str, Any]:
    """Return params of a call; ``param`` alone names an object of this kind, the rest is red's."""
    struct = METHODS[method].params
    fields = struct.__struct_encode_fields__
    required = set(fields[: len(fields) - len(struct.__struct_defaults__)])
    if method == "node.allocate":
        required |= {"node"}
    if method in (
        "network.share", "network.unshare", "apply.start", "audit.list", "plan.show", "drift.repair"
    ):  # fmt: skip
        required |= {"project"}
    if method == "token.revoke":
        required |= {"label"}
    given = {name: DEFAULTS[name] for name in required}
    if param is not None:
        value = OBJECTS[kind][param]
        own = param == "network" and "owner/network" not in str(struct.__annotations__)
        given[param] = value.rpartition("/")[2] if own else value
        if param == "network" and own and kind in ("foreign", "nonexistent"):
            given["project"] = "red"
    return given


async def answer(site: SmallSite, caller: Caller, method: str, params: dict[str, Any]) -> Any:
    """Call a method, undo what it did, and return the result or the error."""
    context = dataclasses.replace(
        site.daemon.context, store=UndoingStore(site.daemon.context.store)
    )
    try:
        return await invoke(Call(context=context, caller=caller), method, params)
    except HaasError as error:
        return error


def kind_of(result: Any) -> str:
    return result.kind if isinstance(result, HaasError) else "done"


def test_every_method_is_in_the_table_and_nothing_else() -> None:
    documented = {entry["name"]: entry["x-right"] for entry in openrpc.document(METHODS)["methods"]}
    assert documented == RIGHTS


async def test_roles_on_own_shared_and_free_objects(roles: SmallSite) -> None:
    """Whoever has the role gets in; whoever has not is denied, before anything else."""
    tried = 0
    for method, right in sorted(RIGHTS.items()):
        for kind in ("own", "shared", "free"):
            for user, role in ROLES.items():
                if user == "eve" or (method in OF_DEVICES and user == "ada"):
                    continue
                names: set[str] = set()
                if kind != "own":
                    names = named(method) & OBJECTS[kind].keys()
                if kind != "own" and not names:
                    continue
                params = params_of(method, kind)
                for name in names:
                    params |= params_of(method, kind, name)
                result = await answer(roles, Caller(user, admin=role == "admin"), method, params)
                tried += 1
                if kind == "free":  # it belongs to nobody, so no role is missing
                    assert kind_of(result) != "internal", (method, kind, user)
                elif RANK[role] < RANK[right]:
                    assert kind_of(result) == "denied", (method, kind, user, result)
                else:
                    assert kind_of(result) != "denied", (method, kind, user, str(result))
    assert tried > 400
    print(f"{len(RIGHTS)} methods, {tried} calls on own, shared and free objects")


async def test_a_read_only_caller_changes_nothing_in_any_role(roles: SmallSite) -> None:
    for method, declared in METHODS.items():
        for user, role in ROLES.items():
            if method in OF_DEVICES:
                continue
            caller = Caller(user, admin=role == "admin", readonly=True)
            params = params_of(method, "own")
            result = await answer(roles, caller, method, params)
            if declared.changes(params):
                assert kind_of(result) == "denied", (method, user)


async def test_foreign_equals_nonexistent_for_everybody(roles: SmallSite) -> None:
    """Byte for byte, whichever param names the object, and whatever the role."""
    tried = 0
    [(red,)] = await roles.rows("SELECT id FROM project WHERE name = 'red'")
    callers = [Caller(user, admin=False) for user, role in ROLES.items() if role != "admin"]
    callers.append(Caller("ada", admin=False, bound=Bound(red, "owner")))
    callers.append(Caller("rita", admin=False, readonly=True))
    for method in sorted(RIGHTS):
        for param in sorted(named(method)):
            if (method, param) in MAKES:
                continue
            for caller in callers:
                said = []
                for kind in ("foreign", "nonexistent"):
                    params = params_of(method, kind, param)
                    result = await answer(roles, caller, method, params)
                    name = str(params[param])
                    said.append(_text(result, name))
                    assert kind_of(result) != "internal", (method, param, str(result))
                tried += 1
                assert said[0] == said[1], (method, param, caller)
    assert tried > 200
    print(f"{tried} pairs of foreign and nonexistent objects")


MAKES = {("network.create", "network"), ("headnode.create", "headnode"), ("node.register", "node")}
"""Methods in which the name is that of a thing to create."""


def _text(result: Any, name: str) -> str:
    if isinstance(result, HaasError):
        return json.dumps([result.code, result.message.replace(name, "X"), result.data])
    return json.dumps(result, default=str).replace(name, "X")
