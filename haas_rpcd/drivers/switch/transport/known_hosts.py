"""The SSH host keys that admins trust: a file in OpenSSH's format (sshd(8), SSH_KNOWN_HOSTS FILE).

The file may be maintained with ``ssh-keyscan`` and ``ssh-keygen -R``, or only by ``switch trust``.
Hashed names, ``[host]:port``, patterns and ``@revoked`` have the same meaning as for ssh.
The keys of ``@cert-authority`` lines are trusted to sign the keys of the hosts that the line names.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import re
import stat
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from haas_rpcd.errors import DeviceError, UnavailableError

SSH_PORT = 22

Verdict = Literal["known", "unknown", "changed", "revoked"]
"""``changed``: the file has other keys for this host, but not this one."""


@dataclass(frozen=True)
class HostKey:
    """A public key in its wire format (RFC 4253, section 6.6)."""

    blob: bytes

    @property
    def kind(self) -> str:
        """The type, e.g. ``ssh-ed25519``: the first string of the blob (RFC 4251, section 5)."""
        length = int.from_bytes(self.blob[:4], "big")
        return self.blob[4 : 4 + length].decode("ascii", "replace")

    @property
    def fingerprint(self) -> str:
        """The fingerprint as ``ssh-keygen -l`` prints it: SHA256 in base64, without padding."""
        digest = base64.b64encode(hashlib.sha256(self.blob).digest()).decode()
        return f"SHA256:{digest.rstrip('=')}"

    @property
    def openssh(self) -> str:
        """The key as files have it: the type, and the key in base64."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"

    def __str__(self) -> str:
        return f"{self.kind} {self.fingerprint}"


@dataclass(frozen=True)
class _Line:
    """One line of the file. ``text`` is the whole line; the rest is empty if it has no key."""

    text: str
    marker: str = ""
    names: str = ""
    key: HostKey | None = None

    def is_for(self, name: str) -> bool:
        """Return whether the line applies to a host name."""
        if self.names.startswith("|"):
            return _hashed(self.names, name)
        found = False
        for pattern in self.names.split(","):
            if _matches(pattern.removeprefix("!"), name):
                if pattern.startswith("!"):
                    return False
                found = True
        return found

    def without(self, name: str) -> str | None:
        """Return the line without a name; None if it was the only one."""
        if self.marker or self.key is None:
            return self.text
        if self.names.startswith("|"):
            return None if _hashed(self.names, name) else self.text
        names = self.names.split(",")
        rest = [other for other in names if other.lower() != name]
        if rest == names:
            return self.text
        return self.text.replace(self.names, ",".join(rest), 1) if rest else None


class KnownHosts:
    """The file of trusted host keys, reread when it changes. A missing file counts as empty."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._read_at: tuple[int, int, int] | None = None
        self._lines: list[_Line] = []

    def verdict(self, host: str, port: int, key: HostKey) -> Verdict:
        """Return the verdict on a host that shows this key.

        As with ssh, a key that is known for the host without a port is accepted if no key is known
        for the port. Raises DeviceError ``host_key`` if the file can't be read.
        """
        if key in self.revoked(host, port):
            return "revoked"
        known = self.keys(host, port)
        if key in known:
            return "known"
        if known:
            return "changed"
        return "known" if key in self.keys(host, SSH_PORT) else "unknown"

    def keys(self, host: str, port: int) -> list[HostKey]:
        """Return the keys known for a host. Raises DeviceError ``host_key``."""
        return self._keys("", _name(host, port))

    def authorities(self, host: str, port: int) -> list[HostKey]:
        """Return the keys that may sign a host's key. Raises DeviceError ``host_key``.

        As with ssh, those for the host without a port count for every port.
        """
        names = dict.fromkeys((_name(host, port), _name(host, SSH_PORT)))
        revoked = self.revoked(host, port)
        found = [key for name in names for key in self._keys("cert-authority", name)]
        return [key for key in found if key not in revoked]

    def revoked(self, host: str, port: int) -> list[HostKey]:
        """Return the keys that are revoked for a host. Raises DeviceError ``host_key``."""
        return self._keys("revoked", _name(host, port))

    def _keys(self, marker: str, name: str) -> list[HostKey]:
        lines = self._marked(marker)
        return [line.key for line in lines if line.key is not None and line.is_for(name)]

    def trust(self, host: str, port: int, key: HostKey) -> None:
        """Make this the only key of a host; it replaces all others known for the host's name.

        The file is replaced as a whole, so that a reader gets the old one or the new one. Raises
        DeviceError if it can't be read, UnavailableError if it can't be written.
        """
        name = _name(host, port)
        with self._lock:
            kept = [line.without(name) for line in self._load()]
            lines = [line for line in kept if line is not None]
            lines.append(f"{name} {key.openssh}")
            try:
                _replace(self.path, "".join(f"{line}\n" for line in lines))
            except OSError as error:
                raise UnavailableError(
                    f"{self.path} can't be written ({error.strerror or error}): see that its folder"
                    " exists and that haas-rpcd may write there, or set [switches] known_hosts."
                ) from None

    def _marked(self, marker: str) -> Iterator[_Line]:
        return (line for line in self._load() if line.marker == marker)

    def _load(self) -> Sequence[_Line]:
        try:
            found = self.path.stat()
            version = (found.st_mtime_ns, found.st_size, found.st_ino)
            if version != self._read_at:
                text = self.path.read_text(encoding="utf-8", errors="surrogateescape")
                self._lines = [_parse(line) for line in text.splitlines()]
                self._read_at = version
        except FileNotFoundError:
            self._lines, self._read_at = [], None
        except OSError as error:
            raise DeviceError(
                f"{self.path}, the file of trusted host keys, can't be read"
                f" ({error.strerror or error}): see that haas-rpcd may read it.",
                reason="host_key",
            ) from None
        return self._lines


def _name(host: str, port: int) -> str:
    return host.lower() if port == SSH_PORT else f"[{host.lower()}]:{port}"


def _parse(text: str) -> _Line:
    """Parse a line. A line that we do not understand (a comment, damage) is kept unchanged."""
    words = text.split()
    marker = words.pop(0)[1:] if words and words[0].startswith("@") else ""
    if len(words) < 3 or words[0].startswith("#"):
        return _Line(text)
    try:
        key = HostKey(base64.b64decode(words[2], validate=True))
    except binascii.Error:
        return _Line(text)
    return _Line(text, marker, words[0], key)


def _hashed(names: str, name: str) -> bool:
    """Return whether ``|1|salt|hash`` is the HMAC-SHA1 of a name."""
    try:
        _, magic, salt, expected = names.split("|")
        digest = hmac.new(base64.b64decode(salt), name.encode(), hashlib.sha1).digest()
        return magic == "1" and hmac.compare_digest(digest, base64.b64decode(expected))
    except (ValueError, binascii.Error):
        return False


def _matches(pattern: str, name: str) -> bool:
    """Return whether a pattern matches a name; only ``*`` and ``?`` are special."""
    if "*" not in pattern and "?" not in pattern:
        return pattern.lower() == name
    wild = "".join({"*": ".*", "?": "."}.get(sign) or re.escape(sign) for sign in pattern.lower())
    return re.fullmatch(wild, name) is not None


def _replace(path: Path, text: str) -> None:
    """Replace a file atomically, and keep its mode."""
    path = path.resolve()  # a link stays a link
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with new.open("w", encoding="utf-8", errors="surrogateescape") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink()
        raise
