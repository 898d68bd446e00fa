"""Simulators are loaded only with ``--demo``."""

from __future__ import annotations

import json
import subprocess
import sys


def test_a_production_daemon_loads_no_simulator() -> None:
    script = (
        "import json, sys, haas_rpcd.__main__, haas_rpcd.daemon\n"
        "print(json.dumps([name for name in sys.modules if name.startswith('haas_rpcd.')]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = json.loads(done.stdout)
    assert "haas_rpcd.daemon" in loaded
    assert [name for name in loaded if name.startswith(("haas_rpcd.sim", "haas_rpcd.demo"))] == []
