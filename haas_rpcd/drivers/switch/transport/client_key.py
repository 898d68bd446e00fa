"""The private SSH key of a login: a file that only haas-rpcd may read."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import asyncssh

from haas_rpcd.errors import DeviceError


async def client_keys(device: str, file: str) -> list[asyncssh.SSHKey]:
    """Read the private key of a login to a device; none if no file is named.

    Raises DeviceError ``login``.
    """
    if not file:
        return []
    try:
        return [await asyncio.to_thread(_read, Path(file))]
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
    raise DeviceError(f"{device} can't be logged in to with {file}: {why}.", reason="login")


def _read(path: Path) -> asyncssh.SSHKey:
    """Read a private key. Raises OSError, ValueError."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise ValueError(f"others may read it (mode {mode:04o}); run  chmod 600 {path}")
    try:
        return asyncssh.read_private_key(path)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        if "passphrase" in str(error).lower():
            raise ValueError(
                f"it has a passphrase, which nobody can type; run  ssh-keygen -p -f {path}"
            ) from None
        raise ValueError("it is no private SSH key") from None
