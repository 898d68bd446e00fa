"""Mutation testing itself: faults match the code, and each changes one thing."""

from __future__ import annotations

import ast

import pytest

from tests.mutants.__main__ import ROOT, Known, known, rooms
from tests.mutants.operators import mutants


@pytest.mark.parametrize("fault", known(), ids=lambda fault: fault.means.replace(" ", "-"))
def test_a_known_fault_matches_the_code(fault: Known) -> None:
    """If this fails, update tests/mutants/known.toml: the line it replaces was rewritten."""
    mutant = fault.mutant()
    ast.parse(mutant.source)
    assert mutant.source != (ROOT / fault.path).read_text()
    assert fault.room in rooms()
    named = [each.partition("::")[0] for each in fault.tests if each.startswith("tests/")]
    assert [each for each in named if not (ROOT / each).exists()] == []


@pytest.mark.parametrize("name", list(rooms()))
def test_the_tests_of_a_room_exist(name: str) -> None:
    missing = [test for test in rooms()[name].tests if not (ROOT / test).exists()]
    assert missing == []


@pytest.mark.parametrize(
    ("statement", "faults"),
    [
        ("return a == b", {"return a != b", "return None"}),
        ("return a < b", {"return a <= b", "return None"}),
        ("x = a and b", {"x = (a or b)", "x = (a)", "x = (b)"}),
        ("x = not a", {"x = (a)"}),
        ("x = 7", {"x = 8"}),
        ("x = a + b", {"x = (a - b)"}),
        ("x += a", {"x -= a"}),
        ("call(a)", {"pass"}),
        ("raise ValueError(a)", {"pass"}),
        (
            "if a: b = c",
            {"if (not (a)): b = c"},
        ),
        (
            "x = 'SELECT a FROM t WHERE b = ? AND c'",
            {
                "x = 'SELECT a FROM t WHERE b <> ? AND c'",
                "x = 'SELECT a FROM t WHERE b = ? OR c'",
            },
        ),
        ("log.info(a, 7)", set()),
        ("x: int | None = a", set()),
        ("x = f'{a + 7}'", set()),
        ("'A docstring, AND more.'", set()),
    ],
)
def test_each_fault_changes_one_thing(statement: str, faults: set[str]) -> None:
    source = f"def f():\n    {statement}\n"
    found = {mutant.source for mutant in mutants("module.py", source)}
    assert found == {f"def f():\n    {fault}\n" for fault in faults}
