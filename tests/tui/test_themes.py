"""The console's own themes: contrast, one colour for each network, and terminals of few colours."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from haas_console.core.colours import COLOURS, network_look
from haas_console.tui.themes import DARK, LIGHT, Palette
from tests.tui.console import console
from tests.tui.harness import Terminal, keys
from tests.tui.harness.processes import Daemon

PALETTES = {"haas-dark": DARK, "haas-light": LIGHT}
READABLE = 4.5
"""WCAG 2.2, 1.4.3: the least contrast of text with its background."""

FRAMES = set("─│┌┐└┘├┤┬┴┼╌▐▌█░■●○·▾▸")
"""Lines and signs, which stand beside words that say the same."""


def channels(colour: str) -> list[float]:
    """Red, green and blue, linear (WCAG 2.2, relative luminance)."""
    found = [int(colour.lstrip("#")[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    return [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in found]


def contrast(one: str, other: str) -> float:
    weights = (0.2126, 0.7152, 0.0722)
    lights = [
        sum(w * c for w, c in zip(weights, channels(each), strict=True)) + 0.05
        for each in (one, other)
    ]
    return max(lights) / min(lights)


def oklab(colour: str) -> list[float]:
    """A colour in Oklab, where distances are as large as people see them (B. Ottosson, 2020)."""
    red, green, blue = channels(colour)
    long = 0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue
    middle = 0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue
    short = 0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue
    cones = [each ** (1 / 3) for each in (long, middle, short)]
    rows = (
        (0.2104542553, 0.7936177850, -0.0040720468),
        (1.9779984951, -2.4285922050, 0.4505937099),
        (0.0259040371, 0.7827717662, -0.8086757660),
    )
    return [sum(w * c for w, c in zip(row, cones, strict=True)) for row in rows]


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_every_text_can_be_read_on_every_background(palette: Palette) -> None:
    pairs = [*itertools.product(palette.inks, palette.backgrounds)]
    pairs += [(palette.background, lit) for lit in (palette.primary, palette.good, palette.bad)]
    poor = {(ink, on): contrast(ink, on) for ink, on in pairs if contrast(ink, on) < READABLE}
    assert not poor


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_networks_can_be_told_apart_and_from_states(palette: Palette) -> None:
    assert len(palette.networks) == COLOURS
    states = (palette.text, palette.muted, palette.staged, palette.bad, palette.good)
    pairs = [*itertools.combinations(palette.networks, 2)]
    pairs += itertools.product(palette.networks, states)
    near = {pair for pair in pairs if math.dist(*map(oklab, pair)) < 0.07}
    assert not near


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_no_network_has_the_hue_of_an_error(palette: Palette) -> None:
    apart = {each: abs(hue(each) - hue(palette.bad)) for each in palette.networks}
    assert all(30 <= angle <= 330 for angle in apart.values()), apart


def hue(colour: str) -> float:
    """The angle of a colour in Oklab, in degrees."""
    _, red, yellow = oklab(colour)
    return math.degrees(math.atan2(yellow, red)) % 360


def test_a_network_keeps_its_colour_whatever_other_networks_there_are() -> None:
    assert network_look(("astro", "lab")) == "net2"
    assert network_look(("bio", "genomes")) == "net4"
    looks = [network_look((f"project-{n % 7}", f"network-{n}")) for n in range(400)]
    assert min(looks.count(look) for look in set(looks)) > 20
    assert len(set(looks)) == COLOURS


# --- on a terminal --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("rpcd"), "--demo") as daemon:
        for node in ("node-01", "node-02"):
            daemon.call("node.allocate", project="astro", node=node)
        daemon.call("network.create", project="astro", network="lab")
        daemon.call("nic.connect", node="node-01", nic="primary-nic", network="lab")
        job = daemon.call("apply.start", project="astro")["job"]
        daemon.call("job.wait", job=job, timeout=60)
        daemon.call("nic.connect", node="node-02", nic="primary-nic", network="lab")
        yield daemon


def opened(daemon: Daemon, home: Path, theme: str | None = None, **options: Any) -> Terminal:
    if theme is not None:
        folder = home / ".config" / "haas"
        folder.mkdir(parents=True)
        (folder / "console.toml").write_text(f'theme = "{theme}"\n')
    command = [sys.executable, "-m", "haas_console", "--socket", str(daemon.socket)]
    return Terminal(command, home=home, **options)


def unreadable(terminal: Terminal) -> dict[tuple[str, str], str]:
    """Text on the screen whose contrast is too low, by its colours."""
    found: dict[tuple[str, str], str] = {}
    for y, line in enumerate(terminal.screen.lines):
        for x, char in enumerate(line):
            ink, paper = terminal.screen.style((x, y))[:2]
            if char == " " or char in FRAMES:
                continue
            if contrast(ink, paper) < READABLE:
                found[(ink, paper)] = found.get((ink, paper), "") + char
    return found


SCREENS = (
    (b"J", "> Jobs"), (b"t", "haas-master"), (b"w", "Gi1/0/"), (b"V", "> Drift"),
    (b"H", "> Headnodes"), (b"I", "> Inventory"), (b"U", "apply start"), (b"e", "> Events"),
    (b"a", "switchport access vlan"),
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("theme", PALETTES)
def test_what_the_screens_show_can_be_read(daemon: Daemon, tmp_path: Path, theme: str) -> None:
    with opened(daemon, tmp_path, theme, colorterm="truecolor") as terminal:
        terminal.wait_for("parked → lab*")
        for key, shows in ((b"", "lab"), (keys.DOWN, "lab"), (b"p", "astro"), *SCREENS):
            terminal.feed(key)
            terminal.wait_for(shows)
            terminal.settle()
            assert unreadable(terminal) == {}, terminal.text
            if key == b"p":
                terminal.feed(keys.ESCAPE)


def test_a_network_has_one_colour_on_all_screens(daemon: Daemon, tmp_path: Path) -> None:
    with opened(daemon, tmp_path, colorterm=None) as terminal:
        terminal.wait_for("parked → lab*")
        terminal.settle()
        expected = DARK.networks[int(network_look(("astro", "lab")).removeprefix("net"))]
        screen = terminal.screen
        inks = [screen.style(at)[0] for at in (screen.find("■ lab"), screen.find("lab   "))]
        for key, shows in ((b"t", "access{100} lab"), (b"w", "lab "), (b"a", "parked -> lab")):
            terminal.feed(key)
            terminal.wait_for(shows)
            terminal.settle()
            column, row = terminal.screen.find(shows)
            inks.append(terminal.screen.style((column + shows.index("lab"), row))[0])
        assert inks == [expected.lstrip("#")] * 5


def test_the_cursor_leaves_the_colours_of_its_line(daemon: Daemon, tmp_path: Path) -> None:
    with opened(daemon, tmp_path) as terminal:
        terminal.wait_for("parked → lab*")
        terminal.settle()
        staged = terminal.screen.find("parked → lab*")
        before = terminal.screen.style(staged)
        while terminal.screen.style(staged)[1] == before[1]:
            terminal.gesture(keys.DOWN)
        assert terminal.screen.style(staged) == (before[0], DARK.cursor.lstrip("#"), True, False)


@pytest.mark.parametrize("options", [{"term": "xterm", "colorterm": None}, {"no_color": True}])
def test_with_few_colours_the_cursor_hides_no_bar_and_no_staged_change(
    daemon: Daemon, tmp_path: Path, options: dict[str, Any]
) -> None:
    with opened(daemon, tmp_path, "haas-light", **options) as terminal:
        terminal.wait_for("parked → lab*")
        terminal.settle()
        assert b"38;5;" not in terminal.output() and b"38;2;" not in terminal.output()
        terminal.feed(b"J")
        terminal.wait_for("> Jobs")
        terminal.feed(b"\r")
        terminal.wait_for("█")
        terminal.settle()
        bars = [*terminal.screen.places("█")]
        assert not any(terminal.screen.style(at)[3] for at in bars)


async def test_a_theme_that_there_is_not_is_named_with_the_right_ones(socket: Path) -> None:
    async with console(socket, theme="haas-drak") as hands:
        await hands.until(lambda: hands.bar("message"))
        said = hands.app.screen.message  # type: ignore[attr-defined]
        assert 'no theme "haas-drak", did you mean "haas-dark"?' in said
        assert "haas-light" in said and "dracula" in said


# --- the choice -----------------------------------------------------------------------------------


async def test_a_theme_is_seen_while_it_is_chosen_and_kept(socket: Path, tmp_path: Path) -> None:
    file = tmp_path / "console.toml"
    file.write_text('# mine\nsocket = "/run/x"\n')
    async with console(socket, settings=file) as hands:
        before = hands.app.theme
        await hands.press("ctrl+t", "down")
        await hands.until(lambda: hands.app.theme != before)
        await hands.press("escape")
        await hands.until(lambda: hands.app.theme == before)
        assert "theme" not in file.read_text()
        await hands.press("ctrl+t", "g", "down")
        await hands.until(lambda: hands.app.theme == "haas-light")
        await hands.press("enter")
        await hands.until(lambda: "the theme is haas-light" in hands.bar("message"))
        assert file.read_text() == '# mine\nsocket = "/run/x"\ntheme = "haas-light"\n'
