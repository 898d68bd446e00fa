"""Tokens on the screen: one is made and shown once, and revoked after a question."""

from __future__ import annotations

from pathlib import Path

from haas_console.tui.factlines import FactLines
from haas_console.tui.screens.facts import FactsScreen
from haas_console.tui.screens.forms import FormScreen
from haas_console.tui.screens.tokens import TokenLines, TokensScreen
from tests.rpc.small_site import SmallSite
from tests.tui.console import Hands
from tests.tui.tenants import console_of, prepared, tenants, token_of

__all__ = ["prepared", "tenants"]  # fixtures


async def tokens(hands: Hands) -> TokenLines:
    await hands.press("T")
    await hands.until(lambda: isinstance(hands.app.screen, TokensScreen))
    return hands.app.screen.query_one(TokenLines)


async def test_a_new_token_is_shown_once_and_copied_to_no_file(
    tenants: SmallSite, tmp_path: Path
) -> None:
    copies = tmp_path / "copies"
    async with console_of(tenants, await token_of(tenants, "rita"), clipboard=copies) as hands:
        lines = await tokens(hands)
        await hands.until(lambda: lines.count() == 1)
        await hands.press("n")
        await hands.until(lambda: isinstance(hands.app.screen, FormScreen))
        await hands.type("ci")
        await hands.press("ctrl+s")
        await hands.until(lambda: isinstance(hands.app.screen, FactsScreen))
        facts = hands.text(hands.app.screen.query_one(FactLines))
        assert "shown only this once" in facts[1]
        secret = facts[0].split()[-1]
        await hands.press("y")
        await hands.until(lambda: "copied" in hands.bar("message"))
        assert not copies.exists()
        await hands.press("escape")
        await hands.until(lambda: any(line.split()[:1] == ["ci"] for line in hands.text(lines)))
        commands = hands.app.session.sync.log.commands
        assert not [entry for entry in commands if secret in f"{entry.line} {entry.message}"]
        async with console_of(tenants, secret) as other:
            info = other.app.session.inventory.info
            assert info is not None
            assert (info.user, info.via) == ("rita", "token ci")


async def test_a_token_is_revoked_after_a_question(tenants: SmallSite) -> None:
    await token_of(tenants, "rita", "old one", readonly=True)
    async with console_of(tenants, await token_of(tenants, "rita")) as hands:
        lines = await tokens(hands)
        await hands.until(lambda: lines.count() == 2)
        await hands.go_to(lines, "old one")
        assert hands.text(lines)[1].split()[:5] == ["old", "one", "all", "projects", "read"]
        await hands.press("x", "enter")
        assert lines.count() == 2, "Enter alone means no"
        await hands.press("x", "y", "enter")
        await hands.until(lambda: lines.count() == 1)
        [left] = (await tenants.call("token.list", user="rita"))["items"]
        assert left["label"] == "console"


async def test_a_read_only_token_lists_its_user_s_and_greys_the_rest(tenants: SmallSite) -> None:
    await token_of(tenants, "bob")
    look = await token_of(tenants, "rita", "look", readonly=True)
    async with console_of(tenants, look) as hands:
        lines = await tokens(hands)
        await hands.until(lambda: lines.count() == 1)
        assert hands.text(lines)[0].split()[0] == "look"
        for key in "nx":
            await hands.press(key)
            assert "your token is read-only" in hands.bar("message")
        await hands.press("enter")
        await hands.until(lambda: isinstance(hands.app.screen, FactsScreen))
        assert any("only read" in ln for ln in hands.text(hands.app.screen.query_one(FactLines)))
