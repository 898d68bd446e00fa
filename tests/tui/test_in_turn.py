"""Keys typed ahead of a daemon that is slow: each acts on the result of the one before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from haas_console.tui.screens.apply import ApplyScreen
from haas_console.tui.screens.forms import FormScreen
from haas_console.tui.screens.headnodes import HeadnodesScreen
from tests.tui.console import Hands, console
from tests.tui.gate import Gate, Which, answers_to, events, gate


def lines_sent(hands: Hands) -> list[str]:
    return [command.line for command in hands.app.session.sync.log.commands]


async def held(hands: Hands, between: Gate) -> None:
    """Wait until the daemon has done what the first key asked for."""
    await hands.until(lambda: between.held, "the daemon's answer is held")


@pytest.mark.parametrize(
    "which",
    [answers_to("node.allocate"), answers_to("node.show"), events],
    ids=["late answer", "late record", "late event"],
)
async def test_a_node_is_allocated_before_the_next_key_connects_it(
    socket: Path, which: Which
) -> None:
    async with gate(socket) as between, console(between.path, project="astro") as hands:
        await hands.given("network create lab")
        between.hold(which)
        await hands.burst("Acla\r")
        await held(hands, between)
        between.open()
        await hands.until(lambda: hands.area("lab") == ["+ node-01:ipmi-nic bmc"])


async def test_the_cursor_moves_while_a_command_is_under_way(socket: Path) -> None:
    async with gate(socket) as between, console(between.path, project="astro") as hands:
        await hands.given("network create lab")
        between.hold(answers_to("node.allocate"))
        await hands.burst("Ajj")
        await hands.until(lambda: hands.nodes.cursor == 2)
        await held(hands, between)
        await hands.burst("A")
        between.open()
        await hands.until(lambda: "allocated" in hands.row("node-02", "ipmi-nic"))
        assert "allocated" in hands.row("node-01", "ipmi-nic")


async def test_undo_takes_back_the_edit_that_is_still_under_way(socket: Path) -> None:
    async with gate(socket) as between, console(between.path, project="astro") as hands:
        await hands.given("network create lab", "node allocate --node node-01")
        between.hold(answers_to("nic.connect"))
        await hands.burst("cla\rz")
        await held(hands, between)
        between.open()
        await hands.until(lambda: "disconnect node-01:ipmi-nic" in hands.bar("message"))
        await hands.until(lambda: hands.area("lab") == [])


async def test_discard_takes_back_the_edit_that_is_still_under_way(socket: Path) -> None:
    async with gate(socket) as between, console(between.path, project="astro") as hands:
        await hands.given("network create lab", "node allocate --node node-01")
        between.hold(answers_to("nic.connect"))
        await hands.burst("cla\rDy\r")
        await held(hands, between)
        between.open()
        await hands.until(lambda: "disconnect node-01:ipmi-nic" in lines_sent(hands))
        await hands.until(lambda: "nothing staged in astro" in hands.bar("summary"))


async def test_a_node_whose_allocation_is_under_way_can_be_released(socket: Path) -> None:
    async with gate(socket) as between, console(between.path, project="astro") as hands:
        between.hold(answers_to("node.allocate"))
        await hands.burst("ARy\r")
        await held(hands, between)
        between.open()
        await hands.until(lambda: "node release node-01" in lines_sent(hands))
        await hands.until(lambda: "free" in hands.row("node-01", "ipmi-nic"))


async def test_a_drop_waits_for_the_allocation_before_it(socket: Path) -> None:
    async with gate(socket) as between, console(between.path, project="astro") as hands:
        await hands.given("network create lab")
        between.hold(answers_to("node.allocate"))
        await hands.burst("A")
        await held(hands, between)
        await hands.drag(hands.nic_at("node-01", "primary-nic"), hands.area_at("lab"))
        between.open()
        await hands.until(lambda: hands.area("lab") == ["+ node-01:primary-nic"])


async def test_a_new_headnode_is_stopped_by_the_key_behind_its_name(socket: Path) -> None:
    async with gate(socket) as between, console(between.path, project="astro") as hands:
        await hands.press("H")
        await hands.until(lambda: isinstance(hands.app.screen, HeadnodesScreen))
        between.hold(answers_to("headnode.create"))
        await hands.burst("nlogin\ro")
        await held(hands, between)
        between.open()
        await hands.until(lambda: "headnode stop astro login" in lines_sent(hands))


async def test_a_plan_contains_the_edit_before_it_and_the_key_behind_it_applies_it(
    socket: Path,
) -> None:
    async with gate(socket) as between, console(between.path, project="astro") as hands:
        await hands.given("network create lab", "node allocate --node node-01")
        between.hold(answers_to("nic.connect"))
        await hands.burst("cla\ra")
        await held(hands, between)
        await hands.until(lambda: isinstance(hands.app.screen, ApplyScreen))
        screen = hands.app.screen
        assert isinstance(screen, ApplyScreen)
        await hands.burst("y")
        between.open()
        await hands.until(lambda: "Job" in hands.bar("top"), "its job is shown")
        assert screen.plan is not None and screen.plan.steps


async def test_a_key_behind_a_form_means_what_it_means_once_the_form_is_left(
    socket: Path,
) -> None:
    async with gate(socket) as between, console(between.path) as hands:
        await hands.press("M")
        await hands.until(lambda: hands.app.breadcrumbs() == ["Board", "Projects"])
        await hands.burst("u")
        await hands.until(lambda: isinstance(hands.app.screen, FormScreen))
        between.hold(answers_to("user.create"))
        await hands.burst("nina\x13n")
        await held(hands, between)
        between.open()
        await hands.until(lambda: hands.app.breadcrumbs() == ["Board", "Projects"])
        await hands.burst("chemistry\r")
        await hands.until(lambda: "chemistry" in hands.app.session.inventory.projects)


async def test_a_queued_command_is_sent_even_if_its_screen_is_left(socket: Path) -> None:
    async with gate(socket) as between, console(between.path, project="astro") as hands:
        await hands.given("headnode create login", "network create lab")
        await hands.press("H")
        await hands.until(lambda: isinstance(hands.app.screen, HeadnodesScreen))
        between.hold(answers_to("headnode.stop"))
        await hands.burst("ocla\r\x1b")
        await held(hands, between)
        await hands.until(lambda: hands.app.breadcrumbs() == ["Board", "Headnodes"])
        between.open()
        await hands.until(lambda: hands.app.breadcrumbs() == ["Board"])
        await hands.until(lambda: "headnode connect astro login lab" in lines_sent(hands))
        await hands.until(lambda: "headnode login new" in " ".join(hands.area("lab")))


async def test_escape_gives_up_the_keys_that_wait(socket: Path) -> None:
    async with gate(socket) as between, console(between.path, project="astro") as hands:
        await hands.given("network create lab")
        between.hold(answers_to("node.allocate"))
        await hands.burst("Acla\r")
        await hands.until(lambda: "waiting for the daemon's answer" in hands.bar("message"))
        await hands.burst("\x1bj")
        await hands.until(lambda: hands.nodes.cursor == 1, "keys are delivered again")
        between.open()
        await hands.until(lambda: "allocated" in hands.row("node-01", "ipmi-nic"))
        assert hands.area("lab") == []
        await hands.burst("cla\r")
        await hands.until(lambda: hands.area("lab") == ["+ node-01:primary-nic"])


async def test_a_plan_that_is_given_up_before_it_is_shown_is_not_applied(socket: Path) -> None:
    async with gate(socket) as between, console(between.path, project="astro") as hands:
        await hands.given("network create lab", "node allocate --node node-01")
        await hands.given("connect node-01:primary-nic lab")
        between.hold(answers_to("plan.show"))
        await hands.burst("ay")
        await hands.until(lambda: "waiting for the daemon's answer" in hands.bar("message"))
        await hands.burst("\x1b")
        between.open()
        screen = hands.app.screen
        assert isinstance(screen, ApplyScreen)
        await hands.until(lambda: screen.plan is not None)
        assert hands.app.screen is screen
        assert not [line for line in lines_sent(hands) if line.startswith("apply")]


async def test_the_console_can_be_quit_while_keys_wait(socket: Path) -> None:
    async with gate(socket) as between, console(between.path, project="astro") as hands:
        between.hold(answers_to("node.allocate"))
        await hands.burst("Ac")
        await hands.until(lambda: "waiting for the daemon's answer" in hands.bar("message"))
        await hands.burst("\x11")
        await hands.until(lambda: hands.app.return_code == 0)
