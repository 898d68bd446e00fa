"""The filter of what happened, and who is named beside an event."""

from __future__ import annotations

from datetime import datetime

import pytest

from haas_console.core import happened
from haas_console.core.auditlist import Change, page_params
from haas_console.core.log import CallRecord, EventRecord, Log
from haas_console.core.objects import Ref
from haas_console.core.timeline import timeline
from haas_schemas.system import AuditRecord

NOW = datetime(2027, 1, 31, 12, 30).timestamp()  # by the user's clock


def record(
    number: int, user: str, method: str, ago: float, *objects: str, project: str | None = "astro",
    outcome: str = "done", job: int | None = None,
) -> Change:  # fmt: skip
    time = datetime.fromtimestamp(NOW - ago).astimezone().isoformat()
    params = {"network": "lab"}
    return Change(
        AuditRecord(
            number, time, user, method, project, params, outcome, None, "socket", objects, job
        )
    )


TRAIL = [
    record(1, "alice", "node.allocate", 7200, "node n1", "project astro"),
    record(2, "bob", "nic.connect", 1200, "node n1", "nic n1:eth0", "network astro/lab"),
    record(3, "alice", "network.create", 60, "network astro/lab", job=7),
    record(4, "bob", "user.create", 30, "user carl", project=None, outcome="denied"),
]


def numbers(text: str) -> list[int]:
    return [change.record.id for change in happened.fitting(TRAIL, text, NOW)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [1, 2, 3, 4]),
        ("user=alice", [1, 3]),
        ("!user=alice", [2, 4]),
        ("node=n1 since=1h", [2]),
        ("object=n1 until=1h", [1]),
        ("!since=1h", [1]),
        ("network=lab", [2, 3]),
        ("network=astro/l*", [2, 3]),
        ("job=7", [3]),
        ("project=none", [4]),
        ("since=11:00 denied", [4]),
        ("since=today ~^node", [1]),
        ("since=2027-01-31T12:29", [3, 4]),
        ("since=", [1, 2, 3, 4]),
    ],
)
def test_a_filter_by_user_object_and_time(text: str, found: list[int]) -> None:
    assert numbers(text) == found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("colour=red", "There is no field"), ("since=soon", '"soon" is no time'), ("~(", "regular")],
)
def test_a_wrong_filter_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        happened.asked(text, NOW)


def test_the_daemon_is_asked_for_what_it_can_select() -> None:
    assert happened.asked("node=n1 user=rita since=1h words !object=n2", NOW) == {
        "object": "node n1",
        "user": "rita",
        "since": NOW - 3600,
    }
    assert happened.asked("network=lab user=r* project=none", NOW) == {}
    assert happened.asked("network=astro/lab", NOW) == {"object": "network astro/lab"}


def test_a_tenant_asks_for_one_project_only() -> None:
    assert page_params({}, True, None) == {"newest": True}
    assert page_params({}, False, None) is None
    assert page_params({}, False, "astro") == {"newest": True, "project": "astro"}
    assert page_params({"project": "bio"}, False, "astro") == {"newest": True, "project": "bio"}


def test_an_event_is_told_once_with_who_caused_it() -> None:
    log = Log()
    log.events.append(EventRecord(NOW - 59, "network", "created", "lab", "astro"))
    log.events.append(EventRecord(NOW - 1, "switch", "unreachable", "sw1", None))
    found = timeline(log, "events", user="root", trail=TRAIL)
    assert [(entry.who, entry.text.split(" net")[0]) for entry in found] == [
        ("alice", "node allocate"),
        ("bob", "nic connect"),
        ("alice", "network lab of astro: created"),
        ("bob", "user create"),
        ("", "switch sw1: unreachable"),
    ]
    assert found[2].ref == Ref("network", "astro/lab")
    assert found[1].ref == Ref("nic", "n1:eth0")
    assert found[3].ref is None  # a user has no details


def test_one_s_own_calls_are_not_told_twice() -> None:
    log = Log()
    log.calls.append(CallRecord(NOW - 61, "network.create", {"network": "lab"}, 1.0, "ok", True))
    texts = [entry.text for entry in timeline(log, user="alice", trail=TRAIL)]
    assert sum(text.startswith(("network.create", "network create")) for text in texts) == 1
    texts = [entry.text for entry in timeline(log, user="carl", trail=TRAIL)]
    assert sum(text.startswith(("network.create", "network create")) for text in texts) == 2
