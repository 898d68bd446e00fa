"""Drift: shown at once wherever the port is shown, checked and repaired by keys."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace

from haas_console.core.faceplate import labeller, legend, plate
from haas_console.core.inventory import Inventory
from haas_console.core.portviews import describe, plugs, views
from haas_console.core.topology import Picture
from haas_console.tui.glyphs import plain
from haas_console.tui.screens.details import DetailsScreen
from haas_console.tui.screens.drift import DriftLines, DriftScreen
from haas_console.tui.screens.switch import SwitchScreen
from haas_console.tui.screens.switch_plate import PlateLines
from haas_console.tui.screens.tokens import TokensScreen
from haas_schemas.drift import DriftItem
from tests.rpc.small_site import Prepared, SmallSite, prepare, small_site
from tests.rpc.test_ssh_switch import fingerprint
from tests.tui.apply_hands import PORT_OF_NODE_01, Site, job_is_shown, shown, staged_site
from tests.tui.console import Hands, console
from tests.tui.sites import small_site as drawn_site
from tests.unit.ssh_server import machine

PORT_OF_NODE_02 = "GigabitEthernet1/0/4"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """astro's node-01 is on lab, VLAN 100, as applied."""
    async with staged_site() as site:
        started = await site.call("apply.start", project="astro")
        assert (await site.ended(started["job"]))["state"] == "succeeded"
        yield site


def by_hand(site: Site, port: str, vlan: int) -> None:
    """Put a port of sw1 on a VLAN, as somebody at the switch's own console would."""
    switch = site.centre.switches["sw1"]
    setting = switch.running.ports[port]
    setting.shutdown, setting.mode, setting.access_vlan = False, "access", vlan
    switch.touch(port)
    switch.settle()


def calls_since(hands: Hands) -> Callable[[], list[str]]:
    """The calls that the console makes from now on."""
    log = hands.app.session.sync.log
    before = len(log.calls)
    return lambda: [call.method for call in list(log.calls)[before:]]


def face(hands: Hands) -> list[str]:
    return hands.text(hands.app.screen.query_one(PlateLines))


def table(hands: Hands) -> list[str]:
    return [" ".join(line.split()) for line in hands.text(hands.app.screen.query_one(DriftLines))]


async def on(hands: Hands, key: str, kind: type) -> None:
    await hands.press(key)
    await hands.until(lambda: isinstance(hands.app.screen, kind))


async def test_drift_that_somebody_else_finds_appears_at_once_with_few_calls(site: Site) -> None:
    async with console(site.socket, project="astro") as hands:
        asked = calls_since(hands)
        by_hand(site, PORT_OF_NODE_01, 1)
        await site.call("drift.check")
        await hands.until(
            lambda: (
                "≠ lab, now access 1" in hands.row("node-01", "primary-nic")
                and "≠ 1 drifted" in hands.bar("pulse")
            )
        )
        assert set(asked()) <= {"switch.list", "drift.list", "node.show", "system.pulse"}

        await site.call("drift.repair")
        await hands.until(lambda: "drifted" not in hands.bar("pulse"))
        await hands.until(lambda: "≠" not in hands.row("node-01", "primary-nic"))
        assert "node.list" not in asked()


async def test_a_free_node_with_a_drifted_port_is_marked_and_free_again_after_repair(
    site: Site,
) -> None:
    async with console(site.socket, project="astro") as hands:
        by_hand(site, PORT_OF_NODE_02, 100)
        await site.call("drift.check")
        await hands.until(lambda: "≠ parked, now access 100" in hands.row("node-02", "primary-nic"))
        await hands.until(lambda: "unconfirmed" in hands.row("node-02", "ipmi-nic"))
        await hands.go("node-02", "ipmi-nic")
        await hands.press("A")
        assert "sw1 Gi1/0/4 is not parked any more, it is access 100" in hands.bar("message")
        await site.call("drift.repair")
        await hands.until(lambda: "free" in hands.row("node-02", "ipmi-nic"))


