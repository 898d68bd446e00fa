"""``haas-rpcd doctor`` on good masters and on bad ones.

The files, the sockets, the database, libvirt's test hypervisor and the switch's telnet are real.
The trunk nic and QEMU are looked at in the lab: tests/lab/inside/test_doctor.py.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from haas_rpcd.__main__ import main
from haas_rpcd.config import (
    Master,
    Server,
    StoreSettings,
)
from haas_rpcd.doctor import copies, files, host, hypervisor, switches
from haas_rpcd.hasettings import HaSettings
from haas_rpcd.registered import RegisteredSwitch
from haas_rpcd.sim.ios import IosSwitch, gigabit
from haas_rpcd.store import switches as stored
from haas_rpcd.store.database import Store
from tests.unit.doctor_world import only, world, write

PASSWORD = "n0t-to-be-printed"


def test_copies_that_could_not_be_made_are_a_fault(tmp_path: Path) -> None:
    ha = HaSettings(
        etcd=("https://a:2379",),
        etcd_ca=str(tmp_path / "gone.pem"),
        replica="file:///srv/haas",
        litestream=str(tmp_path / "litestream"),
    )
    found = copies.programs(world(tmp_path, ha=ha))
    assert [one.level for one in found] == ["fault", "fault"]
    assert "litestream can't be run" in found[0].text
    assert "[ha] etcd_ca" in found[1].text
    write(tmp_path / "litestream", "#!/bin/sh\n", 0o755)
    write(tmp_path / "gone.pem")
    assert [one.level for one in copies.programs(world(tmp_path, ha=ha))] == ["ok"]
    assert copies.programs(world(tmp_path)) == []


# --- files ----------------------------------------------------------------------------------------


def test_a_right_configuration_is_ok(tmp_path: Path) -> None:
    assert only(files.configuration(world(tmp_path))).level == "ok"


def test_a_configuration_without_a_master_is_a_warning(tmp_path: Path) -> None:
    found = only(files.configuration(world(tmp_path, master=None)))
    assert found.level == "warning"
    assert "no bridges and no headnodes" in found.text


def test_a_broken_dialect_of_the_site_is_a_fault(tmp_path: Path) -> None:
    write(tmp_path / "dialects" / "ours.py", "import nothing_of_this_name\n")
    found = only(files.configuration(world(tmp_path)))
    assert found.level == "fault"
    assert "ours.py" in found.text


def test_credentials_for_us_alone_are_ok(tmp_path: Path) -> None:
    key = write(tmp_path / "rack1.key")
    entry = f'[rack1]\npassword = "{PASSWORD}"\nkey_file = "{key}"\n'
    write(tmp_path / "credentials.toml", entry)
    found = only(files.credentials(world(tmp_path)))
    assert (found.level, "1 entry" in found.text) == ("ok", True)


@pytest.mark.parametrize(
    ("credentials", "key_mode", "level", "said"),
    [
        (None, None, "warning", "There is no file"),
        ((0o644, ""), None, "fault", "has mode 0644"),
        ((0o600, "[rack1]\nkey_file = '{key}'"), None, "fault", "can't be read: No such file"),
        ((0o600, "[rack1]\nkey_file = '{key}'"), 0o640, "fault", "has mode 0640"),
        (
            (0o600, f"[rack1]\npasword = '{PASSWORD}'"),
            None,
            "fault",
            "[rack1] has no setting pasword: do you mean password?",
        ),
    ],
)
def test_what_is_wrong_with_credentials_is_named_without_a_password(
    tmp_path: Path, credentials: tuple[int, str] | None, key_mode: int | None, level: str, said: str
) -> None:
    key = tmp_path / "rack1.key"
    if key_mode is not None:
        write(key, mode=key_mode)
    if credentials is not None:
        mode, text = credentials
        write(tmp_path / "credentials.toml", text.replace("{key}", str(key)), mode)
    found = only(files.credentials(world(tmp_path)))
    assert found.level == level
    assert said in found.text
    assert PASSWORD not in found.text + found.mend


def certificate(folder: Path, days: int, name: str = "tls") -> tuple[str, str]:
    """Write a certificate that is valid for so many days, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "haas-master")])
    now = datetime.datetime.now(datetime.UTC)
    end = now + datetime.timedelta(days=days, hours=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=400))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    cert = write(folder / f"{name}.pem", made.public_bytes(pem).decode(), 0o644)
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return str(cert), str(write(folder / f"{name}.key", private.decode()))


