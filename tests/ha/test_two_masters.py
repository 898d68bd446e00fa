"""One master serves, the other stands by, and nothing that was promised is lost between them."""

from __future__ import annotations

import random
import threading
from http.client import HTTPException

import pytest

from tests.bench.switchyard import Switchyard
from tests.ha.conftest import Pair, projects, until
from tests.tui.harness.processes import Refused

pytestmark = pytest.mark.slow

LOST = 75
"""The exit code of one who is not the master any more."""


def test_the_other_goes_on_at_once_when_the_master_is_ended(pair: Pair) -> None:
    first, second = pair.start()
    first.daemon.call("project.create", project="red")
    assert not second.serves(), "two would serve"
    first.stop()
    until(second.serves, "the other has not taken over")
    assert projects(second) == {"red"}

    first.start()  # it stands by now, and comes back with what the other has done
    second.daemon.call("project.create", project="blue")
    second.stop()
    until(first.serves, "the first has not come back")
    assert projects(first) == {"red", "blue"}
    health = first.daemon.call("system.health")["ha"]
    assert health["name"] == first.name
    assert health["token"] > 0


class Clients:
    """Several clients, each of which creates projects at whichever master answers."""

    def __init__(self, pair: Pair, count: int = 3) -> None:
        self.promised: set[str] = set()
        self._pair = pair
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(at,)) for at in range(count)]
        for thread in self._threads:
            thread.start()

    def _work(self, client: int) -> None:
        number = 0
        while not self._ended.is_set():
            for master in self._pair.masters:
                name = f"p{client}-{number}"
                number += 1
                try:
                    master.daemon.call("project.create", project=name)
                except (OSError, HTTPException, ValueError, Refused):
                    continue
                self.promised.add(name)

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.parametrize("end", ["killed", "cut off", "frozen"])
def test_nothing_promised_is_lost_however_the_master_goes(pair: Pair, end: str) -> None:
    master, other = pair.start()
    clients = Clients(pair)
    try:
        for _ in range(2):
            until(
                lambda had=len(clients.promised): len(clients.promised) > had + 5,
                "nothing is promised any more",
            )
            threading.Event().wait(random.random() / 10)  # anywhere in the middle of a commit
            if end == "killed":
                master.kill()
            elif end == "cut off":
                master.cables.cut()
                assert master.daemon.process.wait(60) == LOST
            else:
                master.freeze()
            until(other.serves, f"{other.name} has not taken over:\n{other.log()}")
            if end == "frozen":
                assert master.thaw() == LOST
            master.cables.mend()
            master.start()
            master, other = other, master
    finally:
        clients.end()
    until(master.serves, "nobody serves")
    assert clients.promised, "the clients have done nothing"
    assert clients.promised <= projects(master)


def test_a_frozen_master_sends_no_line_when_it_goes_on(pair: Pair) -> None:
    """It is frozen in the middle of a job, which the other one has finished by then."""
    with Switchyard(1, ports=24) as yard:
        first, second = pair.start()
        names = [name.replace("GigabitEthernet", "Gi") for name in yard.names]
        switch = {
            "dialect": "cisco_ios",
            "host": "127.0.0.1",
            "port": yard.ports[0],
            "credential": "bench",
            "access": names,
        }
        nodes = {
            f"n{at:02}": {"nics": {"nic": {"switch": "sw1", "port": port}}}
            for at, port in enumerate(names)
        }
        site = {"switches": {"sw1": switch}, "nodes": nodes}
        first.daemon.call("site.import", site=site)
        yard.set(line_delay=0.05)
        job = first.daemon.call("apply.start")["job"]
        until(lambda: yard.counters()["lines"] > 12, "the job sends nothing")
        first.freeze()
        until(second.serves, f"the other has not taken over:\n{second.log()}")
        yard.set(line_delay=0.0)
        ended = second.daemon.call("job.wait", job=job, timeout=50)
        assert ended["state"] in ("succeeded", "failed"), ended
        assert second.daemon.apply()["state"] == "succeeded"
        assert second.daemon.call("plan.show")["empty"]

        second.kill()  # its own lines are not counted
        until(lambda: yard.counters()["sessions"] == 1, "only that of the frozen master is open")
        before = yard.counters()["lines"]
        assert first.thaw() == LOST
        assert yard.counters()["lines"] == before
