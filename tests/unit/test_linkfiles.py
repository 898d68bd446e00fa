"""``haas-rpcd link-files``: what keeps network managers off the links of HaaS."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from haas_rpcd.__main__ import main

NETWORKD = "run/systemd/network/05-haas-trunk.network"
MANAGER = "run/NetworkManager/conf.d/05-haas-trunk.conf"


def write(tmp_path: Path, text: str) -> None:
    config = tmp_path / "haas.toml"
    config.write_text(text)
    assert main(["--config", str(config), "link-files", "--root", str(tmp_path)]) == 0


def test_the_trunk_and_the_pools_vlans_are_named_and_no_others(tmp_path: Path) -> None:
    write(tmp_path, '[vlans]\npool = "104-105"\n[master]\ntrunk_nic = "eth1"\n')
    assert "Name=eth1 eth1.104 eth1.105\n" in (tmp_path / NETWORKD).read_text()
    names = "interface-name:eth1,interface-name:eth1.104,interface-name:eth1.105"
    assert f"match-device={names}\nmanaged=0\n" in (tmp_path / MANAGER).read_text()


def test_networkd_which_is_not_root_can_read_them(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write(tmp_path, '[master]\ntrunk_nic = "eth1"\n')
    finally:
        os.umask(before)
    for name in (NETWORKD, MANAGER):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o644
        assert (tmp_path / name).parent.stat().st_mode & 0o777 == 0o755


def test_a_long_trunk_name_has_the_short_names_of_its_vlans(tmp_path: Path) -> None:
    write(tmp_path, '[vlans]\npool = "104"\n[master]\ntrunk_nic = "enp129s0f0np0"\n')
    assert "Name=enp129s0f0np0 haas.104\n" in (tmp_path / NETWORKD).read_text()


def test_without_a_master_they_are_removed(tmp_path: Path) -> None:
    write(tmp_path, '[master]\ntrunk_nic = "eth1"\n')
    write(tmp_path, "")
    assert not (tmp_path / NETWORKD).exists()
    assert not (tmp_path / MANAGER).exists()


def test_a_boot_does_not_wait_for_the_imports_of_the_daemon() -> None:
    script = "import sys, haas_rpcd.linkfiles; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"aiohttp", "pyroute2", "sqlite_utils", "asyncssh", "haas_rpcd.daemon"}
