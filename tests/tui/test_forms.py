"""The admins' forms, and projects with their members, against a real daemon."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input, TextArea

from haas_console.tui.screens.forms import FormScreen
from haas_console.tui.screens.forms_fields import Hint
from haas_console.tui.screens.nodes_admin import InventoryScreen, ItemLines
from haas_console.tui.screens.projects import ProjectLines, ProjectsScreen, UserLines
from tests.tui.console import Hands, console


async def inventory(hands: Hands) -> None:
    await hands.press("I")
    await hands.until(lambda: isinstance(hands.app.screen, InventoryScreen))
    await hands.until(lambda: items(hands))


def items(hands: Hands) -> list[str]:
    return [" ".join(t.split()) for t in hands.text(hands.app.screen.query_one(ItemLines))]


async def form(hands: Hands, key: str) -> FormScreen:
    await hands.press(key)
    await hands.until(lambda: isinstance(hands.app.screen, FormScreen), "the form")
    screen = hands.app.screen
    assert isinstance(screen, FormScreen)
    return screen


def hint(hands: Hands, name: str) -> str:
    return str(hands.app.screen.query_one(f"#hint-{name}", Hint).content)


def fill(hands: Hands, name: str, text: str) -> None:
    """Paste a text into a field; single keys do not matter here."""
    field = hands.app.screen.query_one(f"#field-{name}")
    if isinstance(field, TextArea):
        field.text = text
    else:
        assert isinstance(field, Input)
        field.value = text


async def test_a_switch_its_ports_and_a_node_are_registered_by_forms(socket: Path) -> None:
    async with console(socket) as hands:
        await inventory(hands)
        await form(hands, "s")
        await hands.type("sw3")
        await hands.press("enter")
        await hands.type("cisco_ios")
        await hands.press("tab")
        await hands.type("sw3.example")
        assert hands.bar("line") == " > switch register sw3 cisco_ios sw3.example"
        await hands.press("ctrl+s")
        await hands.until(lambda: isinstance(hands.app.screen, InventoryScreen))
        await hands.until(lambda: any("sw3 cisco_ios" in line for line in items(hands)))
        assert hands.bar("message") == " > switch register sw3 cisco_ios sw3.example"

        lines = hands.app.screen.query_one(ItemLines)
        lines.move_to(next(i for i, t in enumerate(items(hands)) if t.startswith("? sw3")))
        screen = await form(hands, "o")
        assert screen.form.texts["switch"] == "sw3"
        fill(hands, "ports", "Gi1/0/1 Gi1/0/2")
        await hands.press("ctrl+s")
        await hands.until(lambda: any("sw3.example:23 2 ports" in line for line in items(hands)))

        await form(hands, "n")
        fill(hands, "node", "node-77")
        fill(hands, "nics", "nic=eth0,switch=sw3,port=Gi1/0/1")
        await hands.press("ctrl+s")
        await hands.until(lambda: "node-77 unconfirmed eth0 data sw3 Gi1/0/1" in items(hands))


async def test_the_daemons_error_is_shown_at_its_field_and_what_was_typed_stays(
    socket: Path,
) -> None:
    async with console(socket) as hands:
        await inventory(hands)
        screen = await form(hands, "s")
        fill(hands, "switch", "sw9")
        fill(hands, "dialect", "klingon")
        fill(hands, "host", "sw9.example")
        await hands.pilot.pause()
        await hands.press("ctrl+s")
        await hands.until(lambda: "✗" in hint(hands, "dialect"))
        assert "klingon" in hint(hands, "dialect")
        assert "✗" not in hint(hands, "host")
        assert hands.app.focused is screen.query_one("#field-dialect")
        assert screen.form.texts["host"] == "sw9.example"
        fill(hands, "dialect", "cisco_ios")
        await hands.until(lambda: "✗" not in hint(hands, "dialect"))
        await hands.press("ctrl+s")
        await hands.until(lambda: any("sw9" in line for line in items(hands)))


async def test_errors_are_shown_before_anything_is_sent(socket: Path) -> None:
    async with console(socket) as hands:
        await inventory(hands)
        await form(hands, "n")
        fill(hands, "node", "Node 1")
        fill(hands, "nics", "nic=eth0,mac=12")
        await hands.pilot.pause()
        before = len(hands.app.session.sync.log.commands)
        await hands.press("ctrl+s")
        await hands.until(lambda: "✗" in hint(hands, "node"))
        assert "mac" in hint(hands, "nics")
        assert len(hands.app.session.sync.log.commands) == before


async def test_the_keys_shown_are_those_of_the_field_that_is_typed_in(socket: Path) -> None:
    async with console(socket) as hands:
        hands.app.navigation.open_form("switch.register", {"host": "sw9", "dialect": "cisco_ios"})
        await hands.until(lambda: isinstance(hands.app.screen, FormScreen), "the form")
        await hands.until(lambda: "Send" in hands.bar("hints"))
        await hands.until(lambda: "Help" not in hands.bar("hints"), "a ? is typed into the field")
        await hands.press("tab", "tab", "tab", "tab")
        await hands.until(lambda: "Help" in hands.bar("hints"), "a choice takes no letters")


async def test_a_refusal_that_concerns_no_field_is_shown_below_the_fields(socket: Path) -> None:
    async with console(socket) as hands:
        await inventory(hands)
        await form(hands, "n")
        fill(hands, "node", "node-01")
        await hands.pilot.pause()
        await hands.press("ctrl+s")
        error = hands.app.screen.query_one("#error", Hint)
        await hands.until(lambda: "node-01" in str(error.content))
        assert isinstance(hands.app.screen, FormScreen)


async def test_leaving_a_form_asks_before_it_drops_what_was_typed(socket: Path) -> None:
    async with console(socket) as hands:
        await inventory(hands)
        await form(hands, "n")
        await hands.press("escape")
        await hands.until(lambda: isinstance(hands.app.screen, InventoryScreen))
        await form(hands, "n")
        await hands.type("x")
        await hands.press("escape", "enter")
        assert isinstance(hands.app.screen, FormScreen)
        await hands.press("escape", "y", "enter")
        await hands.until(lambda: isinstance(hands.app.screen, InventoryScreen))


async def test_a_node_is_deleted_after_a_question(socket: Path) -> None:
    async with console(socket) as hands:
        await inventory(hands)
        await hands.press("slash")
        await hands.type("node-12")
        await hands.press("enter")
        await hands.until(lambda: len(items(hands)) == 4)
        await hands.press("G", "X", "y", "enter")
        await hands.until(lambda: len(items(hands)) == 2)
        assert "> node delete node-12" in hands.bar("message")


async def test_a_project_gets_a_member_and_loses_it(socket: Path) -> None:
    async with console(socket) as hands:
        await hands.press("M")
        await hands.until(lambda: isinstance(hands.app.screen, ProjectsScreen))
        await hands.press("n")
        await hands.type("chem")
        await hands.press("enter")
        lines = hands.app.screen.query_one(ProjectLines)
        await hands.until(lambda: "chem" in " ".join(hands.text(lines)))

        await form(hands, "u")
        await hands.type("eve")
        await hands.press("enter", "space")
        assert hands.bar("line") == " > user create eve --admin"
        await hands.press("left", "ctrl+s")
        people = hands.app.screen_stack[1].query_one(UserLines)
        await hands.until(lambda: any("eve" in line for line in hands.text(people)))

        lines.move_to(next(i for i, t in enumerate(hands.text(lines)) if "chem" in t))
        await hands.press("plus")
        await hands.type("ev")
        await hands.press("enter")
        await hands.until(lambda: any("chem" in t and "eve" in t for t in hands.text(lines)))
        await hands.press("space")
        assert hands.app.session.project == "chem"
        await hands.press("minus", "enter")
        await hands.until(lambda: not any("eve" in t for t in hands.text(lines)))
        await hands.press("x", "y", "enter")
        await hands.until(lambda: not any("chem" in t for t in hands.text(lines)))


async def test_what_a_project_holds_is_counted_as_it_changes(socket: Path) -> None:
    async with console(socket) as hands:
        await hands.press("M")
        await hands.until(lambda: isinstance(hands.app.screen, ProjectsScreen))
        lines = hands.app.screen.query_one(ProjectLines)
        await hands.given("node allocate --node node-01", "network create lab", "headnode create a")
        await hands.until(
            lambda: hands.text(lines)[0].split()[2:5] == ["1", "1", "1"], "one of each"
        )
        await hands.given("headnode delete a", "network delete lab")
        await hands.until(
            lambda: hands.text(lines)[0].split()[2:5] == ["1", "0", "0"], "the node is left"
        )
