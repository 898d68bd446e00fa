"""Two User-mode Linux kernels: a Debian master with systemd, and the data centre that it serves.

    master (its own root, from an image)            data centre (the lab's, see tests/lab)
    vec0: trunk nic  ──── Ethernet over UDP ────  vec0 ── bridge ── trunk0 ── port 7 of sw1
    vec1: management ──── on loopback ──────────  vec1 ── bridge ── mgmt0 ─── sw1, 10.0.0.2

Each runs what it is given through files in its folder, which it mounts from this machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.lab.uml import MODULES, SEARCH, Machine, idle_cpus

from .chroots import CACHE, ROOT, SECONDS, Chroot, debian

HERE = Path(__file__).parent
MEMORY_MB = 1536

PACKAGES = (
    *("systemd-sysv", "dbus", "udev", "libpam-systemd", "libvirt-daemon-system"),
    *("libvirt-daemon-driver-qemu", "libvirt-clients", "qemu-system-x86", "qemu-utils"),
    *("ipxe-qemu", "seabios", "iproute2", "iputils-ping", "kmod", "procps", "iptables"),
    *("python3", "python3-libvirt", "network-manager"),
)
"""What is on the master before the package: its dependencies, and what a headnode needs."""


def image() -> Path:
    """Return a disk image of a Debian 12 master without HaaS; make it if it is not cached."""
    kernel = next(iter(sorted(MODULES.iterdir())))
    agent = HERE / "guest"
    parts = [" ".join(PACKAGES), kernel.name]
    parts += [file.read_text() for file in sorted(agent.iterdir())]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
    made = CACHE / f"master-{digest}.ext4"
    if made.exists():
        return made
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        system = Chroot(debian("bookworm"), Path(folder), CACHE / "bookworm-archives")
        system.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
        system.run("apt-get update -qq")
        system.run(f"apt-get install -qq --no-install-recommends {' '.join(PACKAGES)}")
        system.run("rm /usr/sbin/policy-rc.d && rm -rf /var/lib/apt/lists")
        system.write("/etc/hostname", "haas-master\n")
        system.write("/usr/local/sbin/agent", (agent / "agent").read_text(), 0o755)
        for name in ("agent.service", "lab-qemu"):
            where = {"agent.service": "/etc/systemd/system", "lab-qemu": "/usr/local/bin"}[name]
            system.write(f"{where}/{name}", (agent / name).read_text(), 0o755)
        for file in agent.glob("*.network"):
            system.write(f"/etc/systemd/network/{file.name}", file.read_text())
        system.write("/etc/libvirt/qemu.conf", (agent / "qemu.conf").read_text())
        system.write("/etc/default/libvirt-guests", (agent / "libvirt-guests").read_text())
        system.run("systemctl enable agent.service systemd-networkd.service")
        system.run("systemctl disable NetworkManager.service NetworkManager-wait-online.service")
        new = CACHE / f"{made.name}.new"
        with new.open("wb") as file:
            file.truncate(4 << 30)
        modules = Path(folder) / "root/lib/modules"
        system.run_outside(
            f"mkdir -p {modules} && cp -a {kernel} {modules}/ &&"
            f" mkfs.ext4 -q -F -d {folder}/root {new}"
        )
        new.rename(made)
    return made


def free_ports(count: int) -> list[int]:
    """Return UDP ports of loopback that nobody uses."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def cables() -> tuple[list[str], list[str]]:
    """Return the devices of both ends of the two cables: L2TPv3 over UDP on loopback."""
    ends: tuple[list[str], list[str]] = ([], [])
    for number, (one, other) in enumerate(zip(*[iter(free_ports(4))] * 2, strict=True)):
        for end, source, target in ((ends[0], one, other), (ends[1], other, one)):
            end.append(
                f"vec{number}:transport=l2tpv3,udp=1,src=127.0.0.1,dst=127.0.0.1,"
                f"srcport={source},dstport={target},rx_session=0x{number + 1:x},"
                f"tx_session=0x{number + 1:x}"
            )
    return ends


