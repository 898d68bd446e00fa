"""A master for the doctor, whose files are all in one folder."""

from __future__ import annotations

from pathlib import Path

from haas_rpcd.config import (
    CredentialsSettings,
    Master,
    Settings,
    StoreSettings,
    SwitchSettings,
)
from haas_rpcd.doctor import Finding, World


def world(tmp_path: Path, **tables: object) -> World:
    """A master whose files are all in one folder."""
    settings = Settings(
        **{
            "store": StoreSettings(path=str(tmp_path / "haas.db")),
            "credentials": CredentialsSettings(file=str(tmp_path / "credentials.toml")),
            "switches": SwitchSettings(dialects=str(tmp_path / "dialects"), busy_timeout=0.0),
            "master": Master(trunk_nic="trunk0"),
            **tables,
        }
    )
    return World(settings, tmp_path / "haas.toml", root=tmp_path)


def write(path: Path, text: str = "", mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def only(findings: list[Finding]) -> Finding:
    """The one finding; a fault and a warning say how to mend it."""
    (one,) = findings
    assert bool(one.mend) == (one.level != "ok")
    return one
