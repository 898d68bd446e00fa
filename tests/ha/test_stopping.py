"""Copies that can't be made hold up who changes something, but neither reads nor the end."""

from __future__ import annotations

import signal
import threading
from http.client import HTTPException

import pytest

from tests.ha.conftest import Master, Pair, projects, until
from tests.tui.harness.processes import Refused

pytestmark = pytest.mark.slow


class Change(threading.Thread):
    """Somebody who creates a project, and waits for the answer."""

    def __init__(self, master: Master, project: str) -> None:
        super().__init__()
        self._master, self._project = master, project
        self.promised = False
        self.start()

    def run(self) -> None:
        try:
            self._master.daemon.call("project.create", project=self._project)
        except (OSError, HTTPException, ValueError, Refused):
            return
        self.promised = True


def test_a_master_that_cannot_copy_says_so_and_ends_all_the_same(pair: Pair) -> None:
    first = pair.masters[0]
    first.start()
    until(first.serves, "nobody serves")
    first.daemon.call("project.create", project="red")
    pair.unplug_copies()
    change = Change(first, "blue")
    until(
        lambda: first.daemon.call("system.health")["ha"]["problem"] is not None,
        "system.health does not say that commits wait",
    )
    health = first.daemon.call("system.health")
    assert health["store"]["ok"]
    assert health["ha"]["waiting"] > 0
    assert not change.promised

    first.daemon.process.send_signal(signal.SIGTERM)
    assert first.daemon.process.wait(40) == 0  # shutdown_timeout is 1 s; the machine may be busy
    change.join()
    assert not change.promised
    log = first.log()
    assert "Not copied to" in log
    assert "1 change, the first" in log

    pair.plug_copies_in()
    first.start()
    until(first.serves, "it does not serve again")
    assert projects(first) == {"red"}
    kept = first.folder / "haas.db.before-takeover"
    assert b"blue" in kept.read_bytes() + kept.with_name(f"{kept.name}-wal").read_bytes()


def test_one_that_cannot_become_the_master_ends_when_it_is_told_to(pair: Pair) -> None:
    pair.copies.write_text("")  # no folder: nothing can be copied there
    first = pair.masters[0]
    first.start()
    until(lambda: "commits can't be copied" in first.log(), "it copies all the same")
    assert not first.serves()
    first.daemon.process.send_signal(signal.SIGTERM)
    assert first.daemon.process.wait(40) == 0
    assert "Traceback" not in first.log()


def test_a_change_that_waits_is_promised_when_the_copies_come_back_in_time(pair: Pair) -> None:
    first = pair.masters[0]
    first.start()
    until(first.serves, "nobody serves")
    pair.unplug_copies()
    change = Change(first, "blue")
    until(lambda: first.daemon.call("system.health")["ha"]["waiting"] > 0, "nothing waits")
    pair.plug_copies_in()
    change.join(60)
    assert change.promised
    first.stop()
    assert "Not copied to" not in first.log()