@pytest.mark.parametrize(
    ("days", "level", "said"),
    [(90, "ok", "90 days"), (7, "warning", "expires in 7 days"), (-2, "fault", "has expired")],
)
def test_a_certificate_is_judged_by_the_days_it_has_left(
    tmp_path: Path, days: int, level: str, said: str
) -> None:
    cert, key = certificate(tmp_path, days)
    found = only(files.tls(world(tmp_path, server=Server(tls_cert=cert, tls_key=key))))
    assert (found.level, said in found.text) == (level, True)


def test_a_certificate_with_another_ones_key_or_without_any_is_a_fault(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, 90)
    _, other = certificate(tmp_path, 90, "other")
    for wrong in (other, str(tmp_path / "none.key"), None):
        found = only(files.tls(world(tmp_path, server=Server(tls_cert=cert, tls_key=wrong))))
        assert found.level == "fault"
    os.chmod(key, 0o644)
    found = only(files.tls(world(tmp_path, server=Server(tls_cert=cert, tls_key=key))))
    assert "has mode 0644" in found.text
    assert files.tls(world(tmp_path)) == []


def test_a_state_directory_that_we_can_write_is_ok(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert only(files.state(world(tmp_path))).level == "ok"


def test_a_state_directory_that_is_missing_or_open_to_all_is_reported(tmp_path: Path) -> None:
    absent = StoreSettings(path=str(tmp_path / "none" / "haas.db"))
    assert only(files.state(world(tmp_path, store=absent))).level == "fault"
    write(tmp_path / "haas.db", mode=0o644)
    tmp_path.chmod(0o755)
    found = only(files.state(world(tmp_path)))
    assert (found.level, found.mend) == ("warning", f"chmod 700 {tmp_path}")


@pytest.mark.parametrize(
    ("free", "level"), [(5 << 30, "ok"), (500 << 20, "warning"), (5 << 20, "fault")]
)
def test_free_space_is_judged_by_what_is_left(free: int, level: str) -> None:
    assert files.of_space("overlays", free).level == level


def test_the_space_of_the_database_is_that_of_its_disk(tmp_path: Path) -> None:
    assert "GiB are free" in only(files.space(world(tmp_path))).text


def test_a_daemon_that_answers_is_ok_and_one_that_does_not_is_a_warning(tmp_path: Path) -> None:
    path = str(tmp_path / "rpcd.sock")
    here = world(tmp_path, server=Server(socket=path))
    assert only(files.daemon(here)).level == "warning"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        assert only(files.daemon(here)).level == "ok"


# --- the kernel -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "level"),
    [
        (tuple(f"sys/module/{module}/refcnt" for module in host.MODULES), "ok"),
        ((f"lib/modules/{platform.release()}/modules.dep",), "ok"),
        (tuple(f"sys/module/{module}/refcnt" for module in [*host.MODULES][1:]), "fault"),
    ],
)
def test_a_kernel_that_has_no_vlans_is_a_fault(
    tmp_path: Path, there: tuple[str, ...], level: str
) -> None:
    for name in there:
        write(tmp_path / name, "".join(f"kernel/net/{module}.ko:\n" for module in host.MODULES))
    assert only(host.modules(world(tmp_path))).level == level


