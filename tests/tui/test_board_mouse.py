"""The board with the mouse, against a real daemon: drags and clicks."""

from __future__ import annotations

from pathlib import Path

from textual import events

from tests.tui.console import Hands, console


async def a_project_at_work(hands: Hands) -> None:
    """Two nodes of astro's, the networks lab and storage, and a headnode."""
    await hands.given(
        "node allocate --node node-01",
        "node allocate --node node-02",
        "network create lab",
        "network create storage",
        "headnode create login",
    )
    await hands.until(lambda: len(hands.area("parked")) == 5, "all is on the board")


async def test_a_nic_is_dragged_from_network_to_network_and_parked(socket: Path) -> None:
    async with console(socket) as hands:
        await a_project_at_work(hands)
        await hands.drag(hands.nic_at("node-01", "primary-nic"), hands.area_at("lab"))
        await hands.until(lambda: hands.area("lab"))
        assert hands.area("lab") == ["+ node-01:primary-nic"]
        assert "parked → lab*" in hands.row("node-01", "primary-nic")
        assert "2 staged in astro" in hands.bar("summary")
        assert "connect node-01:primary-nic lab" in hands.bar("message")

        await hands.drag(hands.thing_at("lab", "node-01:primary-nic"), hands.area_at("storage"))
        await hands.until(lambda: hands.area("storage"))
        assert hands.area("lab") == []
        assert hands.area("storage") == ["+ node-01:primary-nic"]

        await hands.drag(hands.thing_at("storage", "node-01:primary-nic"), hands.area_at("parked"))
        await hands.until(lambda: not hands.area("storage"))
        assert hands.row("node-01", "primary-nic").endswith("parked")
        assert "disconnect node-01:primary-nic" in hands.bar("message")


async def test_marked_nics_are_dragged_together(socket: Path) -> None:
    async with console(socket) as hands:
        await a_project_at_work(hands)
        for node in ("node-01", "node-02"):
            at = hands.nic_at(node, "primary-nic")
            await hands.mouse(events.MouseDown, at, ctrl=True)
            await hands.mouse(events.MouseUp, at, ctrl=True)
        assert "2 marked" in hands.bar("left-title")
        await hands.drag(hands.nic_at("node-02", "primary-nic"), hands.area_at("lab"))
        await hands.until(lambda: len(hands.area("lab")) == 2)
        assert hands.area("lab") == ["+ node-01:primary-nic", "+ node-02:primary-nic"]
        assert "marked" not in hands.bar("left-title")  # the marks are cleared


async def test_a_headnode_is_dragged_onto_a_network(socket: Path) -> None:
    async with console(socket) as hands:
        await a_project_at_work(hands)
        await hands.drag(hands.thing_at("parked", "headnode login"), hands.area_at("lab"))
        await hands.until(lambda: hands.area("lab"))
        assert hands.area("lab") == ["+ headnode login new"]
        assert "headnode connect astro login lab" in hands.bar("message")
        await hands.drag(hands.thing_at("lab", "headnode login"), hands.area_at("storage"))
        await hands.until(lambda: hands.area("storage"))
        assert hands.area("lab") == []


async def test_the_target_lights_up_and_a_forbidden_one_says_why_before_the_drop(
    socket: Path,
) -> None:
    async with console(socket) as hands:
        await a_project_at_work(hands)
        ghost = hands.app.screen.query_one("#ghost")
        start, lab = hands.nic_at("node-01", "primary-nic"), hands.area_at("lab")
        await hands.grip(start)
        await hands.pull((start[0] + 3, start[1]), lab)
        assert ghost.visible
        assert any(line.startswith("▶ lab") for line in hands.text(hands.areas))
        await hands.let_go(lab)
        assert not ghost.visible
        await hands.until(lambda: hands.area("lab"))

        free = hands.nic_at("node-05", "primary-nic")
        before = len(hands.app.session.sync.log.commands)
        await hands.grip(free)
        await hands.pull((free[0] + 3, free[1]), lab)
        assert any(line.startswith("✗ lab") for line in hands.text(hands.areas))
        assert "node-05 is not allocated: A allocates it" in hands.bar("message")
        await hands.let_go(lab)
        await hands.pilot.pause()
        assert len(hands.app.session.sync.log.commands) == before  # nothing was sent


async def test_escape_cancels_a_drag_and_nothing_is_sent(socket: Path) -> None:
    async with console(socket) as hands:
        await a_project_at_work(hands)
        start, lab = hands.nic_at("node-01", "primary-nic"), hands.area_at("lab")
        before = len(hands.app.session.sync.log.commands)
        await hands.grip(start)
        await hands.pull((start[0] + 3, start[1]), lab)
        await hands.press("escape")
        assert hands.app.mouse_captured is None
        assert not hands.app.screen.query_one("#ghost").visible
        assert not any(line.startswith("▶") for line in hands.text(hands.areas))
        await hands.let_go(lab)
        assert len(hands.app.session.sync.log.commands) == before
        # and the next drag works
        await hands.drag(start, lab)
        await hands.until(lambda: hands.area("lab"))


async def test_the_networks_scroll_when_a_drag_reaches_their_edge(socket: Path) -> None:
    async with console(socket, size=(80, 14)) as hands:
        await a_project_at_work(hands)
        await hands.given(*(f"network create net{number}" for number in range(6)))
        await hands.until(lambda: hands.areas.max_scroll_y > 3)
        start = hands.nic_at("node-01", "primary-nic")
        region = hands.areas.region
        edge = (region.x + 5, region.bottom - 1)
        await hands.grip(start)
        await hands.pull((start[0] + 3, start[1]), edge)
        await hands.until(lambda: hands.areas.scroll_offset.y == hands.areas.max_scroll_y)
        await hands.pull((region.x + 5, region.y))
        await hands.until(lambda: hands.areas.scroll_offset.y == 0)
        await hands.press("escape")


async def test_a_click_moves_the_cursor_and_drags_nothing(socket: Path) -> None:
    async with console(socket) as hands:
        await a_project_at_work(hands)
        at = hands.nic_at("node-02", "ipmi-nic")
        await hands.grip(at)
        await hands.let_go(at)
        node, nic = hands.nodes.board.rows[hands.nodes.cursor]
        assert (node.node, nic and nic.nic) == ("node-02", "ipmi-nic")
        assert hands.app.mouse_captured is None


async def test_a_drag_in_a_read_only_console_says_that_it_only_looks(socket: Path) -> None:
    async with console(socket) as hands:
        await a_project_at_work(hands)
    async with console(socket, readonly=True) as hands:
        await hands.until(lambda: hands.area("parked"))
        await hands.drag(hands.nic_at("node-01", "primary-nic"), hands.area_at("lab"))
        assert "only looks" in hands.bar("message")
        assert hands.area("lab") == []
