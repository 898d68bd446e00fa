"""Projects: what each holds and its members; for admins also the users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from haas_console.core import tables
from haas_console.core.commands import Call
from haas_console.core.objects import Ref
from haas_console.core.paging import all_items
from haas_console.core.session import Session
from haas_console.core.sync import Changes
from haas_console.core.tables import ProjectLine, is_full
from haas_console.tui.bars import Bar
from haas_console.tui.lines import ClickableLines, Lines, Part, cut
from haas_console.tui.reading import Reader
from haas_console.tui.screen import ConsoleScreen, in_turn
from haas_console.tui.tablelines import TableLines
from haas_schemas.project import Project, Quota

NUMBERS = frozenset({"nodes", "nets", "heads", "staged"})


@dataclass(frozen=True)
class User:
    """A person, as ``user.list`` describes them."""

    user: str
    admin: bool
    projects: tuple[str, ...]


class ProjectLines(TableLines[ProjectLine]):
    """One line for each project."""

    def __init__(self, *, id: str) -> None:
        super().__init__(tables.PROJECTS, lambda line: line.key, id=id)
        self.in_use: str | None = None

    def mark(self, item: ProjectLine) -> Part:
        """A sign before the project in use."""
        return ("▶", "mark") if item.key == self.in_use else (" ", "")

    def text(self, name: str, item: ProjectLine, size: int) -> str:
        """The text of a cell; numbers are on the right."""
        text = super().text(name, item, size)
        return text.rjust(size) if name in NUMBERS else text

    def look(self, name: str, item: ProjectLine) -> str:
        """The style of a cell."""
        match name:
            case "project":
                return "head"
            case "staged":
                return "staged" if item.staged else "dim"
            case "nodes" | "nets" | "heads":
                return "bad" if is_full(item, name) else ""
            case _:
                return ""


class UserLines(ClickableLines):
    """One line for each user."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.users: list[User] = []

    def count(self) -> int:
        """One line for each."""
        return len(self.users)

    def parts(self, index: int, width: int) -> list[Part]:
        """Name, role, projects."""
        user = self.users[index]
        role = "admin" if user.admin else ""
        return [
            (f" {cut(user.user, 16)} ", "head"),
            (cut(role, 7), "staged"),
            (", ".join(user.projects) or "-", "dim"),
        ]


