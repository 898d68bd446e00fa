"""Topology and face plates on the screen, against a real daemon."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from haas_console.tui.screens.details import DetailsScreen
from haas_console.tui.screens.switch import SwitchScreen
from haas_console.tui.screens.switch_plate import PlateLines
from haas_console.tui.screens.topology import TopologyLines, TopologyScreen
from tests.tui.console import Hands, console


def picture(hands: Hands) -> list[str]:
    return hands.text(hands.app.screen.query_one(TopologyLines))


def face(hands: Hands) -> list[str]:
    return hands.text(hands.app.screen.query_one(PlateLines))


async def topology(hands: Hands) -> TopologyScreen:
    await hands.press("t")
    screen = hands.app.screen
    assert isinstance(screen, TopologyScreen)
    await hands.until(lambda: any("/24 {100-199}" in line for line in picture(hands)))
    return screen


async def switch(hands: Hands) -> SwitchScreen:
    await hands.press("w")
    screen = hands.app.screen
    assert isinstance(screen, SwitchScreen)
    await hands.until(lambda: any("trunk" in line or "│T" in line for line in face(hands)))
    return screen


async def test_the_picture_follows_what_is_staged_and_applied(socket: Path) -> None:
    async with console(socket) as hands:
        for line in ("node allocate --node node-01", "network create lab"):
            await hands.command(line)
        await topology(hands)
        await hands.command("connect node-01:primary-nic lab")
        await hands.until(lambda: any("{-}→{100}* lab" in line for line in picture(hands)))
        await hands.command("headnode create login")
        await hands.command("headnode connect login lab")
        await hands.until(lambda: any("%login% new*" in line for line in picture(hands)))
        assert any("^br-vlan100^────^trunk-nic.100^ )*" in line for line in picture(hands))
        job = await hands.app.session.sync.call("apply.start", {"project": "astro"})
        await hands.app.session.sync.call("job.wait", {"job": job["job"], "timeout": 30})
        await hands.until(lambda: any("access{100} lab" in line for line in picture(hands)))
        await hands.until(lambda: any("%login% running" in line for line in picture(hands)))
        assert not any("*" in line for line in picture(hands))


async def test_enter_opens_the_port_w_its_face_plate_and_esc_goes_back(socket: Path) -> None:
    async with console(socket) as hands:
        screen = await topology(hands)
        await hands.press("slash")
        await hands.type("node-08")
        await hands.press("enter")
        await hands.until(lambda: "node-08:ipmi-nic" in hands.bar("detail"))
        await hands.press("enter")
        await hands.until(lambda: isinstance(hands.app.screen, DetailsScreen))
        assert hands.bar("title").strip() == "port sw2 Gi1/0/3"
        await hands.press("escape", "w")
        await hands.until(lambda: isinstance(hands.app.screen, SwitchScreen))
        await hands.until(lambda: "sw2 Gi1/0/3   node-08:ipmi-nic (bmc)" in hands.bar("detail"))
        assert "Topology > Switch" in hands.bar("top")
        await hands.press("escape")
        assert hands.app.screen is screen


async def test_only_visible_lines_are_drawn(socket: Path) -> None:
    async with console(socket, size=(80, 24)) as hands:
        screen = await topology(hands)
        drawn: list[int] = []
        made = screen.lines.picture
        assert made is not None
        line = made.line

        def counted(index: int) -> list[tuple[str, str]]:
            drawn.append(index)
            return line(index)

        made.line = counted  # type: ignore[method-assign]
        await hands.press("G")
        assert screen.lines.cursor == len(made) - 1
        assert len(set(drawn)) < len(made)


async def test_the_face_plate_describes_the_port_under_the_cursor(socket: Path) -> None:
    async with console(socket) as hands:
        await hands.command("node allocate --node node-01")
        await hands.command("network create lab")
        await hands.command("connect node-01:primary-nic lab")
        await switch(hands)
        await hands.press("home")
        assert "sw1 Gi1/0/1   node-01:ipmi-nic (bmc)" in hands.bar("detail")
        await hands.press("down")
        await hands.until(lambda: "parked → staged lab (100)*" in hands.bar("detail"))
        assert "project astro" in hands.bar("detail")
        assert any("│lab" in line and "*│" in line for line in face(hands))
        assert "1 staged*" in face(hands)[0]
        await hands.press("right", "l")
        assert "Gi1/0/6   node-03:primary-nic   free" in hands.bar("detail")
        await hands.press("right_square_bracket")
        await hands.until(lambda: "sw2" in face(hands)[0])


async def test_a_probe_shows_what_the_switch_answered(socket: Path) -> None:
    async with console(socket) as hands:
        await switch(hands)
        await hands.press("b")
        await hands.until(lambda: any("probe: reachable" in line for line in face(hands)))
        assert any("prompt   sw1#" in line for line in face(hands))
        assert any("24, 14 of them registered" in line for line in face(hands))
        assert "> switch probe sw1" in hands.bar("message")


async def test_a_switch_that_does_not_answer_is_reported(socket: Path) -> None:
    async with console(socket) as hands:
        await hands.command("switch register sw9 cisco_ios 127.0.0.1 --port 1 --credential demo")
        await hands.press("w")
        await hands.until(lambda: isinstance(hands.app.screen, SwitchScreen))
        await hands.press("right_square_bracket", "right_square_bracket")
        await hands.until(lambda: "sw9" in face(hands)[0])
        await hands.press("b")
        await hands.until(lambda: "✗" in hands.bar("message"))
        assert "sw9" in hands.bar("message")


async def test_a_click_puts_the_cursor_on_a_port(socket: Path) -> None:
    async with console(socket) as hands:
        screen = await switch(hands)
        plate = screen.query_one(PlateLines)
        row = len(plate.above) + plate.plate.line_of["Gi1/0/4"]
        column = face(hands)[row].index("│", 1) + 2
        await hands.pilot.click(PlateLines, offset=(column, row))
        await hands.until(lambda: "Gi1/0/4   node-02:primary-nic" in hands.bar("detail"))


async def test_topology_and_face_plate_fit_80_by_24(socket: Path) -> None:
    async with console(socket, size=(80, 24)) as hands:
        await topology(hands)
        assert any("<trunk-nic>=haas-master=" in line for line in picture(hands))
        await hands.press("w")
        await hands.until(lambda: isinstance(hands.app.screen, SwitchScreen))
        await hands.until(lambda: any("│T" in line for line in face(hands)))
        assert any(line.endswith("│") and line.count("│") == 13 for line in face(hands))


async def test_a_tenant_sees_the_ports_of_its_nodes_and_cannot_probe(socket: Path) -> None:
    async with console(socket) as hands:
        session = hands.app.session
        known = session.inventory
        assert known.info is not None
        known.info = replace(known.info, admin=False)
        known.switches.clear()
        known.ports.clear()
        await hands.press("t")
        await hands.until(lambda: isinstance(hands.app.screen, TopologyScreen))
        await hands.until(lambda: any("trunk [" in line for line in picture(hands)))
        assert known.ports == {}
        await hands.press("w")
        await hands.until(lambda: isinstance(hands.app.screen, SwitchScreen))
        await hands.until(lambda: "the ports of nodes that you can see" in face(hands)[0])
        before = len(session.sync.log.calls)
        await hands.press("b")
        assert len(session.sync.log.calls) == before
        assert not any(call.method == "port.list" for call in session.sync.log.calls)
