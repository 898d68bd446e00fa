"""Another hypervisor: a host with a network, files, sshd, libvirtd and QEMU of its own.

Its libvirt is reached through SSH, with a key, or by TLS, with certificates of an authority.

It has a BMC, on the master's loopback, which stands for its management network.

It shares the lab's kernel. What a host of its own has, it has in namespaces: nics, the settings of
its network, /run, the folders of libvirt (which are its disk, and outlive its boots), and a boot
id. It can lose its power, and boot again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from tests.rpc.bmcs import start_ipmi_sim

from .hypervisor import CONFIGURATION, IMAGES, START_SECONDS, Libvirt
from .topology import CommandFailed, Host, ip, run, show

USER = "haas"
"""Who logs in: the lab's alias of root."""

BOOT_ID = "/proc/sys/kernel/random/boot_id"

_FOLDERS = ("etc/libvirt", "var/lib/libvirt", "var/log/libvirt")

_INIT = """#!/bin/sh
set -eu
hostname {name}
mount -t tmpfs run /run
mkdir -p /run/sshd /run/lock
for folder in {folders}; do mount --bind {disk}/$folder /$folder; done
mount --bind {disk}/boot_id {boot_id}
touch /run/booted
virtlogd &
libvirtd --listen &
exec /usr/sbin/sshd -D -e -f {disk}/sshd_config
"""

_MACHINE = """#!/bin/sh
# The host behind a BMC: "0" takes its power away, and with that its links.
[ "$1" = 0 ] || exit
kill -9 $(ip netns pids {name})
ip -n {name} link set {trunk_nic} down
ip -n {name} link set mgmt0 down
"""

_SSHD = """\
ListenAddress {address}
HostKey {disk}/host_key
AuthorizedKeysFile {disk}/master_key.pub
UsePAM no
UseDNS no
PermitRootLogin yes
PasswordAuthentication no
StrictModes no
PidFile none
"""


_LIBVIRTD = """\
host_uuid = "{uuid}"
auth_unix_rw = "none"
auth_tls = "none"
listen_addr = "{address}"
ca_file = "{pki}/cacert.pem"
cert_file = "{pki}/servercert.pem"
key_file = "{pki}/serverkey.pem"
"""


