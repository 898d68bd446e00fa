"""A port has only one nic behind it, and a switch is only one, whichever of its names is used."""

from __future__ import annotations

import pytest

from tests.rpc.small_site import RpcError, SmallSite


@pytest.mark.parametrize("alias", ["gi1/0/1", "GigabitEthernet1/0/1", "GI1/0/01"])
async def test_a_port_cannot_be_registered_under_a_second_name(site: SmallSite, alias: str) -> None:
    with pytest.raises(RpcError, match=r"registered already, as Gi1/0/1") as refused:
        await site.call("port.register", switch="sw1", ports=[alias])
    assert refused.value.kind == "conflict"


@pytest.mark.parametrize("name", ["a", "Gi", "x-y"])
async def test_what_cannot_be_a_port_is_not_registered(site: SmallSite, name: str) -> None:
    for method, params in (
        ("port.register", {"switch": "sw1", "ports": [name]}),
        ("site.import", {"site": {"switches": {"sw1": await exported(site, name)}}}),
    ):
        error = await site.refused(method, **params)
        assert error.kind == "invalid_params"
        assert f"{name} is no port: cisco_ios numbers its ports" in error.message


async def exported(site: SmallSite, port: str) -> dict[str, object]:
    """Return sw1 as a site file has it, with one more port."""
    known = await site.call("switch.show", switch="sw1")
    fields = {key: known[key] for key in ("dialect", "host", "port", "credential")}
    return {**fields, "access": [port]}


async def test_a_switch_with_a_shell_may_name_its_ports_freely(empty_site: SmallSite) -> None:
    await empty_site.call("switch.register", switch="lx", dialect="linux_bridge", host="127.0.0.9")
    [port] = await empty_site.call("port.register", switch="lx", ports=["uplink"])
    assert port["port"] == "uplink"


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


@pytest.mark.parametrize("host", ["localhost", "127.1", "::ffff:127.0.0.1"])
async def test_a_switch_cannot_be_registered_again_under_another_name_of_its_host(
    site: SmallSite, host: str
) -> None:
    known = await site.call("switch.show", switch="sw1")
    again = {"dialect": "cisco_ios", "host": host, "port": known["port"]}
    for method, params in (
        ("switch.register", {"switch": "again", **again}),
        ("site.import", {"site": {"switches": {"again": again}}}),
    ):
        error = await site.refused(method, **params)
        assert error.kind == "conflict"
        assert f"Switch sw1 is registered at 127.0.0.1 port {known['port']}" in error.message
        assert f"the same address as {host}" in error.message
    moved = {"switches": {"sw1": again}}  # the switch itself may get another name
    assert (await site.call("site.import", site=moved))["changed"] == ["switch sw1"]


async def test_a_site_file_cannot_have_one_switch_under_two_names(empty_site: SmallSite) -> None:
    switches = {
        name: {"dialect": "cisco_ios", "host": host}
        for name, host in (("sw8", "127.0.0.1"), ("sw9", "localhost"))
    }
    switches["sw9"]["transport"] = "ssh"
    error = await empty_site.refused("site.import", site={"switches": switches})
    assert error.kind == "conflict"
    assert "switches.sw9: Switch sw8 is registered at 127.0.0.1 port 23" in error.message


async def test_switches_whose_names_do_not_resolve_can_be_registered(
    empty_site: SmallSite,
) -> None:
    for name in ("sw8", "sw9"):
        host = f"{name}.does-not-exist.invalid"
        await empty_site.call("switch.register", switch=name, dialect="cisco_ios", host=host)


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


async def test_a_port_that_an_earlier_release_took_by_any_name_stays_and_can_be_deleted(
    site: SmallSite,
) -> None:
    await site.sql(
        "INSERT INTO port (switch_id, name, canonical, role)"
        " SELECT id, 'Foo1', 'foo1', 'access' FROM switch WHERE name = 'sw1'"
    )
    probed = await site.call("switch.probe", switch="sw1", adopt=True)
    assert "Foo1: the switch does not show it" in probed["warnings"]
    job = await site.apply()
    assert "port delete sw1 Foo1 --force" in job["error"]
    await site.call("port.delete", switch="sw1", port="Foo1", force=True)
    await site.succeeds()
