"""Backups: made while the database is in use, checked, and never in the place of anything else."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from haas_rpcd.__main__ import main
from haas_rpcd.backups import Schedule
from haas_rpcd.config import BackupSettings
from haas_rpcd.store import users
from haas_rpcd.store.database import Store


@pytest.fixture
async def store(memory_path: Path) -> AsyncIterator[Store]:
    """A store in use, with the user rita."""
    opened = Store(str(memory_path / "haas.db"))
    await opened.open()
    await opened.write(users.create, "rita", False)
    yield opened
    await opened.close()


@pytest.fixture
def config(memory_path: Path) -> Path:
    file = memory_path / "haas.toml"
    file.write_text(f'[store]\npath = "{memory_path}/haas.db"\n')
    return file


def users_in(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as copy:
        return [name for (name,) in copy.execute("SELECT name FROM user ORDER BY name")]


def backup(config: Path, file: Path) -> int:
    return main(["--config", str(config), "backup", str(file)])


async def test_a_backup_has_what_was_committed_and_replaces_an_older_one(
    store: Store, config: Path, memory_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = memory_path / "copy.db"
    assert backup(config, file) == 0
    assert users_in(file) == ["rita"]
    assert file.stat().st_mode & 0o777 == 0o600
    said = capsys.readouterr().err
    assert f"haas.db is in {file}: 0 projects, 0 nodes, 0 switches, 0 jobs" in said

    await store.write(users.create, "sam", False)
    assert backup(config, file) == 0
    assert users_in(file) == ["rita", "sam"]
    assert sorted(each.name for each in memory_path.glob("copy*")) == ["copy.db"]


async def test_a_backup_never_replaces_anything_but_a_backup(
    store: Store, config: Path, memory_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backup(config, memory_path / "haas.db") == 1
    assert "is the database itself: name another file" in capsys.readouterr().err
    before = config.read_text()
    assert backup(config, config) == 1
    assert "haas.toml exists and is no backup of HaaS's" in capsys.readouterr().err
    assert config.read_text() == before
    await store.write(users.create, "sam", False)


def test_without_a_database_there_is_nothing_to_back_up(
    config: Path, memory_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backup(config, memory_path / "copy.db") == 1
    assert f"There is no database {memory_path}/haas.db." in capsys.readouterr().err
    assert not (memory_path / "copy.db").exists()


async def test_a_damaged_database_leaves_the_last_good_backup_alone(
    store: Store, config: Path, memory_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = memory_path / "copy.db"
    assert backup(config, file) == 0
    await store.close()
    path = memory_path / "haas.db"
    content = bytearray(path.read_bytes())
    content[4096 * 4 : 4096 * 5] = b"\xa5" * 4096
    path.write_bytes(content)
    assert backup(config, file) == 1
    assert "is damaged" in capsys.readouterr().err
    assert users_in(file) == ["rita"]


async def test_the_daemons_own_backups_are_rotated(store: Store, memory_path: Path) -> None:
    folder = memory_path / "backups"
    folder.mkdir()
    for name in ("haas-20250101T000000Z.db", "haas-20250102T000000Z.db", "mine.db"):
        (folder / name).write_bytes(b"")
    schedule = Schedule(BackupSettings(keep=2), folder, Path(store.path))
    made = schedule.make()
    assert users_in(made) == ["rita"]
    assert sorted(each.name for each in folder.iterdir()) == [
        "haas-20250102T000000Z.db", made.name, "mine.db",
    ]  # fmt: skip
    last = schedule.last()
    assert last is not None
    assert last.file == str(made)


def test_a_folder_that_is_not_there_is_refused_at_the_start(
    config: Path, memory_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(f'{config.read_text()}[backup]\nfolder = "{memory_path}/nowhere"\n')
    assert main(["--config", str(config)]) == 1
    assert "[backup] folder: there is no folder" in capsys.readouterr().err
