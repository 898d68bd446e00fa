"""A Debian master with systemd: the package, the main job, reboots and upgrades, as frames.

One story, told in order: each test goes on where the one before it ended.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.credentials import PASSWORD, USER
from tests.lab.face import ENABLE
from tests.lab.hypervisor import BASE, IMAGES, base_xml

from .chroots import build
from .machines import DataCentre, SystemdMaster, cables

pytestmark = pytest.mark.timeout(3600)

SITE = Path(__file__).parents[1] / "lab/inside/main_job/site-cisco_ios.haas"

JOB = """
project create astro
network create astro n --vlan 104
use astro
node allocate node-1
node allocate node-2
connect node-1:primary-nic n
connect node-2:ipmi-nic n
headnode create login
headnode connect login n
apply
"""

ON_THE_NETWORK = ["node-1:primary-nic", "node-2:ipmi-nic"]


@pytest.fixture(scope="module")
def package() -> Path:
    return build("bookworm")


@pytest.fixture(scope="module")
def machines(
    package: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[SystemdMaster, DataCentre]]:
    folder = tmp_path_factory.mktemp("machines")
    ends = cables()
    master = SystemdMaster(folder / "master", ends[0])
    try:
        centre = DataCentre(folder / "centre", ends[1])
        try:
            yield master, centre
        finally:
            centre.end()
    finally:
        master.end()
        print(f"the machines' files: {folder}")


@pytest.fixture
def master(machines: tuple[SystemdMaster, DataCentre]) -> SystemdMaster:
    return machines[0]


@pytest.fixture
def centre(machines: tuple[SystemdMaster, DataCentre]) -> DataCentre:
    return machines[1]


def links(master: SystemdMaster) -> dict[str, list[str]]:
    """Return the addresses of each link of the master."""
    found = json.loads(master.run("ip -json address show"))
    return {link["ifname"]: [one["local"] for one in link.get("addr_info", ())] for link in found}


def call(master: SystemdMaster, command: str) -> Any:
    return json.loads(master.run(f"haas-console --json -c '{command}' 2>/dev/null"))


def test_the_package_starts_the_daemon_as_its_own_user(
    master: SystemdMaster, package: Path
) -> None:
    assert "running" in master.run("systemctl is-system-running --wait; true")
    master.run(f"dpkg -i {master.put(package)}")
    shown = master.run("systemctl show haas-rpcd -p ActiveState -p SubState --value")
    assert shown.split() == ["active", "running"]
    process = master.run("ps -o user=,args= -p $(systemctl show haas-rpcd -p MainPID --value)")
    assert process.startswith("haas ")
    status = master.run("cat /proc/$(systemctl show haas-rpcd -p MainPID --value)/status")
    assert re.search(r"CapBnd:\s*0*1000\n", status), status  # CAP_NET_ADMIN is bit 12
    print(master.run("systemd-analyze security --no-pager haas-rpcd | tail -1"))


def test_the_doctor_names_what_is_left_to_do_and_networkds_hold_on_the_trunk(
    master: SystemdMaster,
) -> None:
    master.run(
        r"sed -i 's/^#\(\[master\]\|trunk_nic\|libvirt_uri\|images\)/\1/;"
        ' s/^trunk_nic.*/trunk_nic = "vec0"/; s/^pool.*/pool = "100-109"/\' /etc/haas/haas.toml'
    )
    found = json.loads(master.run("haas-rpcd doctor --json", code=1))
    faults = [one["text"] for one in found["findings"] if one["level"] == "fault"]
    print(master.run("haas-rpcd doctor", code=1))
    assert any("systemd-networkd manages the trunk nic vec0" in text for text in faults)
    assert any(f"There is no domain {BASE}" in text for text in faults)


def test_a_restart_takes_the_trunk_from_a_networkd_that_matches_everything(
    master: SystemdMaster,
) -> None:
    entry = f'[sw1]\nusername = "{USER}"\npassword = "{PASSWORD}"\nenable = "{ENABLE}"'
    master.run(f"cat >>/etc/haas/credentials.toml <<'END'\n{entry}\nEND")
    master.run(
        f"qemu-img create -q -f qcow2 {IMAGES}/{BASE}.qcow2 16M && cat >/tmp/base.xml <<'END'\n"
        f"{base_xml()}\nEND\nvirsh -q define /tmp/base.xml"
    )
    master.run("systemctl restart haas-rpcd")
    assert "unmanaged" in master.run("networkctl --no-legend list vec0")
    master.run("ip address flush dev vec0")
    master.run("haas-rpcd doctor")


def test_the_main_job_connects_a_headnode_with_its_nodes(
    master: SystemdMaster, centre: DataCentre
) -> None:
    master.console(SITE.read_text())
    master.console(JOB)
    checked = master.run("haas-rpcd doctor")
    print(checked)
    assert "1 node" not in checked
    assert nodes_that_hear_the_headnode(master, centre) == ON_THE_NETWORK


def nodes_that_hear_the_headnode(master: SystemdMaster, centre: DataCentre) -> Any:
    """Boot the headnode from the network, again and again until its requests are heard."""
    mac = master.run("virsh -q domiflist haas_astro_login").split()[-1]
    again = "while virsh -q reset haas_astro_login; do sleep 40; done"
    master.run(f"systemd-run --quiet --unit=booting sh -c '{again}'")
    try:
        return centre.ask("who hears", mac)
    finally:
        master.run("systemctl stop booting")


def test_networkd_takes_no_link_of_haas(master: SystemdMaster) -> None:
    found = links(master)
    assert {"vec0", "vec0.104", "br-vlan104"} <= found.keys()
    for name, addresses in found.items():
        if name not in ("lo", "vec1"):
            assert "unmanaged" in master.run(f"networkctl --no-legend list {name}")
            assert addresses == [], name


def all_is_back(master: SystemdMaster, centre: DataCentre) -> None:
    """The network, the headnode and the shown state are what they were before."""
    for _ in range(120):
        if "running" in master.run("virsh -q domstate haas_astro_login; true"):
            break
        master.run("sleep 1")
    assert nodes_that_hear_the_headnode(master, centre) == ON_THE_NETWORK
    (headnode,) = call(master, "headnode list astro")["items"]
    assert headnode["state"] == "running"
    assert call(master, "plan astro")["empty"]
    test_networkd_takes_no_link_of_haas(master)
    master.run("haas-rpcd doctor")
    print(master.run("haas-console -c 'headnode list astro' -c 'drift list' -c 'job list'"))


def test_all_is_back_after_a_power_cut_and_without_ipv6(
    master: SystemdMaster, centre: DataCentre
) -> None:
    """The kernel that starts then has no IPv6, and no settings of it."""
    master.cut_power("ipv6.disable=1")
    assert "absent" in master.run("ls /proc/sys/net/ipv6 || echo absent")
    all_is_back(master, centre)


def test_all_is_back_after_a_reboot(master: SystemdMaster, centre: DataCentre) -> None:
    master.reboot()
    print(master.run("systemd-analyze; journalctl -b -u haas-rpcd -o cat --no-pager | tail -20"))
    all_is_back(master, centre)


NEXT_SCHEMA = """

