"""Imports go one way. The contracts of pyproject.toml keep packages apart; this keeps modules."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp


def test_no_module_imports_itself_through_others_not_even_for_types() -> None:
    """The contract on cycles compares siblings, so it misses a package that imports its parts."""
    graph = grimp.build_graph(
        "haas_rpcd", "haas_console", "haas_schemas", exclude_type_checking_imports=False
    )
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        raise AssertionError(" imports ".join(reversed(error.args[1]))) from None
