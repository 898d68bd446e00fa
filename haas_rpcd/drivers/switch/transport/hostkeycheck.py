"""What ``switch trust`` finds out about the host key of a switch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from haas_rpcd.drivers.switch.transport.known_hosts import HostKey, Verdict


@dataclass(frozen=True)
class HostKeyCheck:
    """The host key that a switch shows, and the verdict on it."""

    key: HostKey
    verdict: Verdict
    known: Sequence[HostKey]
    """The keys that were trusted before the check."""
    stored: bool = False
    authority: HostKey | None = None
    """The trusted authority that has signed the key, if that is why it is known."""

    def advice(self, device: str, known_hosts: Path, noun: str = "switch") -> str | None:
        """Return what an admin should do about the key of a device, if anything."""
        if self.authority is not None:
            return (
                f"the authority {self.authority}, which {known_hosts} trusts, has signed this key:"
                " nothing to do."
            )
        if self.verdict == "known":
            return None
        if self.verdict == "revoked":
            return f"{known_hosts} marks this key as revoked: give the {noun} another."
        changed = self.verdict == "changed"
        first = f"if the {noun} was replaced or has a new key, " if changed else ""
        return (
            f"{first}compare the fingerprint with what the {noun} says of itself at its console;"
            f" if it is the same, {noun} trust {device} --fingerprint {self.key.fingerprint}"
        )
