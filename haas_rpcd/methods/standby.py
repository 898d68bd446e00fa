"""What a standby answers: it reads what the master had, changes nothing, and asks no device."""

from __future__ import annotations

from typing import Any

from haas_rpcd.errors import UnavailableError
from haas_rpcd.methods.registry import Method
from haas_schemas.system import Standby

_MASTERS_OWN = frozenset(
    {"cabling.check", "drift.check", "job.subscribe", "job.wait", "node.power"}
)
"""Methods that only read, but need devices, or the jobs as they run."""


def check(standby: Standby, declared: Method, raw: Any) -> None:
    """Raise UnavailableError for what only the master does."""
    if declared.name not in _MASTERS_OWN and not declared.changes(raw):
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
