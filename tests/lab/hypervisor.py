"""A hypervisor's libvirt: a real libvirtd and QEMU, and the image that headnodes are cloned from.

The tests query it with ``virsh``, as an independent check of what HaaS did through its own libvirt
connection. The master's is started here, that of another host in ``second_host.py``.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .topology import CommandFailed, run

BASE = "base-headnode"
IMAGES = Path("/var/lib/libvirt/images")
STATUS = Path("/run/libvirt/qemu")
"""What libvirt knows of running domains. A reboot empties /run."""

START_SECONDS = 60.0

CONFIGURATION = 'capability_filters = ["cpu-unavailable-features"]\n'
"""When a domain starts, libvirt asks QEMU for every property of its CPU, one by one, and QEMU reads
the questions byte by byte. This takes 10 s in the lab, where system calls are slow. Without this
capability, libvirt asks for all properties at once."""

_XML = """
<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <boot dev='network'/>
    <boot dev='hd'/>
  </os>
  <features><acpi/></features>
  <devices>
    <emulator>{emulator}</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='{image}'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    {interface}
  </devices>
</domain>
"""
_EMULATOR = Path("/usr/local/bin/lab-qemu")
"""QEMU with the lowest priority: there is one CPU, and booting firmware may take its time."""

# type='qemu': even if /dev/kvm exists, it may be unable to run a guest. acpi: without it, QEMU
# cannot plug a nic into a running machine.


def overlay_domain(name: str, mac: str, bridge: str) -> str:
    """Clone the base by hand, as HaaS should; return a domain's XML with one nic on the bridge."""
    image = IMAGES / f"{name}.qcow2"
    base = str(IMAGES / f"{BASE}.qcow2")
    run("qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", str(image))
    nic = f"<mac address='{mac}'/><source bridge='{bridge}'/><model type='virtio'/>"
    return _xml(name, image, f"<interface type='bridge'>{nic}</interface>")


def _xml(name: str, image: Path, interface: str) -> str:
    return _XML.format(name=name, image=image, interface=interface, emulator=_EMULATOR)


def base_xml() -> str:
    """Return the XML of the base domain."""
    nic = "<interface type='user'><model type='virtio'/></interface>"
    return _xml(BASE, IMAGES / f"{BASE}.qcow2", nic)


class Libvirt:
    """The libvirt of a host, asked by virsh.

    ``enter`` returns the words in front of a command by which it runs on that host. ``images`` is
    where the lab finds the folder that the host has at :data:`IMAGES`.
    """

    def __init__(self, enter: Callable[[], Sequence[str]] = tuple, images: Path = IMAGES) -> None:
        self._enter = enter
        self.images = images

    def wait(self) -> None:
        """Wait until libvirtd answers. Raises CommandFailed."""
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if time.monotonic() > deadline:
                raise CommandFailed(f"libvirtd does not answer after {START_SECONDS:.0f} s")
            time.sleep(0.1)

    def answers(self) -> bool:
        """Return whether libvirtd can be reached."""
        try:
            self.virsh("uri")
        except CommandFailed:
            return False
        return True

    def virsh(self, *command: str, stdin: str = "") -> str:
        """Run a virsh command; return its output."""
        connect = ("virsh", "--quiet", "--connect", "qemu:///system")
        return run(*self._enter(), *connect, *command, stdin=stdin)

    def define(self, xml: str) -> None:
        """Define a domain."""
        self.virsh("define", "/proc/self/fd/0", stdin=xml)

    def define_base(self) -> None:
        """Define the powered-off base domain, with a small disk."""
        _write_emulator()
        self.images.mkdir(parents=True, exist_ok=True)
        image = self.images / f"{BASE}.qcow2"
        run("qemu-img", "create", "-q", "-f", "qcow2", str(image), "16M")
        self.define(base_xml())

    def domains(self) -> set[str]:
        """Return the names of all domains, running or not."""
        return set(self.virsh("list", "--all", "--name").split())

    def running(self) -> set[str]:
        """Return the names of the running domains."""
        return set(self.virsh("list", "--name").split())

    def nics(self, domain: str) -> list[dict[str, str]]:
        """Return the domain's nics: ``interface`` (its tap; - if off), ``source``, ``mac``, …"""
        rows = (line.split() for line in self.virsh("domiflist", domain).splitlines())
        keys = ("interface", "type", "source", "model", "mac")
        return [dict(zip(keys, row, strict=True)) for row in rows if row]

    def disks(self) -> set[str]:
        """Return the file names of all disk images."""
        return {path.name for path in self.images.iterdir()}


def _write_emulator() -> None:
    _EMULATOR.write_text('#!/bin/sh\nexec nice -n 19 qemu-system-x86_64 "$@"\n')
    _EMULATOR.chmod(0o755)


class Hypervisor(Libvirt):
    """The master's libvirtd and virtlogd, started and stopped by the lab."""

    def __init__(self) -> None:
        super().__init__()
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start virtlogd and libvirtd, and wait until libvirtd answers."""
        Path("/etc/libvirt/qemu.conf").write_text(CONFIGURATION)
        for daemon in ("virtlogd", "libvirtd"):
            if daemon not in self._daemons:
                log = Path(os.environ["HAAS_LAB_INSIDE"]) / f"{daemon}.log"
                with log.open("ab") as output:
                    self._daemons[daemon] = subprocess.Popen(
                        [daemon], stdin=subprocess.DEVNULL, stdout=output, stderr=output
                    )
        self.wait()

    def stop_libvirtd(self) -> None:
        """Stop libvirtd; running domains keep running, as on a real master."""
        daemon = self._daemons.pop("libvirtd")
        daemon.terminate()
        daemon.wait(START_SECONDS)

    def fail(self) -> None:
        """Lose libvirtd, all machines, and what libvirt knows of them, as by a power failure."""
        for name, daemon in self._daemons.items():
            daemon.kill()
            daemon.wait()
            (Path("/run") / f"{name}.pid").unlink(missing_ok=True)
        self._daemons.clear()
        for domain in STATUS.glob("haas_*.pid"):
            self.kill(domain.stem)
        shutil.rmtree(STATUS)

    def kill(self, domain: str) -> None:
        """Kill a domain's QEMU."""
        os.kill(self.pid(domain), signal.SIGKILL)

    def pid(self, domain: str) -> int:
        """Return the process id of a running domain's QEMU."""
        return int((STATUS / f"{domain}.pid").read_text())

    def remove(self, domain: str) -> None:
        """Power a domain off and remove it with its disk."""
        if domain in self.running():
            self.virsh("destroy", domain)
        self.virsh("undefine", domain)
        (IMAGES / f"{domain}.qcow2").unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove all domains and disks except those of the base."""
        for domain in self.domains() - {BASE}:
            self.remove(domain)
        for disk in self.disks() - {f"{BASE}.qcow2"}:
            (IMAGES / disk).unlink()
