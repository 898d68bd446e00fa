"""The first paint comes before the connection, and waits for nothing that needs it."""

from __future__ import annotations

import subprocess
import sys

LATER = ("aiohttp", "jsonrpcclient", "haas_rpcd")


def test_the_first_paint_does_not_import_a_network_library() -> None:
    loaded = subprocess.check_output(
        [sys.executable, "-c", "import sys, haas_console.tui.app; print(*sys.modules)"], text=True
    ).split()
    assert [name for name in LATER if name in loaded] == []
    assert "textual" in loaded
