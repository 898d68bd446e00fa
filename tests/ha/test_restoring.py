"""A site with copies goes back to an earlier time: both masters, and one that is alone."""

from __future__ import annotations

import datetime
import subprocess
import sys
import time

import pytest

from tests.bench.switchyard import Switchyard
from tests.ha.conftest import Master, Pair, projects, until

pytestmark = pytest.mark.slow


def restore(master: Master, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "haas_rpcd", "--config", str(master.config), "restore", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def doctor(master: Master) -> str:
    command = [sys.executable, "-m", "haas_rpcd", "--config", str(master.config), "doctor"]
    done = subprocess.run(
        [*command, "--user", "root"], capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout


def a_moment_later() -> str:
    """A time after all that was copied so far, and before all that is copied from now on.

    Litestream dates copies by the millisecond.
    """
    now = datetime.datetime.now(datetime.UTC)
    begun = time.time()
    until(lambda: time.time() > begun + 0.01, "the clock stands still")
    return now.isoformat()


def test_both_masters_go_on_from_the_time_that_was_asked_for(pair: Pair) -> None:
    with Switchyard(1, ports=4) as yard:
        first, second = pair.start()
        names = [name.replace("GigabitEthernet", "Gi") for name in yard.names]
        first.daemon.call(
            "site.import",
            site={
                "projects": {"red": {}},
                "switches": {
                    "sw1": {
                        "dialect": "cisco_ios",
                        "host": "127.0.0.1",
                        "port": yard.ports[0],
                        "credential": "bench",
                        "access": names,
                    }
                },
                "nodes": {"n1": {"nics": {"nic": {"switch": "sw1", "port": names[0]}}}},
            },
        )
        assert first.daemon.apply()["state"] == "succeeded"
        before = a_moment_later()
        first.daemon.call("project.create", project="blue")
        vlan = first.daemon.call("network.create", project="blue", network="net")["vlan"]
        first.daemon.call("node.allocate", project="blue", node="n1")
        first.daemon.call("nic.connect", node="n1", nic="nic", network="net")
        assert first.daemon.apply("blue")["state"] == "succeeded"

        refused = restore(first, "--at", before, "--replace")
        assert refused.returncode == 1
        assert "the master is north: stop haas-rpcd on both machines first" in refused.stderr
        second.stop()
        first.stop()

        done = restore(second, "--at", before, "--replace")  # the other one's copies
        assert done.returncode == 0, done.stderr
        assert f"sw1 {names[0]}: " in done.stdout, done.stdout + done.stderr
        assert f"access {vlan}" in done.stdout
        assert "in the backup: parked" in done.stdout

        first.start()  # whoever comes first goes on with what the other restored
        until(first.serves, f"nobody serves:\n{first.log()}")
        assert projects(first) == {"red"}
        assert first.daemon.call("node.show", node="n1")["state"] != "free"
        assert first.daemon.apply()["state"] == "succeeded"
        assert first.daemon.call("plan.show")["empty"]
        assert first.daemon.call("node.show", node="n1")["state"] == "free"


def test_a_master_that_is_alone_is_copied_and_restored(lone: Master) -> None:
    lone.start()
    lone.daemon.call("project.create", project="red")

    def copied() -> bool:
        ha = lone.daemon.call("system.health")["ha"]
        assert ha["role"] == "alone"
        return ha["age"] is not None

    until(copied, "system.health does not say how old the copies are")
    assert "The copies' state is " in doctor(lone)
    lone.stop()  # what is left is copied at the end
    before = a_moment_later()
    lone.start()
    until(lone.serves, "it does not serve again")
    lone.daemon.call("project.create", project="blue")
    lone.stop()

    done = restore(lone, "--at", before, "--replace")
    assert done.returncode == 0, done.stderr
    lone.start()
    until(lone.serves, "it does not serve what was restored")
    assert projects(lone) == {"red"}


def test_a_time_before_the_first_copy_is_refused_with_a_sentence(lone: Master) -> None:
    lone.start()
    until(lone.serves, "it does not serve")
    lone.stop()
    done = restore(lone, "--at", "2001-01-01T00:00:00Z", "--replace")
    assert done.returncode == 1
    assert "Nothing can be restored from" in done.stderr
    lone.start()
    until(lone.serves, "the refused restore has changed something")
