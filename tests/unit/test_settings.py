"""A setting is changed in console.toml, and nothing else of what the user wrote there."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from haas_console.core.errors import ConfigError
from haas_console.core.settings import edited, save

FILE = """\
# my console
theme = "nord"  # for the night
timeout = 5

[keymap]  # vi
"board.connect" = "x"

[contexts.prod]
socket = "/run/haas/rpcd.sock"
"""


@pytest.mark.parametrize(
    ("key", "value", "table"),
    [
        ("theme", "haas-light", ""),
        ("details", False, ""),
        ("board.connect", "ctrl+x", "keymap"),
        ("board.tag", 'a"\\', "keymap"),
        ("board", "x", "fresh"),
        ("theme", None, ""),
        ("board.connect", None, "keymap"),
    ],
)
def test_one_setting_changes_and_all_others_stay(
    key: str, value: str | bool | None, table: str
) -> None:
    made = edited(FILE, key, value, table)
    before, after = tomllib.loads(FILE), tomllib.loads(made)
    inner = after.get(table, {}) if table else after
    assert inner.get(key) == value
    for each in (before.get(table, {}) if table else before, inner):
        each.pop(key, None)
    after.setdefault(table, {}) if table else None
    before.setdefault(table, {}) if table else None
    assert before == after
    assert "# my console" in made and "# vi" in made


def test_a_setting_in_a_form_that_is_not_understood_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "console.toml"
    file.write_text('keymap."board.connect" = "x"\n')
    with pytest.raises(ConfigError, match=r'put  "board.connect" = "y"  there in \[keymap\]'):
        save(file, "board.connect", "y", "keymap")
    assert file.read_text() == 'keymap."board.connect" = "x"\n'


def test_the_file_is_made_with_its_folder_and_keeps_its_mode_and_link(tmp_path: Path) -> None:
    file, link = tmp_path / "dot" / "console.toml", tmp_path / "link"
    save(file, "theme", "nord")
    assert file.read_text() == 'theme = "nord"\n'
    file.chmod(0o640)
    link.symlink_to(file)
    save(link, "theme", "haas-dark")
    assert link.is_symlink()
    assert file.read_text() == 'theme = "haas-dark"\n'
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"console\.toml cannot be changed"):
        save(tmp_path / "file" / "console.toml", "theme", "x")