def test_a_firewall_that_sees_bridged_frames_is_a_fault(tmp_path: Path) -> None:
    here = world(tmp_path)
    assert only(host.bridge_netfilter(here)).level == "ok"
    folder = tmp_path / "proc/sys/net/bridge"
    for name in host.NETFILTER:  # as Docker sets them
        write(folder / name, "1\n")
    write(folder / host.VLAN_TAGGED, "0\n")
    assert only(host.bridge_netfilter(here)).level == "ok"
    write(folder / host.VLAN_TAGGED, "1\n")
    found = only(host.bridge_netfilter(here))
    assert found.level == "fault"
    assert "net.bridge.bridge-nf-filter-vlan-tagged = 0" in found.mend


def test_the_clock_is_judged_by_the_kernel(tmp_path: Path) -> None:
    assert only(host.clock(world(tmp_path))).text.startswith("The clock is ")


# --- libvirt --------------------------------------------------------------------------------------

NODE = """
<node>
  <domain type='test'>
    <name>base-headnode</name><memory>65536</memory><os><type>hvm</type></os>
    {features}
    <devices><disk type='file' device='disk'>
      <source file='{images}/base.qcow2'/><target dev='vda' bus='virtio'/>
    </disk></devices>
  </domain>
</node>
"""


def libvirt_with(tmp_path: Path, features: str = "<features><acpi/></features>") -> Master:
    """A hypervisor with one base image, which libvirt's test driver starts running."""
    node = write(tmp_path / "node.xml", NODE.format(features=features, images=tmp_path))
    return Master(trunk_nic="trunk0", libvirt_uri=f"test://{node}")


async def test_a_running_base_image_without_its_disk_is_three_times_at_fault(
    tmp_path: Path,
) -> None:
    here = world(tmp_path, master=libvirt_with(tmp_path, features=""))
    found = await hypervisor.hypervisor(here)
    assert [one.level for one in found] == ["ok", "fault", "warning", "fault"]
    said = " ".join(one.text for one in found)
    for expected in ("is running", "has no ACPI", "base.qcow2 of base-headnode does not exist"):
        assert expected in said


async def test_an_image_that_no_domain_has_is_a_fault(tmp_path: Path) -> None:
    master = Master(trunk_nic="trunk0", libvirt_uri="test:///default", images=["none-such"])
    found = await hypervisor.hypervisor(world(tmp_path, master=master))
    assert [one.level for one in found] == ["ok", "fault"]
    assert "no domain none-such" in found[1].text


async def test_a_libvirt_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    master = Master(trunk_nic="trunk0", libvirt_uri=f"qemu:///system?socket={tmp_path}/none")
    found = only(await hypervisor.hypervisor(world(tmp_path, master=master)))
    assert found.level == "fault"
    assert "group libvirt" in found.mend


# --- switches -------------------------------------------------------------------------------------


@pytest.fixture
async def switch(tmp_path: Path) -> AsyncIterator[RegisteredSwitch]:
    """A switch that is registered in the database."""
    simulated = IosSwitch(
        "sw1", ports=gigabit(1), username="haas", password=PASSWORD, enable="en4ble"
    )
    port = await simulated.start()
    registered = RegisteredSwitch("sw1", "cisco_ios", "127.0.0.1", port, "telnet", "rack1", {})
    store = Store(str(tmp_path / "haas.db"))
    await store.open()
    await store.write(stored.create, registered)
    yield registered
    await store.close()
    await simulated.stop()


def credentials(tmp_path: Path, password: str) -> None:
    entry = f'[rack1]\nusername = "haas"\npassword = "{password}"\nenable = "en4ble"\n'
    write(tmp_path / "credentials.toml", entry)


async def test_a_switch_that_takes_our_login_says_what_it_is(
    tmp_path: Path, switch: RegisteredSwitch
) -> None:
    """The daemon, which has the database open, is not disturbed."""
    credentials(tmp_path, PASSWORD)
    found = only(await switches.every_switch(world(tmp_path)))
    assert found.level == "ok"
    assert f"sw1 (cisco_ios, 127.0.0.1:{switch.port}) takes our login: " in found.text
    assert "'sw1#'" in found.text


