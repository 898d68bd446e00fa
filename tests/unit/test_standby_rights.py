"""Rights that were taken away at the master end soon on a standby that can't be renewed."""

from __future__ import annotations

import contextlib

import pytest

import haas_rpcd.methods  # noqa: F401 - declares the API
from haas_rpcd.auth import Caller
from haas_rpcd.errors import UnavailableError
from haas_rpcd.methods.registry import METHODS
from haas_rpcd.methods.standby import RIGHTS_LAST, check
from haas_schemas.system import Standby

ALICE = Caller(user="alice", admin=True)
ROOT = Caller(user="root", admin=True, by_system=True)
OLD = Standby("north", None, RIGHTS_LAST + 1)


def test_somebody_who_may_have_lost_its_rights_is_sent_to_the_master() -> None:
    with pytest.raises(UnavailableError, match="ask the master"):
        check(OLD, ALICE, METHODS["node.list"], {})
    check(OLD, ALICE, METHODS["system.info"], {})
    check(OLD, ROOT, METHODS["node.list"], {})
    check(Standby("north", None, 1.0), ALICE, METHODS["node.list"], {})


def test_what_may_ask_a_device_is_not_answered() -> None:
    """A coroutine that changes nothing may wait for something else than the database."""
    answered = set()
    for name, method in METHODS.items():
        if method.waits:
            with contextlib.suppress(UnavailableError):
                check(Standby("north", None, 1.0), ROOT, method, {})
                answered.add(name)
    assert answered == {"audit.verify", "events.subscribe", "system.health"}


def test_root_changes_nothing_either_and_a_power_state_is_asked_of_the_master() -> None:
    with pytest.raises(UnavailableError, match="north is the master"):
        check(Standby("north", None, 1.0), ROOT, METHODS["node.allocate"], {})
    power = {"node": "n1", "action": "status"}
    with pytest.raises(UnavailableError, match="asks no device"):
        check(Standby("north", None, 1.0), ROOT, METHODS["node.power"], power)
    with pytest.raises(UnavailableError, match="there is no master now"):
        check(Standby(None, None, 1.0), ROOT, METHODS["node.allocate"], {})
