"""How hypervisors are registered: what a libvirt URI says of the host behind it. No I/O."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from haas_rpcd.registered import RegisteredHypervisor

DRIVERS = ("qemu", "test")
"""The drivers of libvirt that headnodes can be made with."""

TRANSPORTS = ("ssh", "tls", "unix")
"""Transports of libvirt's URIs (https://libvirt.org/uri.html) that HaaS can use."""

_SSH = re.compile(
    r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]{0,62})@)?"
    r"(?P<host>\[[0-9A-Fa-f:.%]{2,80}\]|[A-Za-z0-9][A-Za-z0-9.-]{0,252})"
    r"(?::(?P<port>[0-9]{1,5}))?"
)


class SshAt(NamedTuple):
    """An SSH server. ``user`` is None if the credentials file says who logs in."""

    user: str | None
    host: str
    port: int


def parse_ssh(text: str) -> SshAt:
    """Parse ``[USER@]HOST[:PORT]``. Raises ValueError, with a sentence."""
    found = _SSH.fullmatch(text)
    if found is None or not 1 <= int(found["port"] or 22) <= 65535:
        raise ValueError(f'"{text}" is not [USER@]HOST[:PORT], such as haas@hv2.example')
    return SshAt(found["user"], found["host"].strip("[]"), int(found["port"] or 22))


def check_uri(uri: str) -> str:
    """Check a libvirt URI; return its transport, ``""`` for a local one.

    Raises ValueError, with a sentence.
    """
    try:
        parts = urlsplit(uri)
        host, password, _ = parts.hostname, parts.password, parts.port
    except ValueError as error:
        raise ValueError(f"it is no URI ({error})") from None
    driver, _, transport = parts.scheme.partition("+")
    if driver not in DRIVERS or (transport and transport not in TRANSPORTS):
        raise ValueError(
            "HaaS knows qemu+ssh://HOST/system and qemu+tls://HOST/system, and local ones such as"
            " qemu:///system"
        )
    if password is not None:
        raise ValueError("it must not hold a password: that belongs in the credentials file")
    if transport in ("ssh", "tls") and not host:
        raise ValueError(
            f"{parts.scheme}:// wants a host, as in {parts.scheme}://hv2.example/system"
        )
    if transport not in ("ssh", "tls") and host:
        raise ValueError(f"to reach {host} it must say how: {driver}+ssh:// or {driver}+tls://")
    return transport


def ssh_at(hypervisor: RegisteredHypervisor) -> SshAt | None:
    """Return where a hypervisor's network is configured; None if nothing says that.

    The port of a ``qemu+tls`` URI is libvirt's own, so SSH is at its standard port there.
    """
    if hypervisor.ssh is not None:
        return parse_ssh(hypervisor.ssh)
    if check_uri(hypervisor.uri) not in ("ssh", "tls"):
        return None
    parts = urlsplit(hypervisor.uri)
    over_ssh = parts.scheme.endswith("+ssh")
    port = parts.port if over_ssh else None
    return SshAt(parts.username if over_ssh else None, parts.hostname or "", port or 22)