class SecondHost:
    """A hypervisor other than the master, at the other end of ``host``'s links."""

    def __init__(self, host: Host) -> None:
        """Install it; it is off."""
        self.host = host
        self.name = host.name
        self.disk = Path("/var/lib/lab") / host.name
        self.libvirt = Libvirt(self._enter, self.disk / IMAGES.relative_to("/"))
        self._init: subprocess.Popen[bytes] | None = None
        for folder in _FOLDERS:
            (self.disk / folder).mkdir(parents=True)
        self.libvirt.images.mkdir()
        (self.disk / "etc/libvirt/qemu.conf").write_text(CONFIGURATION)
        (self.disk / "etc/libvirt/libvirtd.conf").write_text(
            _LIBVIRTD.format(uuid=uuid.uuid4(), address=host.address, pki=self.pki)
        )
        _certify(self.pki, host.address)
        for key in ("host_key", "master_key"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.disk / key))
        self.bmc = start_ipmi_sim(self.disk / "bmc")
        machine = self.bmc.folder / "machine"
        machine.write_text(_MACHINE.format(name=self.name, trunk_nic=host.trunk_nic))
        machine.chmod(0o755)
        (self.disk / "sshd_config").write_text(_SSHD.format(address=host.address, disk=self.disk))

    def cut_off(self) -> None:
        """Cut it off from the master; all that runs on it goes on, on its trunk as well."""
        ip(self.name, "link set mgmt0 down")

    @property
    def pki(self) -> Path:
        """The folder of all certificates, and their keys."""
        return self.disk / "pki"

    @property
    def uri(self) -> str:
        """Its libvirt's URI, over SSH."""
        return f"qemu+ssh://{USER}@{self.host.address}/system"

    @property
    def tls_uri(self) -> str:
        """Its libvirt's URI, over TLS."""
        return f"qemu+tls://{self.host.address}/system?pkipath={self.pki}"

    @property
    def key_file(self) -> Path:
        """The private key with which the master logs in."""
        return self.disk / "master_key"

    @property
    def public_key(self) -> str:
        """Its own public key, as on its console."""
        return " ".join((self.disk / "host_key.pub").read_text().split()[:2])

    @property
    def fingerprint(self) -> str:
        """The fingerprint of its public key."""
        return run("ssh-keygen", "-l", "-f", str(self.disk / "host_key.pub")).split()[1]

    def boot(self) -> None:
        """Switch it on, and wait until libvirtd answers."""
        (self.disk / "boot_id").write_text(f"{uuid.uuid4()}\n")
        script = self.disk / "init"
        script.write_text(
            _INIT.format(
                name=self.name,
                disk=self.disk,
                folders=" ".join(_FOLDERS),
                boot_id=BOOT_ID,
            )
        )
        self.host.power(on=True)
        self.bmc.power = "on"
        log = Path(os.environ["HAAS_LAB_INSIDE"]) / f"{self.name}.log"
        with log.open("ab") as output:
            self._init = subprocess.Popen(
                ["ip", "netns", "exec", self.name, "unshare", "--uts", "sh", str(script)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        booted = Path("/proc", str(self._init.pid), "root", "run", "booted")
        deadline = time.monotonic() + START_SECONDS
        while not booted.exists():
            if self._init.poll() is not None or time.monotonic() > deadline:
                raise CommandFailed(f"{self.name} does not boot: see {log}")
            time.sleep(0.02)
        self.libvirt.wait()

    def fail(self) -> None:
        """Lose its power: all that runs, and all that was not on its disk. Nobody says goodbye."""
        self.host.power(on=False)
        self.bmc.power = "off"
        if self._init is None:
            return
        for process in run("ip", "netns", "pids", self.name).split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)
        self._init.wait()
        self._init = None
        for name in sorted(self.virtual_interfaces()):
            with contextlib.suppress(CommandFailed):  # a tap goes with its machine, as it likes
                ip(self.name, f"link delete {name}")

    def was_switched_off(self) -> None:
        """Take note of what its BMC did. Raises subprocess.TimeoutExpired if it is on still."""
        assert self._init is not None
        self._init.wait(START_SECONDS)
        self.fail()

    def virtual_interfaces(self) -> set[str]:
        """Return the interfaces that HaaS or libvirt created on it."""
        return {
            link["ifname"]
            for link in show("ip", self.name, "-details", "link", "show")
            if link.get("linkinfo", {}).get("info_kind") in ("vlan", "bridge", "tun")
        }

    def scrap(self) -> None:
        """Switch it off for good."""
        self.fail()
        self.bmc.end()
        shutil.rmtree(self.disk)

    def _enter(self) -> Sequence[str]:
        assert self._init is not None, f"{self.name} is off"
        return ("nsenter", "--target", str(self._init.pid), "--mount", "--net")


def _certify(folder: Path, address: str) -> None:
    """Make an authority, and certificates of a server at this address and of a client."""
    folder.mkdir()
    key = ("-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "2")
    authority = ("-CA", f"{folder}/cacert.pem", "-CAkey", f"{folder}/cakey.pem")
    for name, signed, usage in (
        ("ca", (), ("keyUsage=critical,keyCertSign",)),
        ("server", authority, ("extendedKeyUsage=serverAuth", f"subjectAltName=IP:{address}")),
        ("client", authority, ("extendedKeyUsage=clientAuth",)),
    ):
        files = ("-keyout", f"{folder}/{name}key.pem", "-out", f"{folder}/{name}cert.pem")
        basic = f"basicConstraints=critical,CA:{'FALSE' if signed else 'TRUE'}"
        extensions = (word for line in (basic, *usage) for word in ("-addext", line))
        run("openssl", "req", "-x509", "-subj", f"/CN={name}", *key, *files, *signed, *extensions)
