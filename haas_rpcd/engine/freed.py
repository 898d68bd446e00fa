"""Publishes what became free when something was confirmed."""

from __future__ import annotations

from haas_rpcd.events import Events
from haas_rpcd.store.applied import Freed


def publish(events: Events, freed: Freed) -> None:
    """Publish the nodes that became free and the shares that ended; to both sides of each."""
    for node in freed.nodes:
        events.publish_inventory("node", "freed", node)
    for share in freed.shares:
        name = f"{share.owner}/{share.network}"
        events.publish_inventory("network", "unshared", share.network, share.owner)
        events.publish_inventory("network", "unshared", name, share.guest)
        if share.deleted:
            events.publish_inventory("network", "deleted", share.network, share.owner)
