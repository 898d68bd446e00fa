"""Looks up the credentials of a device, at each login: a change of the file needs no restart."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from haas_rpcd.config import ConfigError, Credential
from haas_rpcd.errors import DeviceError


def look_up(
    credentials: Callable[[], Mapping[str, Credential]], entry: str, device: str, file: str
) -> Credential:
    """Return an entry of the credentials. ``device`` and ``file`` are named in errors.

    Raises DeviceError ``login``.
    """
    try:
        known = credentials()
    except ConfigError as error:
        raise DeviceError(str(error), reason="login") from None
    if entry not in known:
        raise DeviceError(
            f"There are no credentials for {device}: add  [{entry}]  to {file}.", reason="login"
        )
    return known[entry]
