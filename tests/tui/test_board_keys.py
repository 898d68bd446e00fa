"""The board with the keyboard, against a real daemon."""

from __future__ import annotations

from pathlib import Path

from tests.tui.console import Hands, console
from tests.tui.test_board_mouse import a_project_at_work


def last_line(hands: Hands) -> str:
    return hands.app.session.sync.log.commands[-1].line


async def test_a_first_job_by_keyboard_follows_the_tour(socket: Path) -> None:
    async with console(socket) as hands:
        assert "Tour 1/4" in hands.bar("tour")
        await hands.press("A")
        await hands.until(lambda: "Tour 2/4" in hands.bar("tour"))
        await hands.press("n")
        await hands.type("lab")
        await hands.press("enter")
        await hands.until(lambda: "Tour 3/4" in hands.bar("tour"))
        await hands.press("j", "c", "l", "a", "enter")
        await hands.until(lambda: "Tour 4/4" in hands.bar("tour"))
        assert last_line(hands) == "connect node-01:primary-nic lab"
        assert "parked → lab*" in hands.row("node-01", "primary-nic")


async def test_escape_leaves_a_question_before_it_clears_marks_or_the_filter(socket: Path) -> None:
    async with console(socket) as hands:
        await a_project_at_work(hands)
        await hands.press("space")
        for key in ("n", "colon", "slash", "p", "c"):
            await hands.press(key)
            assert hands.board.is_asking
            await hands.press("escape")
            assert not hands.board.is_asking
            assert "1 marked" in hands.bar("left-title")
        await hands.press("escape")
        assert "marked" not in hands.bar("left-title")


async def test_marked_nics_are_connected_with_two_letters(socket: Path) -> None:
    async with console(socket) as hands:
        await a_project_at_work(hands)
        await hands.go("node-01", "ipmi-nic")
        await hands.press("space", "space", "space", "c", "s", "t")
        assert any(line.startswith("▶ storage") for line in hands.text(hands.areas))
        await hands.press("enter")
        await hands.until(lambda: len(hands.area("storage")) == 3)
        await hands.go("node-01", "ipmi-nic")
        await hands.press("d")
        await hands.until(lambda: len(hands.area("storage")) == 2)
        assert last_line(hands) == "disconnect node-01:ipmi-nic"


async def test_a_nic_that_cannot_be_connected_says_why_before_asking(socket: Path) -> None:
    async with console(socket) as hands:
        await hands.press("c")
        assert "There is no network yet: n makes one" in hands.bar("message")
        await a_project_at_work(hands)
        await hands.go("node-09", "ipmi-nic")
        await hands.press("c")
        assert "node-09 is not allocated" in hands.bar("message")


async def test_undo_and_redo_and_discard(socket: Path) -> None:
    async with console(socket) as hands:
        await a_project_at_work(hands)
        await hands.go("node-01", "primary-nic")
        await hands.press("c", "l", "a", "enter")
        await hands.until(lambda: hands.area("lab"))
        await hands.press("c", "s", "t", "enter")
        await hands.until(lambda: hands.area("storage"))
        await hands.press("z")
        await hands.until(lambda: hands.area("lab"))
        await hands.press("z")
        await hands.until(lambda: not hands.area("lab"))
        assert hands.row("node-01", "primary-nic").endswith("parked")
        await hands.press("Z")
        await hands.until(lambda: hands.area("lab") == ["+ node-01:primary-nic"])
        await hands.press("D", "y", "enter")
        await hands.until(lambda: "nothing staged in astro" in hands.bar("summary"))
        assert hands.area("lab") == []


async def test_releasing_asks_first(socket: Path) -> None:
    async with console(socket) as hands:
        await hands.given("node allocate --node node-03")
        await hands.until(lambda: "allocated" in hands.row("node-03", "ipmi-nic"))
        await hands.go("node-03", "ipmi-nic")
        await hands.press("R", "enter")
        assert last_line(hands) == "node allocate astro --node node-03"
        await hands.press("R", "y", "enter")
        await hands.until(lambda: "free" in hands.row("node-03", "ipmi-nic"))


