"""All dialects by name: one module here for each, and one file in the site's own folder.

Every class in a module that derives from Dialect and defines a ``name`` is found.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import stat
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from haas_rpcd.drivers.switch.dialect import Dialect


class DialectError(Exception):
    """A site's own dialect can't be used. The message names the file and the reason."""


def _in(module: ModuleType) -> Iterator[Dialect]:
    for value in vars(module).values():
        if (
            isinstance(value, type)
            and issubclass(value, Dialect)
            and value.__module__ == module.__name__
            and "name" in vars(value)
        ):
            yield value()


def built_in() -> dict[str, Dialect]:
    """Return the dialects of this package."""
    modules = [
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    ]
    found = [dialect for module in modules for dialect in _in(module)]
    return {dialect.name: dialect for dialect in sorted(found, key=lambda dialect: dialect.name)}


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
        dialects = list(_in(_module(path)))
        if not dialects:
            raise DialectError(f"{path} has no class that is a Dialect with a name of its own.")
        for dialect in dialects:
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
