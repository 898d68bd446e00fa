"""The package in minimal systems of Debian 12 and 13: installed, upgraded, removed, purged."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from .chroots import CACHE, Chroot, build, debian

pytestmark = pytest.mark.timeout(3600)

INSTALL = "apt-get install -qq --no-install-recommends"

RELEASES = {"bookworm": "3.11", "trixie": "3.13"}


@pytest.fixture(scope="module", params=list(RELEASES))
def release(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def package(release: str) -> Path:
    return build(release)


@pytest.fixture(scope="module")
def system(release: str, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Chroot:
    """A system with the package installed by apt."""
    folder = tmp_path_factory.mktemp(release)
    made = Chroot(debian(release), folder, CACHE / f"{release}-archives")
    made.run("apt-get update -qq")
    made.run(f"{INSTALL} {made.put(package)}")
    return made


def test_it_has_a_user_of_its_own_with_access_to_libvirt(system: Chroot) -> None:
    assert system.run("id --name --groups haas").split() == ["haas", "libvirt"]
    assert system.run("getent passwd haas").strip().endswith(":/var/lib/haas:/usr/sbin/nologin")


def test_only_the_daemon_can_read_credentials_and_state(system: Chroot) -> None:
    modes = system.run("stat -c '%a %U %n' /etc/haas/credentials.toml /var/lib/haas /etc/haas")
    assert modes.splitlines() == [
        "600 haas /etc/haas/credentials.toml",
        "700 haas /var/lib/haas",
        "755 root /etc/haas",
    ]
    assert "Permission denied" in system.run(
        "cat /etc/haas/credentials.toml", user="nobody", check=False
    )


def test_the_programs_run_and_the_configuration_is_right(system: Chroot, release: str) -> None:
    assert system.run("haas-rpcd --version").startswith("haas-rpcd ")
    assert system.run("haas-console --version").startswith("haas-console ")
    checked = system.run("haas-rpcd --check-config", user="haas")
    assert checked == "/etc/haas/haas.toml is right.\n"
    imported = system.run("/usr/lib/haas/bin/python3 -I -c 'import libvirt; print(libvirt)'")
    assert f"/usr/lib/haas/lib/python{RELEASES[release]}/site-packages/libvirt.py" in imported


def test_the_doctor_says_what_a_chroot_lacks(system: Chroot) -> None:
    found = json.loads(system.run("haas-rpcd doctor --json", check=False).splitlines()[-1])
    named = {one["check"]: one for one in found["findings"]}
    assert named["credentials"]["level"] == "ok"
    assert named["state"]["level"] == "ok"
    assert named["daemon"]["level"] == "warning"
    assert "trunk_nic" in named["configuration"]["mend"]


def test_anybody_can_try_the_demo(system: Chroot) -> None:
    script = "/usr/share/doc/haas/examples/main-job.haas"

    out = system.run(f"cd /tmp && haas-console --demo --script {script}", user="nobody")
    assert "switchport access vlan 100" in out


def test_units_man_pages_and_completions_are_in_order(system: Chroot) -> None:
    verify = "systemd-analyze verify --man=no haas-rpcd.service haas-network.service"
    assert "haas" not in system.run(
        f"command -v systemd-analyze >/dev/null && {verify}", check=False
    )
    pages = system.run(
        "ls /usr/share/man/man1 /usr/share/man/man5 /usr/share/man/man8", check=False
    )
    unpacked = system.run("dpkg-query --listfiles haas")
    for name in ("man1/haas-console.1.gz", "man5/haas.toml.5.gz", "man8/haas-rpcd-doctor.8.gz"):
        assert name in unpacked, pages
    described = system.run("/usr/lib/ocf/resource.d/haas/haas-rpcd meta-data")
    assert '<resource-agent name="haas-rpcd"' in described
    bash = "/usr/share/bash-completion/completions"
    for program in ("haas-console", "haas-rpcd"):
        system.run(f"bash -n {bash}/{program}")


def test_an_upgrade_keeps_what_an_admin_edited(
    system: Chroot, package: Path, tmp_path: Path
) -> None:
    system.run(
        "sed -i 's/^#trunk_nic.*/trunk_nic = \"eth7\"/; s/^#\\[master\\]/[master]/'"
        " /etc/haas/haas.toml"
        " && echo '[rack1]' >>/etc/haas/credentials.toml && touch /var/lib/haas/haas.db"
    )
    unpacked = tmp_path / "unpacked"
    subprocess.run(("dpkg-deb", "--raw-extract", package, unpacked), check=True)
    control = unpacked / "DEBIAN/control"
    control.write_text(control.read_text().replace("\nVersion: ", "\nVersion: 99:"))
    # a new release has other defaults in the same files
    for name in ("haas.toml", "credentials.toml"):
        with (unpacked / "etc/haas" / name).open("a") as file:
            file.write("# of the next release\n")
    newer = tmp_path / "newer.deb"
    subprocess.run(
        ("dpkg-deb", "--root-owner-group", "-Znone", "--build", unpacked, newer),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    keep = "-o Dpkg::Options::=--force-confold"
    system.run(f"{INSTALL} {keep} {system.put(newer)}")
    assert 'trunk_nic = "eth7"' in system.run("cat /etc/haas/haas.toml")
    kept = system.run(
        "stat -c '%a %U' /etc/haas/credentials.toml; tail -1 /etc/haas/credentials.toml"
    )
    assert kept.splitlines() == ["600 haas", "[rack1]"]
    assert system.run("haas-rpcd --version").startswith("haas-rpcd ")


def test_removing_keeps_configuration_and_state_and_purging_keeps_nothing(system: Chroot) -> None:
    system.run("apt-get remove -qq haas")
    left = {path for path in system.files() if "haas" in path}
    assert {"/etc/haas/haas.toml", "/etc/haas/credentials.toml", "/var/lib/haas/haas.db"} <= left
    assert not {path for path in left if path.startswith("/usr/lib/haas")}

    system.run("apt-get purge -qq haas")
    left = {path for path in system.files() if "haas" in path}
    assert left <= {"/var/lib/systemd/deb-systemd-helper-enabled/haas-rpcd.service"}
    assert system.run("id --name --user haas").strip() == "haas"


def test_two_builds_of_one_commit_are_the_same(package: Path, release: str) -> None:
    if release != "bookworm":
        pytest.skip("once is enough")
    first = hashlib.sha256(package.read_bytes()).hexdigest()
    again = build(release, HAAS_REBUILD="1")
    assert hashlib.sha256(again.read_bytes()).hexdigest() == first
