"""What a nic is connected to, as text."""

from __future__ import annotations

from collections.abc import Iterable

from haas_schemas.node import Nic, NicNetwork


def links_text(links: Iterable[NicNetwork]) -> str:
    """``lab``, ``lab +storage`` (tagged), or ``parked``."""
    words = [("+" if k.tagged else "") + (k.network or f"vlan {k.vlan}") for k in links]
    return " ".join(words) or "parked"


def network_text(nic: Nic, found: str | None = None) -> str:
    """The applied networks, and the staged ones if they differ: ``lab``, ``lab → storage*``.

    ``found`` is what the port has drifted to: ``≠ lab, now access 1``.
    """
    if found is not None:
        return f"≠ {network_text(nic)}, now {found}"
    if nic.state == "unwired":
        return "no port"
    if nic.applied is None:
        return f"? → {links_text(nic.networks)}*" if nic.networks else "unconfirmed"
    if nic.state == "staged":
        return f"{links_text(nic.applied)} → {links_text(nic.networks)}*"
    return links_text(nic.networks)
