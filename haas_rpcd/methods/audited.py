"""What the audit trail keeps of a call: who, what, on which objects, cut to what fits a row."""

from __future__ import annotations

import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from haas_rpcd.auth import Caller
from haas_rpcd.errors import HaasError
from haas_rpcd.methods.registry import Method
from haas_rpcd.store import audit
from haas_rpcd.store.database import Tx

log = logging.getLogger(__name__)

MAX_PARAMS = 4000
"""Bytes of the params of a change, as JSON."""

MAX_REFUSED_PARAMS = 800
"""Likewise, of a call that was refused."""

_MAX_TEXT = 200
_MAX_ITEMS = 64
_MAX_NESTING = 4
_MAX_MESSAGE = 500
_MAX_OBJECTS = 500

Object = tuple[str, str]
"""A noun and a name: ``("node", "node-1")``, ``("network", "red/net")``."""

_SIMPLE = ("project", "node", "switch", "user", "job", "hypervisor")
_ALSO = {"with": "project", "label": "token"}


def objects_of(given: Mapping[str, Any]) -> list[Object]:
    """Return what a call is about, by its params."""
    found = [(noun, str(given[noun])) for noun in _SIMPLE if _names(given.get(noun))]
    found += [(noun, str(given[key])) for key, noun in _ALSO.items() if _names(given.get(key))]
    if _names(nic := given.get("nic")) and _names(given.get("node")):
        found.append(("nic", f"{given['node']}:{nic}"))
    for noun in ("network", "headnode"):
        if _names(given.get(noun)):
            name = str(given[noun])
            owned = "/" in name or not _names(given.get("project"))
            found.append((noun, name if owned else f"{given['project']}/{name}"))
    if _names(switch := given.get("switch")):
        ports = given.get("ports")
        ports = ports if isinstance(ports, list | tuple) else [given.get("port")]
        found += [("port", f"{switch} {port}") for port in ports[:_MAX_OBJECTS] if _names(port)]
    return found


def _names(value: Any) -> bool:
    """Return True if a param names something, rather than being absurd."""
    return (isinstance(value, str) and 0 < len(value) <= _MAX_TEXT) or type(value) is int


def bounded(params: Mapping[str, Any], most: int) -> dict[str, Any]:
    """Cut params until they have at most ``most`` bytes as JSON."""
    cut: dict[str, Any] = {key: _cut(value, _MAX_NESTING) for key, value in params.items()}
    while cut and len(json.dumps(cut)) > most:
        longest = max(cut, key=lambda key: len(json.dumps(cut[key])))
        if cut[longest] == "…":
            return {}
        cut[longest] = "…"
    return cut


def _cut(value: Any, nesting: int) -> Any:
    if isinstance(value, str):
        return (
            value
            if len(value) <= _MAX_TEXT
            else f"{value[:_MAX_TEXT]}… ({len(value):,} characters)"
        )
    if isinstance(value, dict | list | tuple) and nesting == 0:
        return "…"
    if isinstance(value, dict):
        some = list(value.items())[:_MAX_ITEMS]
        return {str(key)[:_MAX_TEXT]: _cut(each, nesting - 1) for key, each in some}
    if isinstance(value, list | tuple):
        items = [_cut(each, nesting - 1) for each in value[:_MAX_ITEMS]]
        more = len(value) - len(items)
        return [*items, f"… ({more:,} more)"] if more else items
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        return "…"
    return value


class RefusalMeter:
    """Says which refusals are recorded: each caller's first hundred, then ten a minute."""

    BURST = 100
    PER_SECOND = 10 / 60
    _CALLERS = 10_000

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._callers: OrderedDict[str, tuple[float, float, int]] = OrderedDict()
        """When a caller was last refused, how many may be recorded, and how many were not."""

    def admit(self, caller: str) -> int | None:
        """Return None to record nothing, else how many of the caller's refusals were left out."""
        now = self._clock()
        then, left, omitted = self._callers.pop(caller, (now, float(self.BURST), 0))
        left = min(float(self.BURST), left + (now - then) * self.PER_SECOND)
        recorded = left >= 1
        if not recorded and not omitted:
            log.warning("%s is refused so often that not each refusal is recorded", caller)
        state = (now, left - 1, 0) if recorded else (now, left, omitted + 1)
        self._callers[caller] = state
        if len(self._callers) > self._CALLERS:
            self._callers.popitem(last=False)
        return omitted if recorded else None


def record_change(
    tx: Tx,
    caller: Caller,
    declared: Method,
    arguments: Mapping[str, Any],
    *,
    project: str | None = None,
    objects: Iterable[Object] = (),
    job: int | None = None,
) -> None:
    """Record a call that was carried out. ``objects``: what it changed besides what params name."""
    params = _known(declared, {name.rstrip("_"): value for name, value in arguments.items()})
    project = project or params.get("project")
    _record(
        tx,
        caller,
        declared.name,
        project=project,
        params=bounded(params, MAX_PARAMS),
        objects=[*objects_of({**params, "project": project}), *objects][:_MAX_OBJECTS],
        job=job,
        outcome="done",
    )


def record_refusal(
    tx: Tx, caller: Caller, declared: Method, raw: Any, error: HaasError, left_out: int
) -> None:
    """Record a call that was refused. ``left_out``: how many before it were not recorded."""
    params = _known(declared, raw if isinstance(raw, dict) else {})
    message = error.message[:_MAX_MESSAGE]
    if left_out:
        message += f" ({left_out:,} refusals before it were not recorded)"
    project = params.get("project")
    _record(
        tx,
        caller,
        declared.name,
        project=project if _names(project) else None,
        params=bounded(params, MAX_REFUSED_PARAMS),
        objects=objects_of(params)[:_MAX_ITEMS],
        outcome=error.kind,
        message=message,
    )


def record_stranger(tx: Tx, user: str, via: str, error: HaasError, left_out: int) -> None:
    """Record that somebody unknown was not let in."""
    more = f" ({left_out:,} refusals before it were not recorded)" if left_out else ""
    caller = Caller(user=user, admin=False, via=via)
    message = error.message[:_MAX_MESSAGE] + more
    _record(tx, caller, "connect", project=None, params={}, outcome=error.kind, message=message)


def _known(declared: Method, given: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out params that the method does not have, and those that may hold a secret."""
    known = set(declared.params.__struct_encode_fields__) - declared.unaudited
    kept = {key: value for key, value in given.items() if key in known and value is not None}
    plain: dict[str, Any] = msgspec.to_builtins(kept)
    return plain


def _record(
    tx: Tx,
    caller: Caller,
    method: str,
    *,
    project: Any,
    params: dict[str, Any],
    outcome: str,
    objects: Iterable[Object] = (),
    message: str | None = None,
    job: int | None = None,
) -> None:
    audit.record(
        tx,
        audit.Entry(
            time=time.time(),
            user=caller.user,
            via=caller.via,
            admin=caller.admin,
            method=method,
            project=project if isinstance(project, str) else None,
            params=params,
            objects=tuple(objects),
            outcome=outcome,
            message=message,
            job=job,
        ),
    )