async def test_the_filter_narrows_while_it_is_typed(socket: Path) -> None:
    async with console(socket) as hands:
        await a_project_at_work(hands)
        await hands.press("slash")
        await hands.type("project=astro")
        await hands.until(lambda: len(hands.nodes.board.rows) == 4)
        await hands.type(" !ipmi")
        await hands.until(lambda: len(hands.nodes.board.rows) == 2)
        await hands.press("enter")
        assert "/project=astro !ipmi 2/24" in hands.bar("left-title")
        await hands.press("escape")
        assert len(hands.nodes.board.rows) == 24


async def test_the_command_line_completes_recalls_and_reports_errors(
    socket: Path, tmp_path: Path
) -> None:
    past = tmp_path / "state" / "history"
    async with console(socket, history=past) as hands:
        await hands.press("colon")
        await hands.type("netw")
        await hands.press("tab")
        await hands.type("cr")
        await hands.press("tab")
        await hands.type("lab")
        await hands.press("enter")
        await hands.until(lambda: any("lab" in text for text in hands.text(hands.areas)))
        await hands.press("colon")
        await hands.type("network craete x")
        await hands.press("enter")
        assert 'did you mean "create"' in hands.bar("message")
        await hands.command("network create lab")
        await hands.until(lambda: "has a network lab already" in hands.bar("message"))
    async with console(socket, history=past) as hands:
        await hands.press("colon", "up", "up")
        assert hands.app.screen.query_one("#prompt-input").value == "network craete x"  # type: ignore[attr-defined]


async def test_q_colon_q_and_ctrl_q_all_quit(socket: Path) -> None:
    for keys in (["q"], ["ctrl+q"], ["colon", "q", "enter"]):
        async with console(socket) as hands:
            await hands.press(*keys)
            assert hands.app.return_code == 0


async def test_help_lists_the_bindings_as_the_keymap_sets_them(socket: Path) -> None:
    async with console(socket, keymap={"board.connect": "ctrl+k"}) as hands:
        await a_project_at_work(hands)
        await hands.press("question_mark")
        await hands.until(lambda: hands.app.screen.query("#page"))
        text = "\n".join(hands.app.screen.query_one("#page").text)  # type: ignore[attr-defined]
        assert "Choose the network to which what is chosen is connected" in text
        assert "^k" in text
        await hands.press("escape")
        await hands.go("node-01", "primary-nic")
        await hands.press("ctrl+k", "l", "a", "enter")
        await hands.until(lambda: hands.area("lab"))


async def test_the_palette_finds_commands_and_keys(socket: Path) -> None:
    async with console(socket) as hands:
        await hands.press("ctrl+p")
        await hands.type("network create")
        await hands.press("enter")
        await hands.until(lambda: hands.app.screen.query("#prompt-input"))
        await hands.type("lab")
        await hands.press("enter")
        await hands.until(lambda: any("lab" in text for text in hands.text(hands.areas)))
        await hands.press("ctrl+p")
        await hands.type("sort")
        await hands.press("enter")
        await hands.until(lambda: "by project" in hands.bar("message"))


async def test_readonly_greys_what_changes_things(socket: Path) -> None:
    async with console(socket, readonly=True) as hands:
        await hands.press("A")
        await hands.pilot.pause()
        assert not hands.app.session.sync.log.commands
        await hands.command("network create lab")
        assert "only looks" in hands.bar("message")
        assert "read-only" in hands.bar("top")


async def test_a_choice_that_nothing_fits_says_so(socket: Path) -> None:
    async with console(socket, project="astro") as hands:
        await hands.given("network create lab", "node allocate --node node-01")
        await hands.press("c", "z", "enter")
        assert "nothing fits" in hands.bar("hints")
        assert hands.asked == "connect node-01:ipmi-nic to: "
        await hands.press("backspace", "l")
        assert hands.bar("hints").split() == ["lab"]
