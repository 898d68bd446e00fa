"""The faults of ``shim.c`` from Python: at which points, and what was written by when."""

from __future__ import annotations

import ctypes
import mmap
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SOURCE = Path(__file__).with_name("shim.c")
FAULTS = {"none": 0, "kill": 1, "I/O error": 2, "disk full": 3, "locked": 4}

Fault = Literal["none", "kill", "I/O error", "disk full", "locked"]

FILES = ("", "-wal", "-journal")
"""The endings of the names of the files of a database, as ``struct operation`` counts them."""

_OPERATION = struct.Struct("=qqqq")


class _Control(ctypes.Structure):
    _fields_ = [
        ("fault", ctypes.c_int64),
        ("skip", ctypes.c_int64),
        ("times", ctypes.c_int64),
        ("points", ctypes.c_int64),
        ("struck", ctypes.c_int64),
        ("clock", ctypes.c_int64),
        ("recording", ctypes.c_int64),
        ("prefix", ctypes.c_char * 512),
        ("record", ctypes.c_char * 512),
    ]


@dataclass(frozen=True)
class Operation:
    """A write, sync or truncation (to ``offset``) of one of the files of a database."""

    kind: Literal["write", "sync", "truncate"]
    file: str
    offset: int = 0
    data: bytes = b""


class Shim:
    """The compiled shim, and what it shares with the processes that are started with it."""

    def __init__(self, folder: Path) -> None:
        self.library = folder / "shim.so"
        command = ["gcc", "-shared", "-fPIC", "-O1", "-o", str(self.library), str(SOURCE), "-ldl"]
        subprocess.run(command, check=True)
        self._path = folder / "control"
        self._path.write_bytes(bytes(ctypes.sizeof(_Control)))
        with self._path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        self._control = _Control.from_buffer(self._memory)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment."""
        return {"LD_PRELOAD": str(self.library), "HAAS_SHIM": str(self._path)}

    def watch(self, database: Path) -> None:
        """Count the points of this database from now on, without a fault or a wrong clock."""
        self.lift()
        self._control.clock = 0
        self._control.points = 0
        self._control.prefix = str(database).encode()
        self._control.recording = 0

    def record(self, file: Path) -> None:
        """Record the operations in a file from now on."""
        self._control.record = str(file).encode()
        self._control.recording = 1

    def strike(self, fault: Fault, after: int, times: int = -1) -> None:
        """Let a fault strike after so many more points, so many times; below 0: for ever."""
        self.lift()
        self._control.points = 0
        self._control.struck = 0
        self._control.skip = after
        self._control.times = times
        self._control.fault = FAULTS[fault]

    def lift(self) -> None:
        """End the fault."""
        self._control.fault = 0

    def set_clock(self, seconds: int) -> None:
        """Set the processes' time of day to what it is, and so many seconds more."""
        self._control.clock = seconds

    @property
    def points(self) -> int:
        """How many points were passed since they are counted."""
        return int(self._control.points)

    @property
    def struck(self) -> int:
        """How many times the fault has struck."""
        return int(self._control.struck)


def recorded(file: Path) -> Iterator[Operation]:
    """Yield the operations that were recorded."""
    data, at = file.read_bytes(), 0
    while at < len(data):
        kind, ending, offset, size = _OPERATION.unpack_from(data, at)
        at += _OPERATION.size
        name = FILES[ending]
        if kind == 0:
            yield Operation("write", name, offset, data[at : at + size])
            at += size
        else:
            yield Operation("sync", name) if kind == 1 else Operation("truncate", name, size)


def can_compile() -> bool:
    """Return whether there is a compiler."""
    return shutil.which("gcc") is not None
