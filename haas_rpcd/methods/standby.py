"""What a standby answers: it reads what the master had, changes nothing, and asks no device."""

from __future__ import annotations

from typing import Any

from haas_rpcd.auth import Caller
from haas_rpcd.errors import UnavailableError
from haas_rpcd.methods.registry import Method
from haas_schemas.system import Standby

_MASTERS_OWN = frozenset(
    {"cabling.check", "drift.check", "job.subscribe", "job.wait", "node.power"}
)
"""Methods that only read, but need devices, or the jobs as they run."""

_ABOUT_ITSELF = frozenset({"rpc.discover", "system.info"})
"""Methods that show nothing of the site."""

RIGHTS_LAST = 60.0
"""Seconds for which somebody keeps, on a standby, what the master may have taken away."""


def check(standby: Standby, caller: Caller, declared: Method, raw: Any) -> None:
    """Raise UnavailableError for what only the master does, and for rights that are too old."""
    if declared.name not in _MASTERS_OWN and not declared.changes(raw):
        if standby.age > RIGHTS_LAST and not caller.by_system:
            _check_rights(standby, declared)
        return
    does = "changes nothing" if declared.changes(raw) else "asks no device and runs no job"
    if standby.master is None:
        raise UnavailableError(
            f"This daemon stands by and {does}, and there is no master now: this one becomes it in"
            " a moment, unless another one does. Try again."
        )
    where = f" at {standby.address}" if standby.address is not None else ""
    raise UnavailableError(
        f"This daemon stands by and {does}: {standby.master} is the master. Call {declared.name}"
        f" there{where}.",
        master=standby.master,
    )


def _check_rights(standby: Standby, declared: Method) -> None:
    if declared.name not in _ABOUT_ITSELF:
        raise UnavailableError(
            f"This daemon stands by, and what it has is {standby.age:.0f} s old, with all rights:"
            " ask the master. Only root is answered here until it is newer."
        )
