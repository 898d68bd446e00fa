"""Bearer tokens: one's own, and for admins everybody's. A new one is shown once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core import tables
from haas_console.core.commands import Call
from haas_console.core.facts import Fact
from haas_console.core.inventory import records
from haas_console.core.objects import Ref
from haas_console.core.paging import all_items
from haas_console.core.session import Session
from haas_console.core.sync import Changes
from haas_console.tui.reading import Reader
from haas_console.tui.screen import ConsoleScreen, in_turn
from haas_console.tui.tablelines import TableLines
from haas_schemas.token import Token

LOOKS = {"label": "head", "created": "dim", "last used": "dim"}


class TokenLines(TableLines[Token]):
    """One line for each token."""

    def __init__(self, *, id: str) -> None:
        super().__init__(tables.TOKENS, lambda token: (token.user, token.label), id=id)
        self.empty = "   no token yet: n makes one, with which a program logs in over TLS"

    def look(self, name: str, item: Token) -> str:
        """The style of a cell."""
        if name == "may":
            return "dim" if item.readonly else "staged"
        return LOOKS.get(name, "")


class TokensScreen(ConsoleScreen):
    """The tokens that the user may see, never their secrets."""

    TITLE: ClassVar[str] = "Tokens"
    NAME = "tokens"
    AUTO_FOCUS = "#tokens"
    METHODS: ClassVar[Mapping[str, str]] = {"new": "token.create", "revoke": "token.revoke"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="tokens.open"),
        Binding("n", "new", "New token", id="tokens.new"),
        Binding("x", "revoke", "Revoke", id="tokens.revoke"),
        Binding("r", "refresh", "Read again", id="tokens.refresh"),
        Binding("escape", "back", "Back", id="tokens.back"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._reader = Reader(self)

    def compose_body(self) -> ComposeResult:
        """The list and its header."""
        lines = TokenLines(id="tokens")
        yield lines.header
        yield lines

    @property
    def lines(self) -> TokenLines:
        """The list."""
        return self.query_one(TokenLines)

    @property
    def _user(self) -> str:
        info = self.session.inventory.info
        return info.user if info is not None else ""

    def changed(self, changes: Changes) -> None:
        """Read the list when the screen opens, and when a token was made or revoked."""
        if changes & {"info", "token", "command"}:
            self.action_refresh()

    @work(group="tokens", exclusive=True)
    async def action_refresh(self) -> None:
        """Read the tokens again."""
        call = partial(self.session.sync.call, quiet=True)
        items = await self._reader.read(all_items(call, "token.list"), self.action_refresh)
        if items is None:
            return
        found, lines = list(records(Token, items)), self.lines
        one_s_own = all(token.user == self._user for token in found)
        lines.left_out = frozenset({"user"} if one_s_own else ())
        lines.show_items(found)

    # --- keys ---

    def action_open(self) -> None:
        """Show all of the token under the cursor but its secret."""
        token = self.lines.current()
        if token is None:
            self.fail("There is no token under the cursor.")
        else:
            self.console.navigation.open_facts(f"Token {token.label}", facts_of(token))

    def action_new(self) -> None:
        """Fill in the form of a new token; its secret is shown once."""
        self.console.navigation.open_form("token.create", done=self._show_once)

    def _show_once(self, answer: Mapping[str, Any]) -> None:
        facts = [
            Fact("token", answer["token"], look="staged"),
            Fact("", "It is shown only this once, and kept nowhere: y copies it."),
            Fact("use", "HAAS_TOKEN=... haas-console --url https://MASTER:8443", look="dim"),
            Fact("label", answer["label"]),
            Fact("user", answer["user"]),
            Fact("expires", answer["expires"] or "never"),
        ]
        self.console.navigation.open_facts("New token", facts, secret=answer["token"])

    @in_turn
    async def action_revoke(self) -> None:
        """Revoke the token under the cursor, after a question."""
        token = self.lines.current()
        if token is None:
            self.fail("There is no token under the cursor.")
            return
        whose = "" if token.user == self._user else f" of {token.user}"
        question = f"revoke the token {token.label}{whose}, and those made with it?"
        if await self.confirm(question):
            params = {"label": token.label}
            if whose:
                params["user"] = token.user
            await self.send([Call("token.revoke", params)])


def facts_of(token: Token) -> list[Fact]:
    """A token as facts."""
    project = Ref("project", token.project) if token.project else None
    return [
        Fact("label", token.label),
        Fact("user", token.user),
        Fact("for", token.project or "all projects of its user", project),
        Fact("may", "only read" if token.readonly else "change what its user may"),
        Fact("created", token.created),
        Fact("expires", token.expires or "never"),
        Fact("last used", token.last_used or "never"),
    ]
