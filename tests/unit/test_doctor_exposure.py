"""The doctor on what others can read, and on where systemd lets the daemon write."""

from __future__ import annotations

from pathlib import Path

import pytest

from haas_rpcd.__main__ import main
from haas_rpcd.config import BackupSettings, MetricsSettings, StoreSettings, SwitchSettings
from haas_rpcd.doctor import World, files, unit
from tests.unit.doctor_world import only, world, write


@pytest.mark.parametrize(
    ("listen", "level"),
    [("127.0.0.1:9469", "ok"), ("[::1]:9469", "ok"), ("0.0.0.0:9469", "warning")],
)
def test_counts_that_anybody_can_read_are_a_warning(
    tmp_path: Path, listen: str, level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert only(files.metrics(world(tmp_path, metrics=MetricsSettings(listen)))).level == level
    path = write(
        tmp_path / "haas.toml",
        f"[metrics]\nlisten = '{listen}'\n[credentials]\nfile = '{tmp_path}/none'\n",
    )
    assert main(["--config", str(path), "--check-config"]) == 0
    said = "whoever reaches that address can read /metrics" in capsys.readouterr().err
    assert said == (level == "warning")


def packaged(root: Path, *drop_ins: str) -> None:
    """Install the unit of the package, with files that an admin added to it."""
    text = Path("examples/master/haas-rpcd.service").read_text()
    write(root / "usr/lib/systemd/system/haas-rpcd.service", text)
    for number, added in enumerate(drop_ins):
        write(root / f"etc/systemd/system/haas-rpcd.service.d/{number}.conf", added)


def of_package(tmp_path: Path, **tables: object) -> World:
    usual = {"store": StoreSettings(), "switches": SwitchSettings()}
    return world(tmp_path, **(usual | tables))


def test_the_package_lets_the_daemon_write_where_it_does_by_default(tmp_path: Path) -> None:
    packaged(tmp_path)
    assert only(unit.writable(of_package(tmp_path))).level == "ok"
    backups = BackupSettings(folder="/var/lib/haas/backups")
    assert only(unit.writable(of_package(tmp_path, backup=backups))).level == "ok"


def test_a_folder_that_systemd_keeps_from_the_daemon_is_named_with_what_to_write(
    tmp_path: Path,
) -> None:
    packaged(tmp_path)
    elsewhere = of_package(tmp_path, backup=BackupSettings(folder="/srv/backups"))
    found = only(unit.writable(elsewhere))
    assert found.level == "fault"
    assert "[backup] folder: systemd lets haas-rpcd write nothing in /srv/backups" in found.text
    assert "ReadWritePaths=/srv/backups  to /etc/systemd/system/haas-rpcd.service.d" in found.mend

    packaged(tmp_path, "[Service]\nReadWritePaths=-/srv/backups /srv/more\n")
    assert only(unit.writable(elsewhere)).level == "ok"


def test_other_folders_are_checked_too_and_other_units_are_not_judged(tmp_path: Path) -> None:
    wanted = of_package(tmp_path, store=StoreSettings(path="/srv/haas/haas.db"))
    assert unit.writable(wanted) == []  # no unit: it is started some other way
    packaged(tmp_path)
    assert "[store] path" in only(unit.writable(wanted)).text
    packaged(tmp_path, "[Service]\nProtectSystem=full\n")
    assert unit.writable(wanted) == []
