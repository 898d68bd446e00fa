"""The site file. An import first shows what it would change; an export writes a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core import files
from haas_console.core.commands import ExportSite, ImportSite
from haas_console.core.errors import ConsoleError
from haas_console.tui.bars import Bar
from haas_console.tui.lines import Lines, Part
from haas_console.tui.screen import ConsoleScreen, in_turn

MOST = 100  # files that are suggested while a path is typed

EMPTY: tuple[list[Part], ...] = (
    [("  A site file holds users, projects, switches with their ports, and nodes with", "")],
    [("  their nics. An import makes and changes what it says, and never deletes.", "")],
    [],
    [("  i  imports one: first it shows what would change", "dim")],
    [("  x  exports the site as it is", "dim")],
)


class SiteLines(Lines):
    """What an import would change or has changed, one line for each thing."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.lines: list[list[Part]] = list(EMPTY)

    def count(self) -> int:
        """One line for each."""
        return len(self.lines)

    def parts(self, index: int, width: int) -> list[Part]:
        """The parts of the line."""
        return self.lines[index]

    def show_changes(self, answer: Mapping[str, Any]) -> None:
        """Show an import's answer: ``+`` created, ``~`` changed, and how many are unchanged."""
        self.lines = [[(" + ", "good"), (name, "")] for name in answer["created"]]
        self.lines += [[(" ~ ", "staged"), (name, "")] for name in answer["changed"]]
        if self.lines:
            self.lines.append([])
        self.lines.append([(f"   {answer['unchanged']} unchanged", "dim")])
        self.changed()
        self.action_go(0)


class SiteScreen(ConsoleScreen):
    """Import and export of the site."""

    TITLE: ClassVar[str] = "Site file"
    NAME = "site"
    AUTO_FOCUS = "#site"
    CHANGES = frozenset({"import", "confirm_import"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "import", "Import", id="site.import"),
        Binding("enter", "confirm_import", "Import what is shown", id="site.confirm"),
        Binding("x", "export", "Export", id="site.export"),
    ]

    def compose_body(self) -> ComposeResult:
        """What would change."""
        self.file: str | None = None
        yield Bar(id="title")
        yield SiteLines(id="site")

    @property
    def lines(self) -> SiteLines:
        """The list of changes."""
        return self.query_one(SiteLines)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide the key that confirms until there is something to confirm."""
        if action == "confirm_import" and getattr(self, "file", None) is None:
            return False
        return super().check_action(action, parameters)

    def _title(self, text: str) -> None:
        self.query_one("#title", Bar).show(Text(f" {text}", "bold"))
        self.refresh_bindings()
        self.show_bars()

    @in_turn
    async def action_import(self) -> None:
        """Choose a file, and show what its import would do."""
        if not self._may_name_files():
            return
        file = await self.ask("site file: ", text=self.file or "", complete=complete_path)
        if not file or not file.strip():
            return
        file = expand(file)
        outcome = await self.send([ImportSite(file, {"dry_run": True})], keep_keys=True)
        self.file = None
        if not outcome.ok:
            self.lines.lines = list(EMPTY)
            self.lines.changed()
            self._title("")
            return
        answer = outcome.results[-1]
        self.lines.show_changes(answer)
        made, changed = len(answer["created"]), len(answer["changed"])
        if made or changed:
            self.file = file
            self._title(f"{file} would make {made} and change {changed}: enter imports it")
        else:
            self._title(f"{file} would change nothing")

    @in_turn
    async def action_confirm_import(self) -> None:
        """Import the file whose dry run is shown."""
        file = self.file
        if file is None or not await self.confirm(f"import {file}?"):
            return
        outcome = await self.send([ImportSite(file)], keep_keys=True)
        if outcome.ok:
            answer = outcome.results[-1]
            self.file = None
            self.lines.show_changes(answer)
            made, changed = len(answer["created"]), len(answer["changed"])
            self._title(
                f"imported: {made} made, {changed} changed; apply the site to park its ports"
            )

    @in_turn
    async def action_export(self) -> None:
        """Write the site as it is into a file."""
        if not self._may_name_files():
            return
        file = await self.ask("export to: ", text="site.toml", complete=complete_path)
        if not file or not file.strip():
            return
        file = expand(file)
        if is_there(file) and not await self.confirm(f"{file} is there: write over it?"):
            return
        outcome = await self.send([ExportSite(file)])
        if outcome.ok:
            self.say(f"> site export {file}   ({outcome.results[-1]['bytes']} bytes)")

    def _may_name_files(self) -> bool:
        try:
            files.check("")
        except ConsoleError as error:
            self.fail(str(error))
            return False
        return True


def expand(file: str) -> str:
    """A typed path, with ``~`` expanded as in a shell."""
    return os.path.expanduser(file.strip())


def is_there(file: str) -> bool:
    """Whether the file exists."""
    return files.allowed() and Path(file).exists()


def complete_path(typed: str) -> list[str]:
    """The files and folders that begin with a typed path; folders end with a slash."""
    if not files.allowed():
        return []
    folder, _, begun = typed.rpartition("/")
    where = Path(os.path.expanduser(folder or ("/" if typed.startswith("/") else ".")))
    try:
        found = sorted(where.iterdir())
    except OSError:
        return []  # the folder does not exist or cannot be read
    names = [
        f"{folder}/{path.name}" if "/" in typed else path.name
        for path in found
        if path.name.startswith(begun) and (begun.startswith(".") or not path.name.startswith("."))
        if path.is_dir() or path.suffix == ".toml"
    ]
    folders = {path.name for path in found if path.is_dir()}
    return [f"{name}/" if name.rpartition("/")[2] in folders else name for name in names][:MOST]
