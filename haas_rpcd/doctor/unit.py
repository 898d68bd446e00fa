"""Checks that systemd lets the daemon write where haas.toml says. Source: systemd.exec(5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from haas_rpcd.doctor.finding import Finding, World, fault, ok

_UNIT = "haas-rpcd.service"
_FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system")
_SETTING = re.compile(r"(?m)^(ProtectSystem|ReadWritePaths|StateDirectory) *= *(.*)$")


def writable(world: World) -> list[Finding]:
    """Check the folders that the daemon writes to against its unit, if it is installed."""
    settings = world.settings
    allowed = _allowed(world)
    if allowed is None:
        return []
    wanted = {
        "[store] path": Path(settings.store.path).parent,
        "[switches] known_hosts": Path(settings.switches.known_hosts).parent,
    }
    if settings.backup.folder is not None:
        wanted["[backup] folder"] = Path(settings.backup.folder)
    findings = [
        fault(
            f"{name}: systemd lets haas-rpcd write nothing in {folder} (ProtectSystem=strict in"
            f" {_UNIT}).",
            f"use a folder below /var/lib/haas, or write  [Service]  and  ReadWritePaths={folder}"
            f"  to /etc/systemd/system/{_UNIT}.d/folders.conf; then  systemctl daemon-reload",
        )
        for name, folder in wanted.items()
        if not any(folder.is_relative_to(one) for one in allowed)
    ]
    return findings or [ok(f"{_UNIT} lets the daemon write where it has to.")]


def _allowed(world: World) -> list[Path] | None:
    """Return the folders that the unit lets the daemon write to; None if all or unknown."""
    unit = next((path for path in _files(world) if path.name == _UNIT), None)
    if unit is None:
        return None
    files = [unit, *(path for path in _files(world) if path.name != _UNIT)]
    strict, allowed = False, []
    for text in (file.read_text(errors="replace") for file in files):
        for name, value in _SETTING.findall(text):
            if name == "ProtectSystem":
                strict = value == "strict"
            elif name == "ReadWritePaths":
                allowed += [Path(word.lstrip("-+")) for word in value.split()]
            elif name == "StateDirectory":
                allowed += [Path("/var/lib") / word for word in value.split()]
    return allowed if strict else None


def _files(world: World) -> Iterator[Path]:
    """Yield the unit and what is added to it, from what has precedence on."""
    for folder in _FOLDERS:
        if (unit := world.at(folder) / _UNIT).is_file():
            yield unit
        yield from sorted((world.at(folder) / f"{_UNIT}.d").glob("*.conf"))
