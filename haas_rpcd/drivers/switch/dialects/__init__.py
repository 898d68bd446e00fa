"""All dialects by name: one module here for each, and one file in the site's own folder.

Each module defines its dialect as ``DIALECT``.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import stat
from pathlib import Path
from types import ModuleType

from haas_rpcd.drivers.switch.dialect import Dialect


class DialectError(Exception):
    """A site's own dialect can't be used. The message names the file and the reason."""


def built_in() -> dict[str, Dialect]:
    """Return the dialects of this package."""
    modules = [
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    ]
    dialects: list[Dialect] = [module.DIALECT for module in modules]
    return {dialect.name: dialect for dialect in sorted(dialects, key=lambda one: one.name)}


def load(folder: Path) -> dict[str, Dialect]:
    """Return the dialects in every ``*.py`` of a site's own folder; none if it does not exist.

    They are code that runs in the daemon. So a file or folder that others may write is refused, and
    so is the name of a built-in dialect. Raises DialectError.
    """
    found: dict[str, Dialect] = {}
    if not folder.is_dir():
        return found
    for path in (folder, *sorted(folder.glob("*.py"))):
        if path.stat().st_mode & (stat.S_IWOTH | stat.S_IWGRP):
            raise DialectError(f"{path} can be written by others: run  chmod go-w {path}")
    for path in sorted(folder.glob("*.py")):
        dialect = getattr(_module(path), "DIALECT", None)
        if not isinstance(dialect, Dialect):
            raise DialectError(f"{path} has no DIALECT: see docs/switches.md, Adding a family.")
        if dialect.name in DIALECTS or dialect.name in found:
            raise DialectError(f"{path}: there is a dialect {dialect.name} already.")
        found[dialect.name] = dialect
    return found


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"haas_dialect_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise DialectError(f"{path} is not a Python module.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # noqa: BLE001 - whatever a site's own code may raise
        raise DialectError(f"{path} can't be loaded: {type(error).__name__}: {error}") from None
    return module


DIALECTS = built_in()
"""The dialects of this package, by name."""
