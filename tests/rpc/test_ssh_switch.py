"""A switch with SSH: registering it, trusting it, and the errors until it is trusted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from haas_rpcd.errors import HaasError
from haas_rpcd.sim.cli import Carried
from haas_rpcd.sim.ios import IosSwitch, gigabit
from tests.rpc.small_site import CREDENTIALS, SmallSite
from tests.unit.ssh_server import Machine, machine

pytestmark = pytest.mark.slow

NOBODYS = "SHA256:" + "A" * 43


@pytest.fixture
async def ssh() -> AsyncIterator[tuple[Machine, str]]:
    """An SSH server and its fingerprint."""
    async with machine() as (it, keys):
        yield it, fingerprint(keys["ssh-ed25519"])


def fingerprint(key: asyncssh.SSHKey) -> str:
    return key.get_fingerprint("sha256")


def known_hosts(site: SmallSite) -> Path:
    return Path(site.settings.switches.known_hosts)


async def registered(site: SmallSite, port: int, **params: Any) -> None:
    await site.call(
        "switch.register", switch="sw9", dialect="cisco_ios", host="127.0.0.1", port=port,
        transport="ssh", credential="lab", **params,
    )  # fmt: skip


async def test_only_an_admin_trusts_a_new_key(
    empty_site: SmallSite, ssh: tuple[Machine, str]
) -> None:
    site, (it, shown) = empty_site, ssh
    file = known_hosts(site)
    await registered(site, it.port)

    error = await site.refused("switch.probe", switch="sw9")
    assert (error.kind, error.data["reason"]) == ("device", "host_key")
    assert "nobody has trusted yet: see  switch trust sw9" in error.message

    looked = await site.call("switch.trust", switch="sw9")
    assert looked["note"].endswith(f"switch trust sw9 --fingerprint {shown}")
    assert {**looked, "note": None} == {
        "switch": "sw9", "host": "127.0.0.1", "port": it.port, "type": "ssh-ed25519",
        "fingerprint": shown, "state": "unknown", "stored": False, "trusted": [], "note": None,
    }  # fmt: skip
    assert not file.exists()

    error = await site.refused("switch.trust", switch="sw9", fingerprint=NOBODYS)
    assert error.data["reason"] == "host_key"
    assert shown in error.message
    assert NOBODYS in error.message
    assert not file.exists()

    trusted = await site.call("switch.trust", switch="sw9", fingerprint=f"{shown}=")
    assert (trusted["state"], trusted["stored"], trusted["note"]) == ("known", True, None)
    assert file.read_text().startswith(f"[127.0.0.1]:{it.port} ssh-ed25519 ")

    again = await site.call("switch.trust", switch="sw9", fingerprint=shown)
    assert (again["state"], again["stored"]) == ("known", False)
    assert (await site.call("switch.probe", switch="sw9"))["prompt"] == "sw1#"


async def test_a_switch_with_a_changed_key_is_not_used_until_that_is_trusted(
    empty_site: SmallSite, ssh: tuple[Machine, str]
) -> None:
    site, (it, shown) = empty_site, ssh
    old = asyncssh.generate_private_key("ssh-ed25519")
    file = known_hosts(site)
    file.write_text(f"[127.0.0.1]:{it.port} {old.export_public_key().decode()}")
    await registered(site, it.port)
    error = await site.refused("switch.probe", switch="sw9")
    assert error.data["reason"] == "host_key"
    assert f"the one that is trusted is ssh-ed25519 {fingerprint(old)}" in error.message
    assert "see  switch trust sw9" in error.message
    looked = await site.call("switch.trust", switch="sw9")
    assert (looked["state"], looked["stored"]) == ("changed", False)
    assert looked["trusted"] == [f"ssh-ed25519 {fingerprint(old)}"]
    await site.call("switch.trust", switch="sw9", fingerprint=shown)
    assert len(file.read_text().splitlines()) == 1
    assert it.tried == []
    await site.call("switch.probe", switch="sw9")
    assert it.tried == [CREDENTIALS["lab"].password]  # an untrusted server never gets the password


async def test_trusting_is_for_admins_and_audited(
    site: SmallSite, ssh: tuple[Machine, str]
) -> None:
    it, shown = ssh
    await registered(site, it.port)
    with pytest.raises(HaasError, match=r"Only an admin may call switch\.trust"):
        await site.tenant("rita").call("switch.trust", switch="sw9", fingerprint=shown)
    await site.refused("switch.trust", switch="sw9", fingerprint=NOBODYS)
    await site.call("switch.trust", switch="sw9", fingerprint=shown)
    said = [
        (record["user"], record["params"]["fingerprint"], record["outcome"])
        for record in (await site.call("audit.list"))["items"]
        if record["method"] == "switch.trust"
    ]
    assert [outcome for _, _, outcome in said] == ["denied", "device", "done"]
    assert said[0][0] == "rita"
    assert [given for _, given, _ in said] == [shown, NOBODYS, shown]


async def test_what_cannot_be_trusted(site: SmallSite) -> None:
    error = await site.refused("switch.trust", switch="sw1")
    assert error.kind == "conflict"
    assert "registered with telnet, which has no host keys" in error.message
    assert (await site.refused("switch.trust", switch="sw7")).kind == "not_found"
    for wrong in ("SHA256:short", "MD5:00:11", f"{NOBODYS} ", ""):
        error = await site.refused("switch.trust", switch="sw1", fingerprint=wrong)
        assert error.kind == "invalid_params"
        assert "as ssh-keygen -l writes it" in error.message


# --- a switch from its registration to an apply ---------------------------------------------------


async def test_a_catalyst_by_ssh_from_first_contact_to_a_new_key(empty_site: SmallSite) -> None:
    site = empty_site
    known = CREDENTIALS["lab"]
    switch = IosSwitch(
        "sw9", ports=gigabit(4), username=known.username, password=known.password,
        enable=known.enable, ssh=True, telnet=False,
    )  # fmt: skip
    async with switch:
        at = switch.ssh_port
        await registered(site, at)
        ports = ["Gi1/0/1", "Gi1/0/2"]
        await site.call("port.register", switch="sw9", ports=ports)
        nics = [{"nic": "eth0", "switch": "sw9", "port": ports[0]}]
        await site.call("node.register", node="node-9", nics=nics)

        job = await site.apply()
        assert job["state"] == "failed"
        assert "see  switch trust sw9" in job["error"]
        shown = (await site.call("switch.trust", switch="sw9"))["fingerprint"]
        await site.call("switch.trust", switch="sw9", fingerprint=shown)
        await site.succeeds()
        assert switch.carried("GigabitEthernet1/0/1") == Carried()

        await site.call("project.create", project="red")
        await site.hold_nodes("red", "node-9")
        vlan = await site.network("red", "net")
        await site.connect("node-9", "net")
        await site.succeeds("red")
        assert switch.carried("GigabitEthernet1/0/1") == Carried(untagged=vlan)
        assert switch.counters.bytes_in > 0

    async with asyncio.timeout(10):
        await switch.start(ssh_port=at)  # with a new key
    try:
        await site.call("nic.disconnect", node="node-9", nic="eth0", network="net")
        job = await site.apply("red")
        assert job["state"] == "failed"
        assert f"the one that is trusted is ssh-ed25519 {shown}" in job["error"]
        assert switch.carried("GigabitEthernet1/0/1") == Carried(untagged=vlan)  # not touched
        new = (await site.call("switch.trust", switch="sw9"))["fingerprint"]
        assert new != shown
        await site.call("switch.trust", switch="sw9", fingerprint=new)
        await site.succeeds("red")
        assert switch.carried("GigabitEthernet1/0/1") == Carried()
    finally:
        await switch.stop()


async def test_a_catalyst_without_a_free_session(empty_site: SmallSite) -> None:
    site, known = empty_site, CREDENTIALS["lab"]
    switch = IosSwitch(
        "sw9", ports=gigabit(4), username=known.username, password=known.password,
        enable=known.enable, ssh=True, telnet=False, vtys=1,
    )  # fmt: skip
    async with switch:
        await registered(site, switch.ssh_port)
        shown = (await site.call("switch.trust", switch="sw9"))["fingerprint"]
        await site.call("switch.trust", switch="sw9", fingerprint=shown)
        async with asyncssh.connect(
            "127.0.0.1", switch.ssh_port, username=known.username, password=known.password,
            known_hosts=None, config=None,
        ) as somebody:  # fmt: skip
            shell = await somebody.create_process(term_type="vt100", encoding=None)
            await shell.stdout.readuntil((b">", b"#"))
            error = await site.refused("switch.probe", switch="sw9")
            assert error.data["reason"] == "busy"
            assert "sw9 has no SSH session free" in error.message


# --- ports of transports -------------------------------------------------------------------------


@pytest.mark.parametrize(("transport", "port"), [(None, 23), ("telnet", 23), ("ssh", 22)])
async def test_each_transport_has_its_default_port(
    empty_site: SmallSite, transport: str | None, port: int
) -> None:
    given = {"transport": transport} if transport else {}
    made = await empty_site.call(
        "switch.register", switch="sw9", dialect="cisco_ios", host="h", **given
    )
    assert (made["transport"], made["port"]) == (transport or "telnet", port)
    text = (await empty_site.call("site.export"))["site"]
    assert "\nport =" not in text
    again = await empty_site.call("site.import", site=text)
    assert (again["created"], again["changed"]) == ([], [])


async def test_one_machine_is_not_two_switches_by_telnet_and_ssh(empty_site: SmallSite) -> None:
    site = empty_site
    await site.call("switch.register", switch="sw8", dialect="cisco_ios", host="sw.lab")
    same = {"dialect": "cisco_ios", "host": "SW.lab", "transport": "ssh"}
    error = await site.refused("switch.register", switch="sw9", **same)
    assert error.kind == "conflict"
    assert "Switch sw8 is registered at SW.lab port 23" in error.message
    error = await site.refused("site.import", site={"switches": {"sw9": same}})
    assert error.kind == "conflict"
    # the same switch may change its transport
    changed = await site.call("site.import", site={"switches": {"sw8": same}})
    assert changed["changed"] == ["switch sw8"]
    assert (await site.call("switch.show", switch="sw8"))["port"] == 22


async def test_a_site_file_moves_a_switch_to_ssh(site: SmallSite) -> None:
    """Its ports are unconfirmed until they have been read over SSH."""
    text = (await site.call("site.export"))["site"]
    at = site.wires["sw1"].port
    moved = text.replace(f"port = {at}\n", 'transport = "ssh"\noptions = { ssh_legacy = true }\n')
    assert (await site.call("site.import", site=moved))["changed"] == ["switch sw1"]
    switch = await site.call("switch.show", switch="sw1")
    assert (switch["transport"], switch["port"]) == ("ssh", 22)
    assert switch["options"] == {"ssh_legacy": True}
    ports = (await site.call("port.list", switch="sw1"))["items"]
    assert {port["applied"] is None for port in ports} == {True}
