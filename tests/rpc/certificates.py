"""Certificates for loopback, made with openssl(1)."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate and its key."""

    cert: Path
    key: Path

    def trusting(self) -> ssl.SSLContext:
        """Return a client's settings that trust this certificate."""
        return ssl.create_default_context(cafile=str(self.cert))


def make(folder: Path, name: str = "server") -> Certificate:
    """Make a certificate for localhost and 127.0.0.1."""
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    how = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    names = ("-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    files = ("-keyout", str(made.key), "-out", str(made.cert))
    subprocess.run(("openssl", *how.split(), *names, *files), check=True, capture_output=True)
    return made
