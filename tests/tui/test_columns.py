"""The board's columns: which are shown, in what order, and by which it is sorted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from haas_console.core import columns, tables
from haas_console.core.boardcolumns import NAMES, Widths, layout
from haas_console.core.config import load_config
from haas_console.core.errors import ConfigError
from haas_console.tui.screens.drift import DriftLines
from haas_console.tui.screens.headnodes import HeadnodeLines
from haas_console.tui.screens.jobs import JobList
from haas_console.tui.screens.switch_lines import SwitchList
from tests.tui.apply_hands import Site, staged_site
from tests.tui.console import Hands, console
from tests.tui.test_staging import click


def parse(specs: Sequence[str]) -> Sequence[columns.Column]:
    return columns.parse(specs, NAMES)


WIDTHS = Widths(node=7, nic=11, project=8, port=12)


def test_the_project_is_shown_at_80_columns_to_whoever_sees_several() -> None:
    names = [name for name, _ in layout(48, WIDTHS, (), projects=True, wide=False)]
    assert names == ["node", "project", "nic", "network"]
    names = [name for name, _ in layout(48, WIDTHS, (), projects=False, wide=False)]
    assert "project" not in names


@pytest.mark.parametrize("width", range(10, 220, 7))
@pytest.mark.parametrize("wide", [True, False])
def test_columns_never_take_more_than_there_is(width: int, wide: bool) -> None:
    for chosen in ((), parse(["network", "node:30", "tags", "mac"]), parse(NAMES)):
        shown = layout(width, WIDTHS, chosen, projects=True, wide=wide)
        assert sum(size for _, size in shown) + len(shown) - 1 <= max(0, width - 2)


def test_columns_are_chosen_in_console_toml_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    file = tmp_path / "console.toml"
    file.write_text('[columns]\nboard = ["nic", "node:10"]\n')
    assert load_config(file).columns == {"board": ["nic", "node:10"]}
    for wrong, sentence in (
        ('board = ["nodes"]', 'no column "nodes", did you mean "node"'),
        ('board = ["node:wide"]', "number of cells"),
        ('cars = ["node"]', "columns must be a table"),
        ('jobs = ["node"]', 'jobs: there is no column "node"'),
    ):
        file.write_text(f"[columns]\n{wrong}\n")
        with pytest.raises(ConfigError, match=sentence):
            load_config(file)


async def test_a_column_s_number_or_a_click_on_its_title_sorts_and_again_turns_it(
    socket: Path,
) -> None:
    chosen = parse(["nic", "node:12", "project"])
    async with console(socket, project="astro", columns={"board": chosen}) as hands:
        await hands.given("node allocate --project bio --node node-05")
        assert hands.bar("left-title").split()[:3] == ["nic", "node", "project"]
        await hands.press("3")
        assert "project▲" in hands.bar("left-title")
        assert hands.nodes.board.rows[0][0].node == "node-05"
        await hands.press("3")
        assert "project▼" in hands.bar("left-title")
        assert hands.nodes.board.rows[-1][0].node == "node-05"
        await click(hands, "left-title", "node")
        assert "node" in hands.bar("left-title")
        await hands.press("S")
        assert "node▼" in hands.bar("left-title")
        assert hands.nodes.board.rows[0][0].node == "node-12"
        await hands.press("9")
        assert "There are 3 columns" in hands.bar("message")


async def test_wide_shows_all_columns_over_the_whole_width(socket: Path) -> None:
    async with console(socket, (160, 40), project="astro") as hands:
        assert "mac" not in hands.bar("left-title")
        await hands.press("ctrl+w")
        await hands.until(lambda: hands.bar("left-title").split()[:10] == list(NAMES))
        assert "02:00:00:00:01:02" in hands.row("node-01", "primary-nic")
        await hands.press("ctrl+w")
        await hands.until(lambda: "mac" not in hands.bar("left-title"))
        assert hands.areas.display


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with staged_site() as site:
        yield site


async def on(hands: Hands, key: str, name: str) -> None:
    await hands.press(key)
    await hands.until(lambda: hands.app.front and name == hands.app.front.NAME)


async def test_jobs_are_sorted_by_a_column_s_key_and_the_header_shows_the_way(site: Site) -> None:
    for project in ("astro", "bio"):
        job = (await site.call("apply.start", project=project))["job"]
        await site.ended(job)
    async with console(site.socket) as hands:
        await on(hands, "J", "jobs")
        lines = hands.app.screen.query_one(JobList)
        await hands.until(lambda: len(lines.items) == 3)
        first = lines.items[0]
        assert first.project == "bio"
        await hands.press("2")
        assert hands.bar("jobs-title").split()[:2] == ["job", "project▲"]
        assert [job.project for job in lines.items] == ["astro", "bio", None]
        assert lines.current() is first, "the cursor stays on its job"
        await hands.press("S")
        assert "project▼" in hands.bar("jobs-title")
        assert [job.project for job in lines.items] == [None, "bio", "astro"]
        assert hands.bar("message").strip() == "sorted by project, backwards"
        await hands.press("down")
        assert hands.bar("message").strip() == ""
        await hands.press("up")
        await click(hands, "jobs-title", "state")
        assert "state▲" in hands.bar("jobs-title")
        assert "target" not in hands.bar("jobs-title")
        await hands.press("ctrl+w")
        assert "target" in hands.bar("jobs-title")


async def test_the_columns_of_every_table_are_chosen_in_console_toml(site: Site) -> None:
    wanted = {
        "jobs": ["state", "job:9"],
        "headnodes": ["state", "headnode"],
        "projects": ["members", "project"],
        "drift": ["now", "device"],
        "audit": ["what", "who:4"],
        "switches": ["host", "switch"],
    }
    chosen = {name: columns.parse(specs, tables.NAMES[name]) for name, specs in wanted.items()}
    await site.call("headnode.create", project="astro", headnode="login")
    site.centre.switches["sw2"].running.add_vlan(150)
    await site.call("drift.check")
    async with console(site.socket, project="astro", columns=chosen) as hands:
        for key, name, bar in (
            ("J", "jobs", "jobs-title"),
            ("H", "headnodes", "title"),
            ("M", "projects", "title"),
            ("V", "drift", "columns"),
            ("U", "audit", "title"),
        ):
            await on(hands, key, name)
            names = [spec.partition(":")[0] for spec in wanted[name]]
            await hands.until(lambda bar=bar, names=names: hands.bar(bar).split() == names, name)


async def test_the_list_of_switches_takes_the_place_of_the_face_plate(site: Site) -> None:
    await site.daemon.engine.check_reachable()
    async with console(site.socket, (160, 40), project="astro") as hands:
        await on(hands, "w", "switch")
        await hands.press("ctrl+w")
        await hands.until(
            lambda: "answers contact" in " ".join(hands.bar("switches-title").split())
        )
        lines = hands.app.screen.query_one(SwitchList)
        assert not hands.app.screen.query_one("#plate").display
        assert hands.text(lines)[0].split()[:2] == ["sw1", "yes"]
        await hands.press("1", "1", "home")
        assert "switch▼" in hands.bar("switches-title")
        assert [line.name for line in lines.items] == ["sw2", "sw1"]
        await hands.press("ctrl+w")
        await hands.until(lambda: hands.app.screen.query_one("#plate").display)
        assert hands.bar("switches-title").split() == ["switch▼"]


async def test_drift_and_headnodes_are_sorted_too(site: Site) -> None:
    for name in ("b", "a"):
        await site.call("headnode.create", project="astro", headnode=name)
    site.centre.switches["sw1"].running.add_vlan(150)
    site.centre.switches["sw2"].running.add_vlan(140)
    await site.call("drift.check")
    async with console(site.socket, project="astro") as hands:
        await on(hands, "V", "drift")
        drift = hands.app.screen.query_one(DriftLines)
        await hands.until(lambda: len(drift.items) == 2)
        await hands.press("2")
        assert [item.target for item in drift.items] == ["140", "150"]
        assert "target▲" in hands.bar("columns")
        await on(hands, "H", "headnodes")
        assert "project" not in hands.bar("title"), "one project only"
        await hands.press("1", "S")
        heads = hands.app.screen.query_one(HeadnodeLines)
        assert [line.headnode.headnode for line in heads.items] == ["b", "a"]


def test_those_without_a_value_come_last_whichever_way_is_sorted() -> None:
    table = columns.Table(
        "words",
        {"word": str, "size": lambda word: str(len(word))},
        usual=("word",),
        flexible="word",
    )
    words = ["b10", "-", "b9", ""]
    assert table.sorted(words, "word", backwards=False) == ["b9", "b10", "-", ""]
    assert table.sorted(words, "word", backwards=True) == ["b10", "b9", "-", ""]


@pytest.mark.parametrize("name", tables.NAMES)
@pytest.mark.parametrize("width", range(8, 220, 13))
def test_no_table_takes_more_than_there_is(name: str, width: int) -> None:
    table = getattr(tables, name.upper(), None)
    for wide in (True, False):
        shown = table.layout(width, [], wide=wide) if table is not None else []
        assert sum(size for _, size in shown) + len(shown) - 1 <= width
