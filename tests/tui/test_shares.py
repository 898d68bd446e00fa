"""Shares of networks on the screen: offered, accepted, refused and ended; and quotas."""

from __future__ import annotations

from haas_console.core.inventory import Inventory
from haas_console.core.sharelist import shares
from haas_console.tui.screens.details import DetailsScreen
from haas_console.tui.screens.forms import FormScreen
from haas_console.tui.screens.projects import ProjectLines, ProjectsScreen
from haas_console.tui.screens.shares import ShareLines, SharesScreen
from haas_schemas.network import Network, Offer
from tests.rpc.small_site import SmallSite
from tests.tui.console import Hands, console
from tests.tui.sites import info
from tests.tui.tenants import console_of, member, prepared, tenants, token_of

__all__ = ["prepared", "tenants"]  # fixtures


async def on_shares(hands: Hands) -> ShareLines:
    await hands.press("L")
    await hands.until(lambda: isinstance(hands.app.screen, SharesScreen))
    return hands.app.screen.query_one(ShareLines)


async def test_one_project_offers_a_network_and_the_other_accepts_it(tenants: SmallSite) -> None:
    async with (
        console_of(tenants, await token_of(tenants, "rita")) as rita,
        console_of(tenants, await token_of(tenants, "bob")) as bob,
    ):
        offered, known = await on_shares(rita), await on_shares(bob)
        assert "n offers one" in rita.bar("title")
        await rita.press("n", "enter")
        await rita.type("blue")
        await rita.press("enter")
        await rita.until(lambda: offered.count() == 1)
        assert "? net" in rita.text(offered)[0] and "x withdraws the offer" in rita.text(offered)[0]

        await bob.until(lambda: known.count() == 1)
        assert "A accepts, x refuses" in bob.text(known)[0]
        await bob.press("enter")
        assert "can be seen once it is accepted" in bob.bar("message")
        await bob.press("A")
        await bob.until(lambda: "shared" in bob.text(known)[0])
        await rita.until(lambda: "x ends the share" in rita.text(offered)[0])
        await bob.press("enter")
        await bob.until(lambda: isinstance(bob.app.screen, DetailsScreen))
        assert bob.bar("title").strip() == "network red/net"
        await bob.press("escape", "x", "y", "enter")
        await bob.until(lambda: known.count() == 0)
        await rita.until(lambda: offered.count() == 0)


async def test_an_offer_is_refused_and_a_reader_may_not_and_is_told_why(
    tenants: SmallSite,
) -> None:
    await member(tenants, "blue", "eve", "reader")
    await tenants.tenant("rita").call("network.share", network="net", **{"with": "blue"})
    async with console_of(tenants, await token_of(tenants, "eve")) as hands:
        lines = await on_shares(hands)
        await hands.until(lambda: lines.count() == 1)
        for key, what in (("A", "network accept"), ("x", "network unshare")):
            await hands.press(key)
            assert f"You may not {what}: for a member of blue." in hands.bar("message")
    async with console_of(tenants, await token_of(tenants, "bob")) as hands:
        lines = await on_shares(hands)
        await hands.until(lambda: lines.count() == 1)
        await hands.press("x", "y", "enter")
        await hands.until(lambda: lines.count() == 0)
    shown = await tenants.call("network.show", project="red", network="net")
    assert (shown["offered_to"], shown["shared_with"]) == ([], [])


async def test_admins_edit_a_quota_and_others_see_it_and_are_told_why_not(
    tenants: SmallSite,
) -> None:
    async with console(tenants.settings.server.socket) as hands:
        await hands.press("M")
        await hands.until(lambda: isinstance(hands.app.screen, ProjectsScreen))
        lines = hands.app.screen.query_one(ProjectLines)
        await hands.go_to(lines, "red")
        await hands.press("Q")
        await hands.until(lambda: isinstance(hands.app.screen, FormScreen))
        await hands.type("2")
        await hands.press("tab")
        await hands.type("8")
        assert hands.bar("line") == " > project set_quota red --nodes 2 --networks 8"
        await hands.press("ctrl+s")
        await hands.until(lambda: any("0/2" in ln and "1/8" in ln for ln in hands.text(lines)))
        await hands.press("Q")
        await hands.until(lambda: isinstance(hands.app.screen, FormScreen))
        assert hands.app.screen.form.texts["networks"] == "8"  # type: ignore[attr-defined]
    async with console_of(tenants, await token_of(tenants, "rita")) as hands:
        await hands.press("M")
        await hands.until(lambda: isinstance(hands.app.screen, ProjectsScreen))
        lines = hands.app.screen.query_one(ProjectLines)
        await hands.until(lambda: "0/2" in hands.text(lines)[0])
        await hands.press("Q")
        assert "You may not project set_quota: for admins only." in hands.bar("message")
        await hands.press("plus")
        assert "project add_member: for an owner of red." in hands.bar("message")
        await hands.press("enter")
        await hands.until(lambda: isinstance(hands.app.screen, DetailsScreen))
        facts = hands.text(hands.app.screen.query_one("#facts"))  # type: ignore[arg-type]
        assert any("0 of 2 nodes, 1 of 8 networks, 0 headnodes" in line for line in facts)


def test_shares_are_listed_with_what_each_side_can_do() -> None:
    site = Inventory(info=info(admin=False))
    lab = Network("astro", "lab", 104, ("bio",), 0, 0, ("chem",), ("dig",))
    theirs = Network("chem", "pool", 105, ("astro",), 0, 0)
    site.networks = {network.key: network for network in (lab, theirs)}
    found = shares(site, [Offer("astro", "bio/store")])
    assert [(s.full_name, s.guest, s.state, s.hint) for s in found] == [
        ("astro/lab", "chem", "offered", "x withdraws the offer"),
        ("bio/store", "astro", "offered", "A accepts, x refuses"),
        ("astro/lab", "dig", "ending", "ends when its ports are parked"),
        ("astro/lab", "bio", "shared", "x ends the share"),
        ("chem/pool", "astro", "shared", "x ends the share"),
    ]
