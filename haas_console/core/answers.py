"""Puts the answer to a call into the inventory at once, before the event that repeats it."""

from __future__ import annotations

import time
from typing import Any

from msgspec.structs import replace

from haas_console.core.commands import Call
from haas_console.core.inventory import Inventory, record, records
from haas_schemas.drift import DriftItem
from haas_schemas.headnode import Headnode
from haas_schemas.network import Network
from haas_schemas.node import Nic


def take_answer(inventory: Inventory, call: Call, answer: Any) -> tuple[str, ...]:
    """Update the inventory from an answer; returns the nouns that have changed.

    Raises ConsoleError if the answer is not understood.
    """
    match call.method:
        case "nic.connect" | "nic.disconnect":
            inventory.put_nic(call.params["node"], record(Nic, answer))
            return ("node",)
        case "drift.check":
            _take_drift(inventory, answer)
            return ("drift", "switch", "node")
        case "network.create":
            network = record(Network, answer)
            inventory.networks[network.key] = network
            return ("network",)
        case (
            "headnode.create"
            | "headnode.connect"
            | "headnode.disconnect"
            | "headnode.start"
            | "headnode.stop"
        ):
            headnode = record(Headnode, answer)
            inventory.headnodes[headnode.key] = headnode
            return ("headnode",)
    return ()


def _take_drift(inventory: Inventory, report: Any) -> None:
    checked = set(report["checked"])
    items = [item for item in inventory.drift.values() if item.device not in checked]
    items += records(DriftItem, report["items"])
    inventory.drift = {(item.device, item.target): item for item in items}
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for name in checked & inventory.switches.keys():
        switch, drifted = inventory.switches[name], inventory.drifted(name)
        inventory.switches[name] = replace(switch, drift=drifted, checked=now)
