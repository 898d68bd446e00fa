"""The board's columns: which are shown, in what order, and by which it is sorted."""

from __future__ import annotations

from pathlib import Path

import pytest

from haas_console.core.columns import NAMES, Widths, layout, parse
from haas_console.core.config import load_config
from haas_console.core.errors import ConfigError
from tests.tui.console import console
from tests.tui.test_staging import click

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
        ('jobs = ["node"]', "columns must be a table"),
    ):
        file.write_text(f"[columns]\n{wrong}\n")
        with pytest.raises(ConfigError, match=sentence):
            load_config(file)


async def test_a_column_s_number_or_a_click_on_its_title_sorts_and_again_turns_it(
    socket: Path,
) -> None:
    chosen = parse(["nic", "node:12", "project"])
    async with console(socket, project="astro", columns=chosen) as hands:
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