class ProjectsScreen(ConsoleScreen):
    """The caller's projects; for admins all projects, and the users."""

    TITLE: ClassVar[str] = "Projects"
    NAME = "projects"
    AUTO_FOCUS = "#projects"
    METHODS: ClassVar[Mapping[str, str]] = {
        "new": "project.create",
        "delete": "project.delete",
        "add_member": "project.add_member",
        "remove_member": "project.remove_member",
        "new_user": "user.create",
        "quota": "project.set_quota",
    }
    DEFAULT_CSS = """
    ProjectsScreen #people { width: 36%; border-left: solid $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="projects.open"),
        Binding("space", "use", "Make it the current", id="projects.use"),
        Binding("n", "new", "New project", id="projects.new"),
        Binding("plus", "add_member", "Add member", key_display="+", id="projects.add_member"),
        Binding("minus", "remove_member", "Remove", key_display="-", id="projects.remove_member"),
        Binding("Q", "quota", "Quota", id="projects.quota"),
        Binding("u", "new_user", "New user", id="projects.new_user"),
        Binding("x", "delete", "Delete", id="projects.delete"),
        Binding("tab", "other_side", "Users", id="projects.other_side"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._reader = Reader(self)

    def compose_body(self) -> ComposeResult:
        """Projects on the left, users on the right."""
        with Horizontal(id="body"):
            with Vertical():
                lines = ProjectLines(id="projects")
                yield lines.header
                yield lines
            with Vertical(id="people"):
                yield Bar(id="people-title")
                yield UserLines(id="users")

    @property
    def projects(self) -> ProjectLines:
        """The list of projects."""
        return self.query_one(ProjectLines)

    @property
    def users(self) -> UserLines:
        """The list of users."""
        return self.query_one(UserLines)

    @property
    def admin(self) -> bool:
        """Whether the caller is an admin."""
        info = self.session.inventory.info
        return info is not None and info.admin

    @property
    def project(self) -> Project | None:
        """The project under the cursor."""
        line = self.projects.current()
        return line.project if line is not None else None

    # --- showing ---

    def changed(self, changes: Changes) -> None:
        """Show projects and users as they are now."""
        inventory, lines = self.session.inventory, self.projects
        if changes & {"project", "node", "headnode", "network", "use", "info"}:
            found = sorted(inventory.projects.values(), key=lambda p: p.project)
            lines.in_use = self.session.project
            lines.empty = " No project yet: n makes one."
            if not self.admin:
                lines.empty = " You are in no project yet: ask an admin."
            lines.show_items([ProjectLine(p, inventory.staged_count(p.project)) for p in found])
        if changes & {"user", "project", "info"}:
            self.query_one("#people").display = self.admin
            self.refresh_bindings()
            if self.admin:
                self._fetch_users()

    @work(group="users", exclusive=True)
    async def _fetch_users(self) -> None:
        call = partial(self.session.sync.call, quiet=True)
        items = await self._reader.read(all_items(call, "user.list"), self._fetch_users)
        if items is None:
            return
        found = [User(each["user"], each["admin"], tuple(each["projects"])) for each in items]
        self.users.users = found
        self.users.changed()
        self.query_one("#people-title", Bar).show(Text(f" users ({len(found)})", "dim"))

    def acts_in(self, action: str) -> str | None:
        """The project under the cursor."""
        return self.project.project if self.project is not None else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide from tenants the users, whom only admins see."""
        if action == "other_side" and not self.admin:
            return False
        return super().check_action(action, parameters)

    def on_lines_moved(self, event: Lines.Moved) -> None:
        """Grey what can't be done with the project under the cursor."""
        event.stop()
        self.refresh_bindings()

    # --- keys ---

    def under_cursor(self) -> Ref | None:
        """The project; users have no reference."""
        if self.project is None or self.focused is self.users:
            return None
        return Ref("project", self.project.project)

    def action_open(self) -> None:
        """Show all that the project under the cursor holds."""
        if (ref := self.under_cursor()) is not None:
            self.console.navigation.open_details(ref)

    def action_use(self) -> None:
        """Make the project under the cursor the current one."""
        if self.project is not None:
            self.session.use(self.project.project)
            self.say(f"> use {self.project.project}")

    def action_other_side(self) -> None:
        """Go to the users, or back."""
        other: Lines = self.projects if self.focused is self.users else self.users
        other.focus(scroll_visible=False)

    @in_turn
    async def action_new(self) -> None:
        """Make a project."""
        name = (await self.ask("new project: ") or "").strip()
        if name:
            await self.send([Call("project.create", {"project": name})])

    def action_quota(self) -> None:
        """Change how much the project under the cursor may hold, by a form."""
        project = self.project
        if project is None:
            self.fail("There is no project under the cursor.")
            return
        quota = project.quota or Quota()
        given = {noun: str(getattr(quota, noun)) for noun in ("nodes", "networks", "headnodes")}
        limits = {noun: most for noun, most in given.items() if most != "None"}
        self.console.navigation.open_form(
            "project.set_quota", {"project": project.project, **limits}
        )

    def action_new_user(self) -> None:
        """Fill in the form of a new user."""
        self.console.navigation.open_form("user.create")

    @in_turn
    async def action_add_member(self) -> None:
        """Choose a user that may act for the project."""
        project = self.project
        if project is None:
            self.fail("There is no project under the cursor.")
            return
        names = [u.user for u in self.users.users if u.user not in project.members]
        if not self.admin:  # an owner may not learn which users there are
            await self._add(project, await self.ask(f"add to {project.project}: "))
            return
        if not names:
            self.fail("All users are members already: u makes a new one.")
            return
        if self.focused is self.users and self.users.users[self.users.cursor].user in names:
            names.insert(0, self.users.users[self.users.cursor].user)
            names = list(dict.fromkeys(names))
        await self._add(project, await self.ask(f"add to {project.project}: ", choices=names))

    async def _add(self, project: Project, name: str | None) -> None:
        if name and name.strip():
            params = {"project": project.project, "user": name.strip()}
            await self.send([Call("project.add_member", params)])

    @in_turn
    async def action_remove_member(self) -> None:
        """Choose a member, who may then no longer act for the project."""
        project = self.project
        if project is None or not project.members:
            self.fail("There is no member to remove.")
            return
        name = await self.ask(f"remove from {project.project}: ", choices=project.members)
        if name is not None:
            params = {"project": project.project, "user": name}
            await self.send([Call("project.remove_member", params)])

    @in_turn
    async def action_delete(self) -> None:
        """Delete the project, or the user, under the cursor, after a question."""
        users = self.users
        if self.focused is users and users.users:
            noun, name = "user", users.users[users.cursor].user
        elif self.focused is not users and self.project is not None:
            noun, name = "project", self.project.project
        else:
            self.fail("There is nothing under the cursor.")
            return
        if await self.confirm(f"delete {noun} {name}?"):
            await self.send([Call(f"{noun}.delete", {noun: name})])
