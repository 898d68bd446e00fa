"""Puts faults into the code, one at a time, and runs the tests that must notice them.

    python -m tests.mutants [--only ROOM] [--sample N] [--known]

Mutants are tested in a copy of the tree; the repository itself is never changed. Survivors are
printed: for each, either a test is missing, or the fault makes no difference to anybody.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

import msgspec

from tests.mutants.operators import Mutant, mutants

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
COPIED = ("haas_rpcd", "haas_console", "schemas", "tests", "examples", "pyproject.toml")
NO_TESTS = 5
"""What pytest answers when no test is selected."""

PATIENCE = 3.0
"""A mutant's tests may take this many times as long as without a fault, and 30 seconds more."""

OWN_TIME = 240.0
"""Seconds that tests named for one mutant may take: one that hangs fails after three minutes."""


class Room(msgspec.Struct, frozen=True):
    """Code, and the tests that must notice faults in it; see rooms.toml.

    ``by_name`` is a folder of modules. For each, only the tests count whose names have its name.
    """

    sample: int
    code: list[str]
    tests: list[str]
    by_name: str = ""

    def tests_of(self, path: str) -> list[str]:
        """Return the arguments of pytest for a module."""
        if self.by_name and path.startswith(self.by_name):
            return [*self.tests, "-k", Path(path).stem]
        return self.tests


class Known(msgspec.Struct, frozen=True):
    """A fault written by hand: a text that the module has exactly once, and its replacement.

    ``tests``: those that must notice it, instead of all of the room's.
    """

    room: str
    path: str
    means: str
    before: str
    after: str
    tests: list[str] = []

    def mutant(self, root: Path = ROOT) -> Mutant:
        """Return the mutant. Raises ValueError if the module does not have the text once."""
        source = (root / self.path).read_text()
        if source.count(self.before) != 1:
            raise ValueError(
                f"{self.path} has {self.before!r} {source.count(self.before)} times instead of"
                " once: update known.toml"
            )
        line = source[: source.index(self.before)].count("\n") + 1
        changed = source.replace(self.before, self.after)
        return Mutant(self.path, line, self.means, self.before, self.after, changed)


def rooms() -> dict[str, Room]:
    """Read rooms.toml."""
    return msgspec.convert(tomllib.loads((HERE / "rooms.toml").read_text()), dict[str, Room])


def known() -> list[Known]:
    """Read known.toml."""
    return msgspec.convert(tomllib.loads((HERE / "known.toml").read_text())["mutant"], list[Known])


class Fault(NamedTuple):
    """A mutant, the tests that must notice it, and the seconds that they may take."""

    mutant: Mutant
    tests: list[str]
    timeout: float


class Tree:
    """A copy of the repository in which one mutant at a time is tested."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._time = time.time()
        self._process: subprocess.Popen[bytes] | None = None
        for name in COPIED:
            source, copied = ROOT / name, root / name
            if source.is_dir():
                shutil.copytree(source, copied, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copied)

    def passes(self, tests: list[str], timeout: float | None = None) -> bool | None:
        """Run tests until one fails; return whether all passed, or None after the time-out."""
        self._process = process = subprocess.Popen(
            [
                sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider",
                "-p", "tests.mutants.quick", "--hypothesis-seed=0", *tests,
            ],
            cwd=self.root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        try:
            return process.wait(timeout) in (0, NO_TESTS)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self.stop()

    def stop(self) -> None:
        """End the tests that run in it, if any."""
        process = self._process
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def tries(self, fault: Fault) -> str:
        """Test a mutant; return ``killed``, ``survived`` or ``timeout``."""
        mutant = fault.mutant
        source = (self.root / mutant.path).read_text()
        self._write(mutant.path, mutant.source)
        try:
            passed = self.passes(fault.tests, fault.timeout)
        finally:
            self._write(mutant.path, source)
        return "timeout" if passed is None else "survived" if passed else "killed"

    def _write(self, path: str, source: str) -> None:
        """Write a module with a new time: Python's cache compares sizes and whole seconds."""
        (self.root / path).write_text(source)
        self._time += 2
        os.utime(self.root / path, (self._time, self._time))


