"""A VLAN that was adopted from a switch, after its network was deleted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from haas_rpcd.model import SetVlan
from tests.rpc.one_switch import Registered, one_switch

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("dialect", ["cisco_ios", "dell_powerconnect"])
async def test_its_id_becomes_free_even_on_switches_that_never_remove_vlans(
    dialect: str, tmp_path: Path, registered: Callable[[str], Registered]
) -> None:
    async with one_switch(tmp_path, dialect, registered(dialect)) as site:
        vlan = await site.network("red", "net")
        await site.by_hand(SetVlan(vlan, present=True))
        await site.call("switch.probe", switch="sw1", adopt=True)
        await site.call("network.delete", project="red", network="net")
        await site.succeeds("red")
        assert await site.rows("SELECT vlan FROM vlan_claim") == []
