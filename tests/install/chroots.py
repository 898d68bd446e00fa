"""Debian systems in folders: a cached one for each release, and throw-away copies of it.

The cached ones are made by debootstrap(8), below ``~/.cache/haas/install``. A copy is an overlay
over one. Every command runs in mount and process namespaces of its own, so no mount and no process
is left.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "haas" / "install"

SECONDS = 1800.0
"""Time-out for any command. No result depends on it."""


def debian(release: str) -> Path:
    """Return the folder of a minimal system of this release; make it if it is not cached."""
    folder = CACHE / release
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        new = CACHE / f"{release}.new"
        shutil.rmtree(new, ignore_errors=True)
        command = ("debootstrap", "--variant=minbase", "--include=ca-certificates", release)
        subprocess.run(("nice", *command, str(new)), check=True, timeout=SECONDS)
        new.rename(folder)
    return folder


def build(release: str, **environment: str) -> Path:
    """Build the package for a release, unless it is built; return its path."""
    done = subprocess.run(
        ("nice", str(ROOT / "debian/build-package"), release),
        env={**os.environ, **environment},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=SECONDS,
    )
    return ROOT / done.stdout.splitlines()[-1]


class Chroot:
    """A copy of a cached system. What is written goes to ``folder``."""

    def __init__(self, base: Path, folder: Path, archives: Path) -> None:
        """``archives``: the folder of downloaded packages, which is kept for the next time."""
        self.base = base
        self.folder = folder
        self._archives = archives
        for name in ("upper", "work", "root"):
            (folder / name).mkdir(parents=True)
        archives.mkdir(parents=True, exist_ok=True)

    def run(self, command: str, *, user: str = "root", check: bool = True) -> str:
        """Run a shell command inside, return its output; raise AssertionError if it fails."""
        root = self.folder / "root"
        inside = command if user == "root" else f"su -s /bin/sh {user} -c {shlex.quote(command)}"
        return self.run_outside(
            f"mount -t proc proc {root}/proc && mount --rbind /dev {root}/dev &&"
            f" mount -t tmpfs tmpfs {root}/tmp &&"
            f" mount --bind {self._archives} {root}/var/cache/apt/archives &&"
            f" cp --remove-destination /etc/resolv.conf {root}/etc/resolv.conf &&"
            f" exec chroot {root} /bin/sh -c {shlex.quote(inside)}",
            check=check,
        )

    def run_outside(self, command: str, *, check: bool = True) -> str:
        """Run a shell command of this machine, for which the system is at ``folder``/root."""
        layers = f"lowerdir={self.base},upperdir={self.folder}/upper,workdir={self.folder}/work"
        script = f"mount -t overlay overlay -o {layers} {self.folder}/root && {command}"
        done = subprocess.run(
            ("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script),
            env={
                "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "LC_ALL": "C.UTF-8",
                "DEBIAN_FRONTEND": "noninteractive",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        if check:
            assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file of the system."""
        file = self.folder / "upper" / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def put(self, file: Path) -> str:
        """Copy a file into the system; return its path there."""
        target = self.folder / "upper" / "srv" / file.name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(file, target)
        return f"/srv/{file.name}"

    def files(self) -> set[str]:
        """Return the paths of all files and folders."""
        return set(self.run("find /etc /usr /var/lib /run -xdev").splitlines())