async def test_on_the_face_plate_c_checks_and_r_repairs(site: Site) -> None:
    async with console(site.socket, project="astro") as hands:
        await on(hands, "w", SwitchScreen)
        await hands.until(lambda: any("trunk" in line for line in face(hands)))
        by_hand(site, PORT_OF_NODE_01, 1)
        site.centre.switches["sw1"].running.add_vlan(150)
        await hands.press("c")
        await hands.until(lambda: any("│lab   ≠│" in line for line in face(hands)))
        assert hands.bar("message") == " > drift check --switch sw1: 2 drifted"
        assert "≠ 2 drifted" in face(hands)[0]
        assert any("≠ VLAN 150: absent was applied, now it is present" in f for f in face(hands))
        await hands.press("home", "down")
        await hands.until(lambda: hands.bar("detail").endswith("≠ drifted, now access 1"))

        await hands.press("r")
        await hands.type("y")
        assert "repair sw1 (2 drifted)?" in hands.asked
        await hands.press("enter")
        await job_is_shown(hands, "succeeded")
        assert "repair of the site" in shown(hands)
        assert hands.app.session.sync.log.commands[-1].line == "drift repair --switch sw1"
        assert site.vlan_of_node_01() == 100
        await hands.press("escape")
        await hands.until(lambda: not any("≠ VLAN" in line for line in face(hands)))
        assert "drifted" not in face(hands)[0]


async def test_all_that_drifted_is_listed_and_repaired(site: Site) -> None:
    async with console(site.socket, size=(80, 24), project="astro") as hands:
        await hands.burst(":drift\r")
        await hands.until(lambda: isinstance(hands.app.screen, DriftScreen))
        assert "Nothing is known to have drifted, but sw1, sw2 were never checked" in hands.bar(
            "title"
        )
        by_hand(site, PORT_OF_NODE_01, 1)
        await hands.press("c")
        await hands.until(lambda: len(table(hands)) == 1)
        assert table(hands)[0].startswith("≠ sw1 Gi1/0/2 access 100 access 1 astro node-01")
        assert "≠ 1 drifted on 1 device, last checked" in hands.bar("title")
        assert hands.bar("message") == " > drift check"
        await on(hands, "enter", DetailsScreen)
        assert hands.bar("title").strip() == "port sw1 Gi1/0/2"
        await hands.press("escape")
        await on(hands, "w", SwitchScreen)
        await hands.until(lambda: "sw1 Gi1/0/2" in hands.bar("detail"))
        await hands.press("escape", "r")
        await hands.type("y")
        await hands.press("enter")
        await job_is_shown(hands, "succeeded")
        await hands.press("escape")
        await hands.until(lambda: table(hands) == [])


async def test_an_unread_device_is_named_and_a_declined_repair_is_not_sent(site: Site) -> None:
    async with console(site.socket, project="astro") as hands:
        by_hand(site, PORT_OF_NODE_01, 1)
        await hands.command("switch register dead cisco_ios 127.0.0.1 --port 1 --credential any")
        await on(hands, "V", DriftScreen)
        await hands.press("c")
        await hands.until(lambda: "dead was not checked: " in hands.bar("detail"))
        assert len(table(hands)) == 1
        await hands.press("r", "enter")
        await hands.until(lambda: not hands.app.screen.query_one("#prompt").visible)
        assert (await site.call("job.list"))["items"][0]["kind"] != "repair"


async def test_a_restarted_switch_is_announced(site: Site) -> None:
    """Its saved configuration is old: node-02's port was on VLAN 100."""
    switch = site.centre.switches["sw1"]
    saved = switch.startup.ports[PORT_OF_NODE_02]
    saved.shutdown, saved.mode, saved.access_vlan = False, "access", 100
    async with console(site.socket, project="astro") as hands:
        await site.restarted("sw1")
        await site.call("drift.check", switch="sw1")
        news = hands.app.session.sync.log.events
        await hands.until(lambda: "ports-closed" in [each.verb for each in news])
        await hands.until(lambda: "came back with ports open" in hands.bar("message"))


async def test_tenants_see_no_drift(site: Site) -> None:
    async with console(site.socket, project="astro") as hands:
        session = hands.app.session
        info = session.inventory.info
        assert info is not None
        session.inventory.info = replace(info, admin=False)
        await hands.press("V")
        assert "Drift is for admins." in hands.bar("message")
        await on(hands, "w", SwitchScreen)
        asked = calls_since(hands)
        await hands.press("c", "r", "b")
        assert asked() == []
        await on(hands, "T", TokensScreen)  # as everywhere: there is no key of a switch to trust
        await hands.until(lambda: "token.list" in asked())
        assert set(asked()) == {"token.list"}


