"""Networks that projects share: offers to accept or refuse, and shares to end."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core import tables
from haas_console.core.commands import Call
from haas_console.core.inventory import records
from haas_console.core.objects import Ref
from haas_console.core.paging import all_items
from haas_console.core.session import Session
from haas_console.core.sharelist import Share, shares
from haas_console.core.sync import Changes
from haas_console.tui.lines import Lines, Part
from haas_console.tui.reading import Reader
from haas_console.tui.screen import ConsoleScreen, in_turn
from haas_console.tui.tablelines import TableLines
from haas_schemas.network import Offer

SIGNS: dict[str, Part] = {"offered": ("?", "staged"), "ending": ("-", "leaves")}


class ShareLines(TableLines[Share]):
    """One line for each project that uses, or may use, a network of another."""

    def __init__(self, *, id: str) -> None:
        super().__init__(tables.SHARES, lambda share: share.key, id=id)
        self.empty = "   no network is shared: n offers one to another project"

    def mark(self, item: Share) -> Part:
        """The sign of an offer, and of a share that ends."""
        return SIGNS.get(item.state, (" ", ""))

    def look(self, name: str, item: Share) -> str:
        """The style of a cell."""
        match name:
            case "network":
                return "head"
            case "state":
                return {"offered": "staged", "shared": "good"}.get(item.state, "leaves")
            case "what to do":
                return "dim"
            case _:
                return ""


class SharesScreen(ConsoleScreen):
    """The shares that the user's projects take part in."""

    TITLE: ClassVar[str] = "Shares"
    NAME = "shares"
    AUTO_FOCUS = "#shares"
    METHODS: ClassVar[Mapping[str, str]] = {
        "offer": "network.share",
        "accept": "network.accept",
        "end": "network.unshare",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="shares.open"),
        Binding("n", "offer", "Offer a network", id="shares.offer"),
        Binding("A", "accept", "Accept", id="shares.accept"),
        Binding("x", "end", "Refuse, withdraw, end", id="shares.end"),
        Binding("escape", "back", "Back", id="shares.back"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._offers: list[Offer] = []
        self._reader = Reader(self)

    def compose_body(self) -> ComposeResult:
        """The list and its header."""
        lines = ShareLines(id="shares")
        yield lines.header
        yield lines

    @property
    def lines(self) -> ShareLines:
        """The list."""
        return self.query_one(ShareLines)

    def changed(self, changes: Changes) -> None:
        """Show the shares as they are now."""
        if changes & {"network", "project", "info"}:
            self._show()
            self._read_offers()

    def _show(self) -> None:
        self.lines.show_items(shares(self.session.inventory, self._offers))
        self.refresh_bindings()

    @work(group="offers", exclusive=True)
    async def _read_offers(self) -> None:
        """Read what is offered to the user's projects; an admin's networks say so already."""
        offers = await self._reader.read(self._offered(), self._read_offers)
        if offers is not None:
            self._offers = offers
            self._show()

    async def _offered(self) -> list[Offer]:
        info, found = self.session.inventory.info, []
        call = partial(self.session.sync.call, quiet=True)
        for project in info.projects if info is not None and not info.admin else ():
            found += await all_items(call, "network.offers", {"project": project})
        return list(records(Offer, found))

    def on_lines_moved(self, event: Lines.Moved) -> None:
        """Grey what can't be done with the share under the cursor."""
        event.stop()
        self.refresh_bindings()

    def acts_in(self, action: str) -> str | None:
        """The project that acts: the guest accepts; either that the user is in may end a share."""
        share = self.lines.current()
        if share is None or action == "offer":
            return self.session.project
        return share.owner if action == "end" and share.owns else share.guest

    # --- keys ---

    def under_cursor(self) -> Ref | None:
        """The network, once it can be seen."""
        share = self.lines.current()
        known = share and (share.owner, share.network) in self.session.inventory.networks
        return Ref("network", share.full_name) if share and known else None

    def action_open(self) -> None:
        """Show all of the network under the cursor."""
        share = self.lines.current()
        if share is None:
            self.fail("There is no share under the cursor.")
        elif (ref := self.under_cursor()) is None:
            self.fail(f"{share.full_name} can be seen once it is accepted.")
        else:
            self.console.navigation.open_details(ref)

    @in_turn
    async def action_offer(self) -> None:
        """Offer a network of the current project to another, which accepts it or not."""
        inventory, project = self.session.inventory, self.session.project
        if project is None:
            self.fail("A network of which project? p chooses one.")
            return
        names = [n.network for n in inventory.networks_of(project) if n.project == project]
        if not names:
            self.fail(f"{project} has no network: n on the board makes one.")
            return
        network = await self.ask(f"offer a network of {project}: ", choices=names)
        if network is None:
            return
        admin = inventory.info is not None and inventory.info.admin
        others = sorted(name for name in inventory.projects if name != project)
        # A tenant does not know which projects there are, so it types the name.
        guest = await self.ask(f"share {network} with: ", choices=others if admin else None)
        if guest and guest.strip():
            params = {"network": network, "with": guest.strip(), "project": project}
            await self.send([Call("network.share", params)])

    @in_turn
    async def action_accept(self) -> None:
        """Accept the offer under the cursor."""
        share = self.lines.current()
        if share is None or share.state != "offered":
            self.fail("There is no offer under the cursor.")
        elif not share.uses:
            self.fail(f"Only {share.guest} can accept what is offered to it.")
        else:
            params = {"project": share.guest, "network": share.full_name}
            await self.send([Call("network.accept", params)])

    @in_turn
    async def action_end(self) -> None:
        """Refuse or withdraw the offer under the cursor, or end the share, after a question."""
        share = self.lines.current()
        if share is None or share.state == "ending":
            self.fail("There is no offer or share to end under the cursor.")
            return
        question = f"end the share of {share.full_name} with {share.guest}? What it has there is"
        question += " parked."
        if share.state == "offered":
            verb = "withdraw" if share.owns else "refuse"
            question = f"{verb} the offer of {share.full_name} to {share.guest}?"
        if await self.confirm(question):
            params = {"network": share.full_name, "with": share.guest}
            await self.send([Call("network.unshare", params)])
