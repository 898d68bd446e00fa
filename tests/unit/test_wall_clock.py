"""Time is measured by clocks that nobody sets; only dates are compared with the wall clock."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "haas_rpcd"

OF_DATES = {
    "backups.py": "how old the last backup is; never waits longer than the interval",
    "engine/confirms.py": "the deadline of a confirmation, only if the master was rebooted since",
    "engine/late.py": "until when a node is not free, for people to read",
    "methods/health.py": "how old the last backup is",
    "rpc/transport.py": "the date on which a token expires",
    "store/retention.py": "records older than so many days",
}
"""Modules that calculate with the time of day, and what it is to them."""


def calculates(tree: ast.AST) -> bool:
    """Return whether the time of day is added, subtracted or compared."""
    return any(
        _tells_time(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp | ast.Compare)
        for part in ast.walk(node)
    )


def _tells_time(node: ast.AST) -> bool:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    name = ast.unparse(node.func)
    return name == "time.time" or name.endswith(".wall")


def modules() -> Iterator[tuple[str, ast.AST]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = str(path.relative_to(PACKAGE))
        if not name.startswith("sim/"):  # a switch has a clock of its own
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def test_only_dates_depend_on_the_wall_clock() -> None:
    found = {name for name, tree in modules() if calculates(tree)}
    assert found == OF_DATES.keys(), "measure time by haas_rpcd.boottime, or name the date above"
