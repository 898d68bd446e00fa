"""Boots a User-mode Linux kernel that runs its own pytest, and ends it.

User-mode Linux is a Linux kernel that runs as a process. The lab uses it for features that many
machines' kernels lack (802.1q, VLAN-filtering bridges), and because nothing inside can affect the
machine's network. Its root is the machine's own file system under an overlay in memory
(``guest/init``). So all programs and this repository are available, and what the lab writes
disappears with it. Only the run's folder is shared.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .credentials import PASSWORD_HASH

GUEST = Path(__file__).parent / "guest"
MODULES = Path("/usr/lib/uml/modules")
SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

MEMORY_MB = 2048
SHUTDOWN_SECONDS = 15.0
"""Time-out for the guest to power off after its last test."""

PROGRAMS = {
    "linux.uml": "user-mode-linux",
    "insmod": "kmod",
    "modprobe": "kmod",
    "taskset": "util-linux",
    "ip": "iproute2",
    "bridge": "iproute2",
    "tc": "iproute2",
    "iptables-legacy": "iptables",
    "busybox": "busybox-static",
    "login": "login",
    "libvirtd": "libvirt-daemon-system",
    "virtlogd": "libvirt-daemon-system",
    "virsh": "libvirt-clients",
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "ovs-vswitchd": "openvswitch-switch",
    "ovs-vsctl": "openvswitch-switch",
}
"""The programs that the lab uses, and their Debian packages."""


class LabError(Exception):
    """The lab cannot run or ended early; the message says what to do or where to look."""


def check_host() -> None:
    """Raise LabError if this machine cannot run the lab; the message says what to do."""
    if os.geteuid() != 0:
        raise LabError(
            "The lab needs root: its kernel works on this machine's own files. "
            "Run it as root, or leave it out with `pytest --ignore=tests/lab`."
        )
    missing = sorted({package for name, package in PROGRAMS.items() if _which(name) is None})
    if not missing and not list(MODULES.glob("*/kernel/fs/overlayfs/overlay.ko")):
        missing = ["user-mode-linux"]
    if missing:
        raise LabError(
            "The lab's programs are not all installed. Run `make setup` "
            f"(on Debian: apt-get install {' '.join(missing)})."
        )


def _which(program: str) -> str | None:
    return shutil.which(program, path=SEARCH)


class Machine:
    """One User-mode Linux kernel, and the folder of its run with all its files.

    ``console.log``: the kernel's output. ``arguments``: those of its pytest. ``reports.jsonl``: the
    results of the tests. ``verdict``: the exit status of its pytest. ``matrix-*.txt``: who heard
    whom.
    """

    def __init__(self, run: Path, root: Path, cpu: int) -> None:
        """``run``: the folder of the run, which exists. ``root``: the repository."""
        self.run = run
        self.root = root
        self.cpu = cpu
        self.reports = run / "reports.jsonl"
        self._kernel: subprocess.Popen[bytes] | None = None

    def boot(
        self,
        arguments: list[str],
        environment: Mapping[str, str] | None = None,
        devices: Sequence[str] = (),
    ) -> None:
        """Start the kernel, whose pytest gets ``arguments``; do not wait for it.

        ``devices``: further devices of the kernel, as on its command line.
        Raises LabError if this machine cannot run the lab.
        """
        check_host()
        for folder in ("layers", "uml"):
            (self.run / folder).mkdir()
        self.reports.touch()
        (self.run / "arguments").write_text("".join(f"{line}\n" for line in arguments))
        (self.run / "guest.env").write_text(self._guest_environment(environment or {}))
        command = [
            # Each system call and page fault of a guest process switches between two processes of
            # the host. On a single CPU this is 3 to 5 times faster.
            *("taskset", "--cpu-list", str(self.cpu)),
            *("nice", "-n", "5"),  # tests outside are sensitive to delays
            *("linux.uml", f"mem={MEMORY_MB}M", "rootfstype=hostfs", "rootflags=/", "rw"),
            *(f"init={GUEST / 'init'}", f"haas_run={self.run}", f"haas_guest={GUEST}"),
            *("umid=lab", f"uml_dir={self.run}/uml/"),
            *("con=null", "con0=fd:0,fd:1", "quiet"),
            *devices,
        ]
        with (self.run / "console.log").open("wb") as console:
            self._kernel = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,  # it is closed when this process ends; see guest/second-init
                stdout=console,
                stderr=subprocess.STDOUT,
                env={"PATH": SEARCH, "HOME": str(self.run), **self._memory_folder()},
                start_new_session=True,  # a process group, so that `end` can kill all of it
            )

    def _guest_environment(self, more: Mapping[str, str]) -> str:
        python = Path(sys.executable)
        variables = {
            "PATH": f"{python.parent}:{SEARCH}",
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(self.root),
            "HAAS_LAB_INSIDE": str(self.run),
            "LAB_PYTHON": str(python),
            "LAB_ROOT": str(self.root),
            "LAB_PASSWORD_HASH": PASSWORD_HASH,
            **more,
        }
        return "".join(f"export {name}={shlex.quote(text)}\n" for name, text in variables.items())

    def _memory_folder(self) -> dict[str, str]:
        """Put the kernel's memory in the run's folder if /dev/shm, its default, is too small."""
        try:
            room = os.statvfs("/dev/shm")
        except OSError:
            return {"TMPDIR": str(self.run)}
        enough = room.f_bavail * room.f_frsize > 2 * MEMORY_MB << 20  # there may be two kernels
        return {} if enough else {"TMPDIR": str(self.run)}

    @property
    def running(self) -> bool:
        """Whether the kernel is running."""
        return self._kernel is not None and self._kernel.poll() is None

    def wait(self, seconds: float) -> bool:
        """Wait until the kernel has powered off; return False if it has not after ``seconds``."""
        if self._kernel is None:
            return True
        try:
            self._kernel.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self) -> None:
        """Kill the kernel and all its processes, in any state."""
        if self._kernel is None:
            return
        with contextlib.suppress(ProcessLookupError):  # it has powered off
            os.killpg(self._kernel.pid, signal.SIGKILL)
        self._kernel.communicate()

    def verdict(self) -> int | None:
        """Return the exit status of the guest's pytest, or None if it did not finish.

        The kernel's own exit status has no meaning.
        """
        try:
            return int((self.run / "verdict").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def report_lines(self, seconds: float) -> Iterator[str]:
        """Yield the report lines of the guest's pytest as they are written.

        Stops when the kernel has ended and all lines are read. Raises TimeoutError after
        ``seconds`` without a line.
        """
        with self.reports.open() as reports:
            partial = ""
            deadline = time.monotonic() + seconds
            while True:
                ended = not self.running  # check before reading, so that no line is lost
                partial += reports.readline()
                if partial.endswith("\n"):
                    yield partial
                    partial = ""
                    deadline = time.monotonic() + seconds
                elif ended:
                    return
                elif time.monotonic() > deadline:
                    raise TimeoutError
                else:
                    time.sleep(0.05)

    def console_tail(self, lines: int = 40) -> str:
        """Return the last lines of the guest's output."""
        try:
            text = (self.run / "console.log").read_text(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.replace("\r", "").splitlines()[-lines:])


def idle_cpus() -> list[int]:
    """Return the CPUs that we may use, the idlest one first, measured over 0.1 s."""
    ours = os.sched_getaffinity(0)
    before = _idle_ticks()
    time.sleep(0.1)
    after = _idle_ticks()
    return sorted(ours, key=lambda cpu: (before.get(cpu, 0) - after.get(cpu, 0), -cpu))


def _idle_ticks() -> dict[int, int]:
    ticks = {}
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name.startswith("cpu") and name != "cpu":
            ticks[int(name[3:])] = int(fields[3])  # user, nice, system, idle: proc(5)
    return ticks