# --- SSH ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    with ThreadPoolExecutor(1) as thread:  # an event loop of its own
        return thread.submit(prepare, tmp_path_factory.mktemp("site")).result()


@pytest.fixture
async def ready(prepared: Prepared) -> AsyncIterator[SmallSite]:
    with tempfile.TemporaryDirectory(prefix="haas-tui-") as folder:
        async with small_site(Path(folder), prepared) as site:
            yield site


async def test_a_host_key_is_shown_and_trusted_after_a_question(ready: SmallSite) -> None:
    async with machine() as (there, keys):
        key = fingerprint(keys["ssh-ed25519"])
        await ready.call(
            "switch.register", switch="a-new-one", dialect="cisco_ios", host="127.0.0.1",
            port=there.port, transport="ssh", credential="lab",
        )  # fmt: skip
        async with console(ready.settings.server.socket, size=(80, 24)) as hands:
            await on(hands, "w", SwitchScreen)
            await hands.until(lambda: "a-new-one" in face(hands)[0])
            await hands.press("T")
            await hands.until(lambda: any("not trusted yet" in line for line in face(hands)))
            assert any(key in line for line in face(hands))
            await hands.press("escape")  # not now
            await hands.press("T")
            await hands.until(lambda: hands.app.screen.query_one("#prompt").visible)
            await hands.type("y")
            await hands.press("enter")
            await hands.until(lambda: any("trusted from now on" in line for line in face(hands)))
            line = hands.app.session.sync.log.commands[-1].line
            assert line == f"switch trust a-new-one --fingerprint {key}"
            await hands.press("T")
            await hands.until(lambda: "is trusted already" in hands.bar("message"))


async def test_a_host_key_that_cannot_be_trusted_now_opens_no_tokens_instead(
    ready: SmallSite,
) -> None:
    await ready.call(
        "switch.register", switch="a-new-one", dialect="cisco_ios", host="127.0.0.1", port=1,
        transport="ssh", credential="lab",
    )  # fmt: skip
    async with console(ready.settings.server.socket, readonly=True) as hands:
        await on(hands, "w", SwitchScreen)
        await hands.until(lambda: "a-new-one" in face(hands)[0])
        await hands.press("T")
        await hands.until(lambda: "--readonly" in hands.bar("message"))
        assert isinstance(hands.app.screen, SwitchScreen)


# --- as pictures ----------------------------------------------------------------------------------


@pytest.fixture
def drifted() -> Inventory:
    """node-1's primary-nic is on VLAN 1 instead of 104, and a trunk carries less."""
    site = drawn_site()
    for port, applied, now in (
        ("Gi1/0/2", "access 104", "access 1"),
        ("Gi1/0/8", "tagged 100-199", "tagged 100"),
    ):
        site.drift[("sw1", port)] = DriftItem(
            "sw1", "port", port, applied, now, "astro", None, None
        )
    return site


@pytest.mark.parametrize("width", [80, 120])
def test_the_topology_marks_drifted_ports_with_a_sign(drifted: Inventory, width: int) -> None:
    picture = Picture(drifted, "astro", width)
    lines = ["".join(text for text, _ in picture.line(i)) for i in range(len(picture))]
    assert "┌─ sw1 2≠ cisco_ios ─" in lines[0]
    assert "<primary-nic>≠" in lines[2] and "{104}≠ lab" in lines[2]
    assert ("now access 1" in lines[2]) == (width == 120)
    assert "{100-199}≠ [" in lines[7]
    before = Picture(drawn_site(), "astro", width)
    assert [len(line) for line in lines] == [
        len("".join(text for text, _ in before.line(i))) for i in range(len(before))
    ]


def test_the_face_plate_marks_and_describes_drifted_ports(drifted: Inventory) -> None:
    ports = views(drifted, "sw1", plugs(drifted)["sw1"])
    lines = [
        "".join(cell.text for cell in line) for line in plate(ports, 16, labeller(drifted)).lines
    ]
    assert lines[5] == "│l≠│s*│· │T≠│"
    assert "≠ drifted" in "".join(text for text, _ in legend(drifted, ports))
    output = {port.port: describe(port) for port in ports}
    assert output["Gi1/0/2"].endswith("applied lab (104)   ≠ drifted, now access 1")
    assert output["Gi1/0/8"].endswith("carries 100-199   ≠ drifted, now tagged 100")
    assert plain(lines[5]) == "|l%|s*|. |T%|"
