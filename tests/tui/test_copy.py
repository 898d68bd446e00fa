"""Copying: by the terminal if it can, and always to a file as well."""

from __future__ import annotations

from pathlib import Path

from haas_console.tui import clipboard
from tests.tui.console import console


async def test_a_copied_text_is_also_written_to_a_file(socket: Path, tmp_path: Path) -> None:
    file = tmp_path / "state" / "clipboard"
    async with console(socket, project="astro", clipboard=file) as hands:
        await hands.given("network create lab")
        await hands.press("y")
        assert hands.bar("message") == f" copied and written to {file}"
        assert file.read_text() == "network create astro lab\n"
        assert file.stat().st_mode & 0o777 == 0o600

        hands.app.copy("x" * clipboard.LIMIT)  # more than a terminal takes
        assert hands.bar("message") == f" written to {file}"
        assert len(file.read_text()) == clipboard.LIMIT + 1

        file.unlink()
        file.mkdir()
        await hands.press("y")
        assert hands.bar("message") == f" copied and {file} cannot be written: Is a directory"
