"""The log does not grow with what strangers do."""

from __future__ import annotations

import logging

from haas_rpcd.logs.flood import PER_MINUTE, FloodFilter


def record(message: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("haas", logging.WARNING, "", 0, message, args, None)


def test_what_is_logged_too_often_is_counted_instead() -> None:
    now = [0.0]
    flood = FloodFilter(lambda: now[0])
    written = [flood.filter(record("refused %s", number)) for number in range(500)]
    assert written == [True] * PER_MINUTE + [False] * (500 - PER_MINUTE)
    assert flood.filter(record("something else"))
    now[0] = 61.0
    next_one = record("refused %s", "again")
    assert flood.filter(next_one)
    assert next_one.getMessage() == "refused again (440 more like it were left out)"
    assert flood.filter(record("refused %s", 1))
