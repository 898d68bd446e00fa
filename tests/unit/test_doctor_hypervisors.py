"""``haas-rpcd doctor`` on hypervisors: a real SSH server, and libvirt's test hypervisor."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import libvirt
import pytest

from haas_rpcd.config import CredentialsSettings, Master, Settings, StoreSettings, SwitchSettings
from haas_rpcd.doctor import Finding, World, hypervisors
from haas_rpcd.drivers.hypervisor import domain_xml
from haas_rpcd.registered import RegisteredHypervisor
from haas_rpcd.store import hypervisors as stored
from haas_rpcd.store.database import Store
from tests.unit.remote_host import PASSWORD, Server, ssh_server

pytestmark = pytest.mark.skipif(shutil.which("ip") is None, reason="iproute2 is not installed")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with ssh_server() as running:
        yield running


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """The database of a master."""
    opened = Store(str(tmp_path / "haas.db"))
    await opened.open()
    yield opened
    await opened.close()


def world(folder: Path, server: Server, password: str = PASSWORD) -> World:
    """A master that trusts the server, and logs in to hv2 there."""
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {server.public_key}\n")
    credentials = folder / "credentials.toml"
    credentials.write_text(f'[hv2]\npassword = "{password}"\n')
    credentials.chmod(0o600)
    settings = Settings(
        store=StoreSettings(path=str(folder / "haas.db")),
        credentials=CredentialsSettings(file=str(credentials)),
        switches=SwitchSettings(known_hosts=str(folder / "known_hosts"), busy_timeout=0.0),
        master=Master(trunk_nic="trunk0", libvirt_uri="test:///default"),
    )
    return World(settings, folder / "haas.toml", root=folder)


def registered(server: Server, trunk_nic: str = "lo") -> RegisteredHypervisor:
    return RegisteredHypervisor(
        "hv2", "test:///default", trunk_nic, ssh=f"haas@127.0.0.1:{server.port}"
    )


def said(findings: list[Finding], level: str) -> str:
    """The sentences of one level."""
    return " ".join(one.text for one in findings if one.level == level)


async def test_a_master_alone_is_ok(tmp_path: Path, server: Server, store: Store) -> None:
    [one] = await hypervisors.every_hypervisor(world(tmp_path, server))
    assert (one.level, "on the master" in one.text) == ("ok", True)


async def test_a_hypervisor_says_what_it_has(tmp_path: Path, server: Server, store: Store) -> None:
    await store.write(stored.create, registered(server))
    found = await hypervisors.every_hypervisor(world(tmp_path, server))
    assert "on hv2 can be used" in said(found, "ok")
    assert "are free for images and overlays on hv2" in " ".join(one.text for one in found)
    assert "The trunk nic lo of hv2 has addresses: 127.0.0.1/8" in said(found, "warning")


async def test_a_trunk_nic_that_is_not_there_is_a_fault(
    tmp_path: Path, server: Server, store: Store
) -> None:
    await store.write(stored.create, registered(server, "no-such-nic"))
    found = await hypervisors.every_hypervisor(world(tmp_path, server))
    assert "hv2 has no nic no-such-nic" in said(found, "fault")
    assert "can be used" in said(found, "ok"), "its libvirt is looked at all the same"


async def test_a_login_that_is_refused_is_a_fault_and_shows_no_password(
    tmp_path: Path, server: Server, store: Store
) -> None:
    await store.write(stored.create, registered(server))
    found = await hypervisors.every_hypervisor(world(tmp_path, server, "n0t-to-be-printed"))
    assert "refused the login of haas" in said(found, "fault")
    assert not any("n0t-to-be-printed" in one.text + one.mend for one in found)


async def test_machines_that_the_database_does_not_know_are_a_warning(
    tmp_path: Path, server: Server, store: Store
) -> None:
    await store.write(stored.create, registered(server))
    connection = libvirt.open("test:///default")
    mark = f"<m:headnode xmlns:m='{domain_xml.NAMESPACE}' name='red/lost' state='ready'/>"
    lost = connection.defineXML(
        f"<domain type='test'><name>haas_red_lost</name><memory>1024</memory>"
        f"<metadata>{mark}</metadata><os><type>hvm</type></os></domain>"
    )
    try:
        found = await hypervisors.every_hypervisor(world(tmp_path, server))
    finally:
        lost.undefine()
        connection.close()
    assert "machines that HaaS made and does not know: red/lost" in said(found, "warning")


async def test_a_retired_hypervisor_is_not_asked(
    tmp_path: Path, server: Server, store: Store
) -> None:
    await store.write(stored.create, registered(server))
    await store.write(stored.retire, "hv2", 1.0, "admin")
    [one] = await hypervisors.every_hypervisor(world(tmp_path, server))
    assert one.level == "ok"
