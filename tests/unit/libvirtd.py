"""A libvirtd of its own, for tests of what libvirt's test hypervisor cannot do, such as streams.

It is an unprivileged one (``qemu:///session``), with all of its state in one folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import libvirt

NOBODY = 65534

POOL = "<pool type='dir'><name>{name}</name><target><path>{path}</path></target></pool>"


class Libvirtd:
    """A running one. ``images``: the folder of its default pool."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.images = folder / "images"
        self.socket = folder / "run/libvirt/libvirt-sock"
        self.uri = f"qemu+unix:///session?socket={self.socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or start it again."""
        for name in ("run", "config", "cache", "images"):
            (self.folder / name).mkdir(exist_ok=True)
        _give_away(self.folder)
        drop = [] if os.geteuid() else ["setpriv", f"--reuid={NOBODY}", "--clear-groups"]
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.folder),
            **{f"XDG_{name.upper()}_HOME": str(self.folder / name) for name in ("config", "cache")},
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
        }
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*drop, "libvirtd", "--timeout", "120"],
                cwd=self.folder, env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        for _ in range(600):
            with contextlib.suppress(libvirt.libvirtError):
                libvirt.open(self.uri).close()
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def stop(self) -> None:
        """Kill it, as a power failure does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def open(self) -> Iterator[Any]:
        """Connect to it."""
        connection = libvirt.open(self.uri)
        try:
            yield connection
        finally:
            connection.close()

    def define_pool(self) -> None:
        """Define the default pool."""
        with self.open() as connection:
            pool = connection.storagePoolDefineXML(POOL.format(name="default", path=self.images), 0)
            pool.create(0)

    def domains(self) -> set[str]:
        """Return the names of its domains."""
        with self.open() as connection:
            return {domain.name() for domain in connection.listAllDomains()}

    def files(self) -> set[str]:
        """Return the names of the files in the folder of its images."""
        return {path.name for path in self.images.iterdir()}

    def hand_over(self, path: Path) -> None:
        """Let it use a file that the test has made."""
        if not os.geteuid():
            os.chown(path, NOBODY, -1)


def _give_away(folder: Path) -> None:
    if not os.geteuid():
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, -1, follow_symlinks=False)


@contextmanager
def libvirtd() -> Iterator[Libvirtd]:
    """Run one until the block ends."""
    # Not below pytest's own folder, which only its user may enter.
    folder = Path(tempfile.mkdtemp(prefix="haas-libvirtd-"))
    one = Libvirtd(folder)
    try:
        one.start()
        yield one
    finally:
        one.stop()
        shutil.rmtree(folder, ignore_errors=True)