async def test_another_switch_at_the_same_address_is_a_fault(
    tmp_path: Path, switch: RegisteredSwitch
) -> None:
    credentials(tmp_path, PASSWORD)
    with closing(sqlite3.connect(tmp_path / "haas.db")) as database:
        database.execute("""UPDATE switch SET identity = '{"serials": ["FOC0000X000"]}'""")
        database.commit()
    found = only(await switches.every_switch(world(tmp_path)))
    assert found.level == "fault"
    assert "sw1 was serial number FOC0000X000" in found.text


async def test_a_switch_that_refuses_our_login_is_a_fault(
    tmp_path: Path, switch: RegisteredSwitch
) -> None:
    credentials(tmp_path, f"wrong-{PASSWORD}")
    found = only(await switches.every_switch(world(tmp_path)))
    assert found.level == "fault"
    assert "credentials file" in found.mend
    assert PASSWORD not in found.text + found.mend


async def test_a_switch_without_credentials_is_a_fault(
    tmp_path: Path, switch: RegisteredSwitch
) -> None:
    assert "[rack1]" in only(await switches.every_switch(world(tmp_path))).text


async def test_a_new_master_has_no_switches(tmp_path: Path) -> None:
    assert only(await switches.every_switch(world(tmp_path))).level == "ok"


async def test_a_file_that_is_no_database_of_ours_is_a_fault(tmp_path: Path) -> None:
    write(tmp_path / "haas.db", "no database " * 100)
    assert only(await switches.every_switch(world(tmp_path))).level == "fault"
    write(tmp_path / "haas.db", "")
    assert "an older haas-rpcd" in only(await switches.every_switch(world(tmp_path))).text


# --- the program ----------------------------------------------------------------------------------

Configure = Callable[[str], Path]


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Writes haas.toml of a master without a trunk, with these further lines."""

    def make(more: str) -> Path:
        text = (
            f'[server]\nsocket = "{tmp_path}/rpcd.sock"\n[store]\npath = "{tmp_path}/haas.db"\n'
            f'[credentials]\nfile = "{tmp_path}/credentials.toml"\n{more}\n'
        )
        return write(tmp_path / "haas.toml", text)

    return make


def test_warnings_do_not_fail_the_doctor(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--config", str(configure("")), "--user", "root"]) == 0
    out = capsys.readouterr().out
    assert out.index("\nwarning: ") > out.index("ok: ")
    assert "  credentials      There is no file " in out
    assert f"\n  {'':17}-> create it with mode 0600" in out


def test_a_fault_fails_the_doctor_and_json_has_the_same_findings(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    path = configure('[master]\ntrunk_nic = "no-such-nic"\nlibvirt_uri = "test:///default"')
    assert main(["--config", str(path), "doctor", "--json", "--user", "root"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["level"] == "fault"
    faults = {one["check"]: one for one in document["findings"] if one["level"] == "fault"}
    assert "There is no trunk nic no-such-nic. This machine has " in faults["trunk nic"]["text"]
    assert "base-headnode" in faults["libvirt"]["text"]
    assert all(one["mend"] for one in faults.values())


def test_a_configuration_that_can_not_be_read_is_a_fault_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "haas.toml", "[serve]\n")
    assert main(["doctor", "--config", str(path), "--user", "root"]) == 1
    assert "there is no table [serve]: do you mean server?" in capsys.readouterr().out


def test_check_config_finds_what_needs_no_network(
    configure: Configure, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = configure("")
    write(tmp_path / "credentials.toml", f"[rack1]\nkey_file = '{tmp_path}/none.key'\n")
    assert main(["--config", str(path), "--check-config"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "none.key, can't be read" in err


def test_the_doctor_is_no_daemon(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--demo", "doctor"]) == 2
    assert "doctor takes no --demo" in capsys.readouterr().err
