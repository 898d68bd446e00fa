"""The algorithms of SSH that HaaS offers to switches and hypervisors."""

from __future__ import annotations

from collections.abc import Iterable

KINDS: dict[str, tuple[str, ...]] = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"),  # SHA-1 last: for older switches only
}
"""The types of host keys, best first, and the signature algorithms of each (RFC 8332)."""

CERTIFIED = (
    "ssh-ed25519-cert-v01@openssh.com",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    "rsa-sha2-512-cert-v01@openssh.com",
    "rsa-sha2-256-cert-v01@openssh.com",
)
"""The algorithms of host keys that an authority has signed (OpenSSH's PROTOCOL.certkeys)."""

LEGACY: dict[str, str] = {
    "kex_algs": "+diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1",
    "encryption_algs": "+aes256-cbc,aes192-cbc,aes128-cbc,3des-cbc",
    "mac_algs": "+hmac-sha1-96",
}
"""Algorithms of IOS 12 and its contemporaries, offered after all better ones. They can be broken,
so they are only used for switches with the option ``ssh_legacy``. (diffie-hellman-group14-sha1 and
ssh-rsa are the last of asyncssh's defaults.)"""


def host_key_algorithms(kinds: Iterable[str]) -> list[str]:
    """Return the signature algorithms of host keys of these types, in their order."""
    return [algorithm for kind in kinds for algorithm in KINDS[kind]]
