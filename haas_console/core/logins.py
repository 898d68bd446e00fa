"""The tokens that ``haas-console login`` keeps, by the URL of their daemon.

They are in a file of mode 0600, or in the system's keyring if the package ``keyring`` is installed
and has a place for them. The file also remembers the authority (``--ca``) of each daemon.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haas_console.core.config import tokens_path
from haas_console.core.errors import ConfigError

_SERVICE = "haas-console"


@dataclass(frozen=True)
class Login:
    """What is kept of a daemon. ``where`` says in which place the token is."""

    token: str | None
    ca_file: str | None
    where: str

    def __repr__(self) -> str:
        return f"Login(ca_file={self.ca_file!r}, where={self.where!r})"  # without the token


def find(url: str, environ: Mapping[str, str] = os.environ) -> Login | None:
    """Return what is kept for a URL. Raises ConfigError, e.g. if others can read the file."""
    path = tokens_path(environ)
    entry = _read(path).get(_key(url))
    if entry is None:
        return None
    ca_file = entry.get("ca_file")
    if "token" in entry:
        return Login(entry["token"], ca_file, str(path))
    keyring = _keyring()
    token = None
    if keyring is not None:
        with contextlib.suppress(keyring.errors.KeyringError):  # locked
            token = keyring.get_password(_SERVICE, _key(url))
    return Login(token, ca_file, "the keyring")


def keep(url: str, token: str, ca_file: str | None, environ: Mapping[str, str] = os.environ) -> str:
    """Keep a token for a URL; return in which place. Raises ConfigError, OSError."""
    path, entry, where = tokens_path(environ), {"ca_file": ca_file}, "the keyring"
    if not _to_keyring(url, token):
        entry["token"], where = token, str(path)
    _write(path, {**_read(path), _key(url): entry})
    return where


def forget(url: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Remove the token of a URL; return whether there was one. Raises ConfigError, OSError."""
    path = tokens_path(environ)
    kept = _read(path)
    entry = kept.pop(_key(url), None)
    if entry is None:
        return False
    if "token" not in entry and (keyring := _keyring()) is not None:
        with contextlib.suppress(keyring.errors.KeyringError):  # it is gone from there already
            keyring.delete_password(_SERVICE, _key(url))
    _write(path, kept)
    return True


def _key(url: str) -> str:
    return url.rstrip("/").lower()


# --- the file -------------------------------------------------------------------------------------


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    with open(descriptor, encoding="utf-8") as file:
        found = os.fstat(descriptor)
        if stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid != os.geteuid():
            raise ConfigError(f"{path} holds tokens and must be yours alone: run  chmod 600 {path}")
        try:
            kept = json.load(file)
        except ValueError as error:
            raise ConfigError(f"{path}: not JSON; delete it and log in again") from error
    return kept if isinstance(kept, dict) else {}


def _write(path: Path, kept: Mapping[str, Mapping[str, Any]]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = path.parent / f".{path.name}.{os.getpid()}"
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(kept, file, indent=1)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


# --- the keyring ----------------------------------------------------------------------------------


def _keyring() -> Any:
    """Return the module ``keyring``; None if it is not installed."""
    if importlib.util.find_spec("keyring") is None:
        return None
    return importlib.import_module("keyring")


def _to_keyring(url: str, token: str) -> bool:
    keyring = _keyring()
    if keyring is None or getattr(keyring.get_keyring(), "priority", 0) <= 0:
        return False
    try:
        keyring.set_password(_SERVICE, _key(url), token)
    except keyring.errors.KeyringError:  # locked, or without a desktop session
        return False
    return True
