"""The files that a user names: regular ones, up to a limit, and only for those who may."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from haas_console.core import sitefile
from haas_console.core.commands import ImportSite
from haas_console.core.errors import DeniedError
from tests.batch.conftest import Program

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("what", ["/dev/zero", "pipe"])
def test_only_regular_files_are_read(console: Program, what: str) -> None:
    os.mkfifo(console.folder / "pipe")
    done = console("-c", f"site import {what}")
    assert done.returncode == 1
    assert f"{what} is no regular file; - is stdin" in done.stderr


def test_a_file_that_is_too_long_is_not_read(console: Program) -> None:
    with (console.folder / "long.toml").open("wb") as file:
        file.truncate(2**40)
    done = console("-c", "site import long.toml")
    assert done.returncode == 1
    assert "long.toml is longer than 16 MiB" in done.stderr


def test_a_site_file_may_come_on_stdin(console: Program) -> None:
    with console.start_in_shell("< /dev/zero", "-c", "site import -") as process:
        assert process.wait(60) == 1
    (console.folder / "new.toml").write_text("[users.from-stdin]\n")
    with console.start_in_shell("< new.toml", "-c", "site import -") as process:
        assert process.wait(60) == 0
    assert "from-stdin" in console("-c", "user list").stdout


async def test_the_right_is_asked_for_before_the_file_is_opened(tmp_path: Path) -> None:
    async def ask(method: str) -> Any:
        assert method == "system.info"
        return {"admin": False}

    for file in ("/etc/passwd", str(tmp_path / "none")):
        with pytest.raises(DeniedError, match=r"Only an admin may call site\.import"):
            await sitefile.import_call(ImportSite(file), ask)