@migrations()
def of_the_next_release(db: Database) -> None:
    \"\"\"Change a table that is in use.\"\"\"
    _run(db, "ALTER TABLE headnode ADD COLUMN of_the_next_release TEXT NOT NULL DEFAULT 'new';")
"""


def next_release(package: Path, folder: Path) -> Path:
    """Return a package of a later version, with another migration of the database."""
    unpacked, newer = folder / "unpacked", folder / "newer.deb"
    subprocess.run(("dpkg-deb", "--raw-extract", package, unpacked), check=True)
    control = unpacked / "DEBIAN/control"
    control.write_text(control.read_text().replace("\nVersion: ", "\nVersion: 99:"))
    (schema,) = unpacked.glob("usr/lib/haas/lib/*/site-packages/haas_rpcd/store/schema/__init__.py")
    schema.write_text(schema.read_text() + NEXT_SCHEMA)
    build_newer = ("dpkg-deb", "--root-owner-group", "-Znone", "--build", unpacked, newer)
    subprocess.run(build_newer, check=True, stdout=subprocess.DEVNULL)
    return newer


def test_an_upgrade_by_apt_leaves_running_headnodes_alone(
    master: SystemdMaster, centre: DataCentre, package: Path, tmp_path: Path
) -> None:
    """As docs/operating.md says it, with a changed schema, and without losing a frame."""
    newer = master.put(next_release(package, tmp_path))
    state = "pidof qemu-system-x86_64; systemctl show haas-rpcd -p MainPID --value"
    before = master.run(state).split()
    index = "cat /sys/class/net/br-vlan104/ifindex"
    bridge, jobs = master.run(index), call(master, "job list")
    tap = master.run("virsh -q domiflist haas_astro_login").split()[0]
    listen = master.put(Path(__file__).parent / "guest/listen")
    master.run(f"systemd-run --quiet --unit=listening python3 {listen} {tap} /tmp/heard")
    master.run("until grep -qs listening /tmp/heard; do sleep 0.2; done")
    centre.ask("send numbers", "node-1:primary-nic")

    master.run("haas-rpcd backup /var/tmp/before-upgrade.db")
    master.run(f"apt-get install -qq {newer}")
    master.run("haas-rpcd doctor")

    sent = centre.ask("stop sending")
    master.run(f"for i in $(seq 60); do grep -qx {sent - 1} /tmp/heard && exit; sleep 1; done")
    master.run("systemctl stop listening")
    heard = [int(line) for line in master.run("tail -n +2 /tmp/heard").split()]
    print(f"{sent} frames were sent to the headnode during the upgrade, {len(heard)} arrived")
    assert heard == list(range(sent))

    after = master.run(state).split()
    assert after[:-1] == before[:-1], "the headnode was restarted"
    assert after[-1] != before[-1], "the daemon was not"
    assert master.run(index) == bridge
    assert call(master, "job list") == jobs
    read = 'import sqlite3; print(*sqlite3.connect("/var/lib/haas/haas.db").execute("{}"))'
    counted = read.format("SELECT count(of_the_next_release) FROM headnode")
    assert master.run(f"python3 -c '{counted}'").strip() == "(1,)"
    all_is_back(master, centre)


def of_network_manager(master: SystemdMaster) -> dict[str, str]:
    """Return the state that NetworkManager shows of each link."""
    lines = master.run("nmcli --terse --fields DEVICE,STATE device").splitlines()
    return dict(line.rsplit(":", 1) for line in lines)


def test_networkmanager_takes_no_link_of_haas(master: SystemdMaster, centre: DataCentre) -> None:
    """It configures every Ethernet link there is by DHCP, unless something keeps it off."""
    kept_off = "/run/NetworkManager/conf.d/05-haas-trunk.conf"
    installed = "/usr/lib/NetworkManager/conf.d/05-haas-links.conf"
    tap = master.run("virsh -q domiflist haas_astro_login").split()[0]
    of_haas = ["vec0", "vec0.104", "br-vlan104", tap]
    master.run("systemctl stop systemd-networkd.socket systemd-networkd.service")
    master.run("systemctl start NetworkManager && nm-online --quiet --wait-for-startup; true")
    shown = of_network_manager(master)
    print("with the package's files:", shown)
    assert {shown[name] for name in of_haas} == {"unmanaged"}

    master.run(f"mkdir /var/tmp/aside && mv {kept_off} {installed} /var/tmp/aside")
    master.run("systemctl restart NetworkManager && nm-online --quiet --wait-for-startup; true")
    shown = of_network_manager(master)
    print("without them:", shown)
    assert shown["vec0"] != "unmanaged"

    master.run(f"mv /var/tmp/aside/05-haas-links.conf {installed}")
    master.run("systemctl restart haas-rpcd")  # which writes the other file, and has it obeyed
    released = "nmcli --get-values GENERAL.STATE device show vec0 | grep -q unmanaged"
    master.run(f"for i in $(seq 60); do {released} && exit; sleep 1; done; exit 1")
    assert of_network_manager(master)["vec0.104"] == "unmanaged"
    print("after the daemon's restart:", of_network_manager(master))
    master.run("for i in $(seq 60); do haas-rpcd doctor && exit; sleep 1; done; exit 1")
    assert nodes_that_hear_the_headnode(master, centre) == ON_THE_NETWORK
    for name in of_haas:
        assert links(master)[name] == [], name
    master.run("systemctl stop NetworkManager && systemctl start systemd-networkd.service")
    all_is_back(master, centre)


def test_a_firewall_like_dockers_does_not_cut_tenants(
    master: SystemdMaster, centre: DataCentre
) -> None:
    master.run("modprobe br_netfilter && sysctl -q -w net.bridge.bridge-nf-call-iptables=1")
    master.run("iptables-legacy --policy FORWARD DROP")
    assert nodes_that_hear_the_headnode(master, centre) == ON_THE_NETWORK
    master.run("haas-rpcd doctor")


def test_removing_the_package_leaves_what_runs_to_the_tenants(
    master: SystemdMaster, centre: DataCentre
) -> None:
    master.run("apt-get remove -qq haas")
    assert "br-vlan104" in links(master)
    assert "running" in master.run("virsh -q domstate haas_astro_login")
    assert "inactive" in master.run("systemctl is-active haas-rpcd; true")
