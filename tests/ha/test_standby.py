"""The one that stands by serves reads of what the master has, and says how old that is."""

from __future__ import annotations

import pytest

from tests.ha.conftest import Pair, projects, until
from tests.tui.harness.processes import Refused

pytestmark = pytest.mark.slow


def test_the_standby_reads_what_the_master_has_and_changes_nothing(pair: Pair) -> None:
    first, second = pair.start()
    first.daemon.call("project.create", project="red")
    until(second.stands_by, f"the standby serves no reads:\n{second.log()}")
    until(lambda: projects(second) == {"red"}, "the standby does not see what the master has")

    standby = second.daemon.call("system.info")["standby"]
    assert standby["master"] == "north"
    assert standby["age"] < 60
    with pytest.raises(Refused, match="stands by and changes nothing: north is the master"):
        second.daemon.call("project.create", project="blue")
    with pytest.raises(Refused, match="asks no device"):
        second.daemon.call("drift.check")
    assert int(second.daemon.header("Age", "project.list") or -1) >= 0
    assert first.daemon.header("Age", "project.list") is None
    ha = second.daemon.call("system.health")["ha"]
    assert (ha["name"], ha["role"], ha["problem"]) == ("south", "standby", None)

    for method in (
        *("node.list", "switch.list", "network.list", "headnode.list", "hypervisor.list"),
        *("user.list", "token.list", "job.list", "audit.list", "audit.verify", "drift.list"),
        *("plan.show", "system.pulse", "site.export", "rpc.discover"),
    ):
        second.daemon.call(method)

    first.daemon.call("project.delete", project="red")
    first.daemon.call("project.create", project="green")
    until(lambda: projects(second) == {"green"}, "the standby does not follow")

    second.daemon.process.send_signal(1)  # SIGHUP, as by systemctl reload
    first.stop()
    until(second.serves, f"the standby has not taken over:\n{second.log()}")
    second.daemon.call("project.create", project="blue")
    first.start()  # the roles are the other way round now
    until(lambda: first.stands_by() and projects(first) == {"green", "blue"}, "it does not follow")


def test_data_that_cannot_be_renewed_says_how_old_it_is(pair: Pair) -> None:
    first, second = pair.start()
    first.daemon.call("project.create", project="red")
    until(lambda: second.stands_by() and projects(second) == {"red"}, "it does not follow")
    pair.unplug_copies()

    def says_why() -> bool:
        ha = second.daemon.call("system.health")["ha"]
        return ha["problem"] is not None and ha["age"] > 1

    until(says_why, "the standby does not say that it is out of date")
    assert projects(second) == {"red"}
    pair.plug_copies_in()
    until(
        lambda: second.daemon.call("system.health")["ha"]["problem"] is None,
        "the standby is not current again",
    )


def test_a_second_daemon_on_the_same_machine_leaves_the_standby_alone(pair: Pair) -> None:
    first, second = pair.start()
    first.daemon.call("project.create", project="red")
    until(lambda: second.stands_by() and projects(second) == {"red"}, "it does not follow")
    with second.started_twice() as log:
        until(lambda: "serves no reads" in log.read_text(), "it says nothing")
    first.daemon.call("project.create", project="blue")
    until(lambda: projects(second) == {"red", "blue"}, "the first one does not follow any more")
