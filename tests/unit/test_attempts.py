"""What the master lost is restored again and again, but nothing makes that a storm."""

from __future__ import annotations

import itertools

import pytest

from haas_rpcd.engine.attempts import Attempts, Schedule

HOUR = 3600


class Time:
    """Seconds since the boot, as the test lets them pass."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def attempts(time: Time) -> Attempts:
    return Attempts(time.now, Schedule())


def begun(attempts: Attempts, time: Time, seconds: int, *, flapping: bool = False) -> list[float]:
    """Let time pass, in which each attempt fails; return when they began.

    ``flapping``: a link comes and goes twice a second.
    """
    found = []
    for _ in range(2 * seconds):
        if attempts.begin():
            found.append(time.seconds)
            attempts.ended("master", "There is no trunk nic.")
        time.seconds += 0.5
        if flapping:
            attempts.hasten()
    return found


def test_the_first_attempt_is_made_at_once_and_the_next_ones_more_and_more_rarely(
    attempts: Attempts, time: Time
) -> None:
    found = begun(attempts, time, HOUR)
    assert found[:5] == [0.0, 5.0, 15.0, 35.0, 75.0]
    between = [later - earlier for earlier, later in itertools.pairwise(found)]
    assert between == sorted(between)


def test_it_ends_and_says_so(attempts: Attempts, time: Time) -> None:
    begun(attempts, time, 2 * HOUR)
    assert begun(attempts, time, HOUR) == []
    assert attempts.failure is not None
    assert attempts.failure.again_in is None
    assert attempts.failure.error == "There is no trunk nic."


def test_a_change_leads_to_an_attempt_soon_even_after_the_last_one(
    attempts: Attempts, time: Time
) -> None:
    begun(attempts, time, 3 * HOUR)
    attempts.hasten()
    assert begun(attempts, time, 1) != []


def test_a_change_brings_the_next_attempt_forward_and_never_puts_it_off(
    attempts: Attempts, time: Time
) -> None:
    begun(attempts, time, 320)
    assert attempts.wait is not None
    assert attempts.wait > 300
    attempts.hasten()
    assert attempts.wait < 60
    soon = attempts.wait
    time.seconds += soon / 2
    attempts.hasten()
    assert attempts.wait == pytest.approx(soon / 2)


def test_while_nothing_failed_a_change_leads_to_no_attempt(attempts: Attempts) -> None:
    attempts.hasten()
    assert attempts.wait is None


def test_a_link_that_flaps_for_hours_leads_to_an_attempt_a_minute_at_most(
    attempts: Attempts, time: Time
) -> None:
    begun(attempts, time, HOUR, flapping=True)
    assert len(begun(attempts, time, HOUR, flapping=True)) <= 60


def test_what_an_attempt_changes_itself_leads_to_no_other(attempts: Attempts, time: Time) -> None:
    assert attempts.begin()
    attempts.ended("master", "There is no trunk nic.")
    before = attempts.wait
    attempts.hasten()
    assert attempts.wait == before


def test_bridges_that_somebody_keeps_on_removing_are_left_alone_for_a_while(
    attempts: Attempts, time: Time
) -> None:
    found = 0
    for _ in range(100):
        if attempts.begin():
            found += 1
            attempts.ended("master", None)
        time.seconds += 1.0
    assert found == 10
    assert attempts.wait is not None
    time.seconds += attempts.wait
    assert attempts.begin()