def sampled(name: str, room: Room, root: Path, size: int | None) -> list[Mutant]:
    """Return a sample of a room's mutants. The same code always gives the same sample."""
    paths = sorted({path for pattern in room.code for path in root.glob(pattern)})
    everything = [
        mutant
        for path in paths
        for mutant in mutants(str(path.relative_to(root)), path.read_text())
    ]
    size = min(size or room.sample, len(everything))
    print(f"{name}: {size} of {len(everything)} mutants", flush=True)
    chosen = random.Random(name).sample(range(len(everything)), size)
    return [everything[index] for index in sorted(chosen)]


class AlreadyFailing(Exception):
    """The tests of a room fail without any fault, so they tell nothing."""


class Trial:
    """Tests the mutants of one room in parallel, one in each copy of the tree."""

    def __init__(
        self, name: str, room: Room, trees: Sequence[Tree], *, verbose: bool = False
    ) -> None:
        self._room = room
        self._verbose = verbose
        self._all = trees
        self._trees: SimpleQueue[Tree] = SimpleQueue()
        for tree in trees:
            self._trees.put(tree)
        started = time.monotonic()
        if not trees[0].passes(room.tests):
            raise AlreadyFailing(f"the tests of {name} fail without any fault: fix them first")
        self._timeout = (time.monotonic() - started) * PATIENCE + 30

    def of(self, found: list[Mutant], tests: Sequence[list[str]] = ()) -> Counter[str]:
        """Test mutants; print the survivors and count the verdicts.

        ``tests``: those of each mutant; where there are none, the room's.
        """
        faults = [
            Fault(mutant, own, OWN_TIME)
            if own
            else Fault(mutant, self._room.tests_of(mutant.path), self._timeout)
            for mutant, own in zip_longest(found, tests)
        ]
        with ThreadPoolExecutor(len(self._all)) as threads:
            try:
                return Counter(threads.map(self._one, faults))
            except BaseException:  # a signal: the pool would wait for all that was handed in
                threads.shutdown(wait=False, cancel_futures=True)
                for tree in self._all:
                    tree.stop()
                raise

    def _one(self, fault: Fault) -> str:
        tree = self._trees.get()
        try:
            verdict = tree.tries(fault)
        finally:
            self._trees.put(tree)
        if verdict != "killed" or self._verbose:
            print(f"{verdict}: {fault.mutant}", flush=True)
        return verdict


def caught(verdicts: Counter[str]) -> int:
    """Return how many mutants the tests noticed: tests that never end are noticed as well."""
    return verdicts["killed"] + verdicts["timeout"]


def main() -> int:
    """Test the known mutants and a sample of all others.

    Return 1 if a known one survives, or if the tests of a room already fail.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", metavar="ROOM", choices=list(rooms()), help="one room only")
    parser.add_argument("--sample", metavar="N", type=int, help="mutants of each room")
    parser.add_argument("--known", action="store_true", help="only those of known.toml")
    parser.add_argument("--verbose", action="store_true", help="print killed mutants as well")
    parser.add_argument("--jobs", metavar="N", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up after kill, too
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    by_hand = known()
    escaped = 0
    with tempfile.TemporaryDirectory(prefix="haas-mutants-", dir=memory) as folder:
        trees = [Tree(Path(folder) / str(number)) for number in range(arguments.jobs)]
        root = trees[0].root
        for name, room in rooms().items():
            if arguments.only not in (None, name):
                continue
            started = time.monotonic()
            try:
                trial = Trial(name, room, trees, verbose=arguments.verbose)
            except AlreadyFailing as error:
                print(error, flush=True)
                escaped += 1
                continue
            hand = [each for each in by_hand if each.room == name]
            result = trial.of([each.mutant(root) for each in hand], [each.tests for each in hand])
            escaped += result["survived"]
            print(f"{name}: {caught(result)} of {len(hand)} known mutants killed", flush=True)
            if arguments.known:
                continue
            result = trial.of(sampled(name, room, root, arguments.sample))
            print(
                f"{name}: {caught(result)} of {result.total()} killed"
                f" ({100 * caught(result) / max(1, result.total()):.0f} %),"
                f" {result['timeout']} of them by the clock; {time.monotonic() - started:.0f} s",
                flush=True,
            )
    return 1 if escaped else 0


if __name__ == "__main__":
    sys.exit(main())
