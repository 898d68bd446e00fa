"""Simulators are loaded only with ``--demo``."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
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


def test_the_contract_about_simulators_names_every_other_module() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contract = next(
        contract
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["name"] == "only --demo loads what is simulated"
    )
    there = [path for path in (ROOT / "haas_rpcd").glob("[a-z]*") if path.suffix in ("", ".py")]
    modules = {f"haas_rpcd.{path.stem}" for path in there}
    assert set(contract["source_modules"]) == modules - {"haas_rpcd.demo", "haas_rpcd.sim"}


def test_subcommands_start_without_what_only_the_daemon_needs() -> None:
    """A boot waits for some of them, and an admin for the others."""
    script = (
        "import sys, haas_rpcd.__main__\n"
        "haas_rpcd.__main__.main(['backup', '--config', '/none', 'copy.db'])\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stdout.split())
    assert loaded & {"aiohttp", "asyncssh", "libvirt", "pyroute2", "sqlite_utils"} == set()
