"""A port has only one nic behind it, whichever of its names is used."""

from __future__ import annotations

import pytest

from tests.rpc.small_site import RpcError, SmallSite


@pytest.mark.parametrize("alias", ["gi1/0/1", "GigabitEthernet1/0/1", "GI1/0/01"])
async def test_a_port_cannot_be_registered_under_a_second_name(site: SmallSite, alias: str) -> None:
    with pytest.raises(RpcError, match=r"registered already, as Gi1/0/1") as refused:
        await site.call("port.register", switch="sw1", ports=[alias])
    assert refused.value.kind == "conflict"


async def test_a_site_file_cannot_register_a_port_twice(site: SmallSite) -> None:
    text = (await site.call("site.export"))["site"].replace('"Gi1/0/8",', '"gi1/0/7",')
    with pytest.raises(RpcError, match="registered already, as Gi1/0/7"):
        await site.call("site.import", site=text)


async def test_one_switch_cannot_be_registered_as_two(site: SmallSite) -> None:
    known = await site.call("switch.show", switch="sw1")
    with pytest.raises(RpcError, match="Switch sw1 is registered at"):
        await site.call(
            "switch.register",
            switch="again",
            dialect="cisco_ios",
            host=known["host"],
            port=known["port"],
        )


async def test_an_ambiguous_short_port_name_is_refused(site: SmallSite) -> None:
    with pytest.raises(RpcError, match="write the type out") as refused:
        await site.call("port.register", switch="sw1", ports=["T1/0/1"])
    assert refused.value.data["field"] == "ports"


async def test_ports_of_a_switch_with_a_new_address_do_not_count_as_parked(site: SmallSite) -> None:
    before = (await site.call("switch.show", switch="sw2"))["port"]
    text = (await site.call("site.export"))["site"]
    await site.call("site.import", site=text.replace(f"port = {before}", f"port = {before + 1}"))
    assert (await site.call("node.show", node="node-3"))["state"] == "unconfirmed"
    await site.call("site.import", site=text)
    assert (await site.apply())["state"] == "succeeded"
    assert (await site.call("node.show", node="node-3"))["state"] == "free"
