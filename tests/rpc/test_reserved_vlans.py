"""VLANs that a registered switch keeps for itself."""

from __future__ import annotations

from pathlib import Path

from haas_rpcd.config import Vlans
from tests.rpc.small_site import small_site


async def test_no_network_gets_a_vlan_that_a_switch_keeps_for_itself(tmp_path: Path) -> None:
    """(No connection is made to the switch to learn that: its family reserves them.)"""
    async with small_site(tmp_path, vlans=Vlans(pool="3967-3968,4090")) as site:
        await site.call("project.create", project="red")
        for network, vlan in (("before", 3968), ("low", 3967)):
            made = await site.call("network.create", project="red", network=network, vlan=vlan)
            assert made["vlan"] == vlan
        await site.call("network.delete", project="red", network="before")
        await site.call(
            "switch.register",
            switch="leaf",
            dialect="cisco_nxos",
            host="192.0.2.7",
            transport="telnet",
        )
        for vlan in (3968, 4090):
            error = await site.refused("network.create", project="red", network="net", vlan=vlan)
            assert error.kind == "conflict"
            assert f"VLAN {vlan} cannot be made on leaf, which keeps it for itself" in error.message
        error = await site.refused("network.create", project="red", network="net")
        assert error.kind == "exhausted"
        await site.call("network.delete", project="red", network="low")
        assert (await site.call("network.create", project="red", network="net"))["vlan"] == 3967