class DataCentre:
    """The switch and the nodes, in the lab's kernel."""

    def __init__(self, folder: Path, devices: list[str]) -> None:
        folder.mkdir()
        self._machine = Machine(folder, ROOT, idle_cpus()[0])
        arguments = [
            "-p",
            "no:cacheprovider",
            "-q",
            "-s",
            "--timeout=7200",
            str(HERE / "centre.py"),
        ]
        self._machine.boot(arguments, devices=devices)
        self._number = 0
        self._wait(folder / "ready")

    def ask(self, what: str, *words: str) -> Any:
        """Let it carry out a question of centre.py; return the answer."""
        self._number += 1
        folder = self._machine.run
        (folder / "question.new").write_text(json.dumps([what, *words]))
        (folder / "question.new").rename(folder / f"question-{self._number}")
        return json.loads(self._wait(folder / f"answer-{self._number}"))

    def _wait(self, file: Path) -> str:
        deadline = time.monotonic() + SECONDS
        while not file.exists():
            if self._machine.verdict() is not None or not self._machine.running:
                raise AssertionError(f"the data centre ended:\n{self._machine.console_tail()}")
            assert time.monotonic() < deadline, f"no {file.name} of the data centre"
            time.sleep(0.1)
        return file.read_text()

    def end(self) -> None:
        """Switch it off."""
        self._machine.end()


class SystemdMaster:
    """The master's machine: a kernel with a disk of its own, which outlives reboots."""

    def __init__(self, folder: Path, devices: list[str]) -> None:
        for name in ("in", "out", "uml"):
            (folder / name).mkdir(parents=True)
        self.folder = folder
        self._number = 0
        self._command = (
            *("taskset", "--cpu-list", str(idle_cpus()[0]), "nice", "-n", "5"),
            *("linux.uml", f"mem={MEMORY_MB}M", f"ubd0={folder}/disk,{image()}"),
            *("root=/dev/ubda", "rootfstype=ext4", "rw", f"haas_run={folder}"),
            *("umid=master", f"uml_dir={folder}/uml/", "con=null", "con0=null,fd:1", "quiet"),
            *devices,
        )
        self._switch_on()

    def _switch_on(self, *arguments: str) -> None:
        with (self.folder / "console.log").open("ab") as console:
            self._kernel = subprocess.Popen(
                (*self._command, *arguments),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                env={"PATH": SEARCH, "TMPDIR": str(self.folder)},
                start_new_session=True,
            )

    def put(self, file: Path) -> str:
        """Give the master a file; return its path there."""
        shutil.copy(file, self.folder / file.name)
        return f"/shared/{file.name}"

    def start(self, script: str) -> int:
        """Hand a shell script over, and do not wait; return its number."""
        self._number += 1
        new = self.folder / "script.new"
        new.write_text(f"export LC_ALL=C.UTF-8 HOME=/root\n{script}\n")
        new.rename(self.folder / f"in/{self._number:03}.sh")
        return self._number

    def run(self, script: str, *, code: int | None = 0) -> str:
        """Run a shell script as root and return its output; ``code``: how it must end."""
        number = self.start(script)
        done = self.folder / f"out/{number:03}.code"
        deadline = time.monotonic() + SECONDS
        while not done.exists():
            assert self._kernel.poll() is None, (self.folder / "console.log").read_text()
            assert time.monotonic() < deadline, f"still running: {script}"
            time.sleep(0.1)
        out = (self.folder / f"out/{number:03}.log").read_text()
        if code is not None:
            assert int(done.read_text()) == code, f"{script}:\n{out}"
        return out

    def console(self, *commands: str, code: int = 0) -> str:
        """Run commands of haas-console; return what it prints."""
        lines = "\n".join(commands)
        return self.run(f"haas-console --script - <<'END'\n{lines}\nEND", code=code)

    def reboot(self) -> None:
        """Shut the system down, and switch the machine on again; return once the system is up.

        A User-mode Linux that reboots by itself keeps its cables' sockets, and cannot open them.
        """
        self.start("systemctl poweroff; sleep infinity")
        self._kernel.wait(SECONDS)
        self._switch_on()
        self.run("systemctl is-system-running --wait; true")

    def cut_power(self, *arguments: str) -> None:
        """Switch the machine off and on again, with more arguments of the kernel for this time.

        Returns once the system is up.
        """
        self.end()
        self._switch_on(*arguments)
        self.run("systemctl is-system-running --wait; true")

    def end(self) -> None:
        """Switch it off."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._kernel.pid, signal.SIGKILL)
        self._kernel.wait()
