"""The shares of networks, offered and accepted, as lines. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from haas_console.core.inventory import Inventory
from haas_schemas.network import Offer


class Share(msgspec.Struct, frozen=True):
    """A network of one project that another uses, is offered, or uses no longer.

    ``state``: ``offered``, ``shared`` or ``ending``. ``mine`` are the projects of the user on
    either side: whoever acts for the owner may end it, and so may whoever acts for the guest.
    """

    network: str
    owner: str
    guest: str
    state: str
    vlan: int | None = None
    owns: bool = False
    """The user acts for the owner."""
    uses: bool = False
    """The user acts for the guest."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies it."""
        return (self.owner, self.network, self.guest)

    @property
    def full_name(self) -> str:
        """``owner/network``."""
        return f"{self.owner}/{self.network}"

    @property
    def hint(self) -> str:
        """What the user can do about it, with the key."""
        match self.state:
            case "offered" if self.uses:
                return "A accepts, x refuses"
            case "offered":
                return "x withdraws the offer"
            case "shared":
                return "x ends the share"
            case _:
                return "ends when its ports are parked"


def shares(inventory: Inventory, offers: Iterable[Offer]) -> list[Share]:
    """Return all shares that the user sees; ``offers`` are those to the user's projects."""
    info = inventory.info
    if info is None:
        return []
    mine = set(inventory.projects if info.admin else info.projects)
    found: dict[tuple[str, str, str], Share] = {}
    for network in inventory.networks.values():
        for state, guests in (
            ("offered", network.offered_to),
            ("shared", network.shared_with),
            ("ending", network.ending_with),
        ):
            for guest in guests:
                owner = network.project
                share = Share(
                    network.network,
                    owner,
                    guest,
                    state,
                    network.vlan,
                    owns=owner in mine,
                    uses=guest in mine,
                )
                found[share.key] = share
    for offer in offers:
        owner, _, name = offer.network.partition("/")
        share = Share(name, owner, offer.project, "offered", owns=owner in mine, uses=True)
        found.setdefault(share.key, share)
    order = {"offered": 0, "ending": 1, "shared": 2}
    return sorted(found.values(), key=lambda share: (order[share.state], share.key))
