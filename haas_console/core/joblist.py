"""The list of jobs: newest first, filtered as the board is. Pure: no screen, no daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase

from haas_schemas.job import Job

FIELDS: Mapping[str, Callable[[Job], str]] = {
    "job": lambda job: str(job.job),
    "project": lambda job: job.project or "site",
    "kind": lambda job: job.kind,
    "state": lambda job: job.state,
    "user": lambda job: job.user,
    "error": lambda job: job.error or "",
}

Test = Callable[[Job], bool]


def parse_filter(text: str) -> Test:
    """Read a filter in the board's way: words, ``field=value``, ``!``. Raises ValueError."""
    tests = [_test(word) for word in text.lower().split()]
    return lambda job: all(test(job) for test in tests)


def _test(word: str) -> Test:
    if word.startswith("!"):
        inner = _test(word[1:])
        return (lambda job: not inner(job)) if word[1:] else (lambda job: True)
    name, equals, value = word.partition("=")
    if not equals:
        return lambda job: any(word in field(job).lower() for field in FIELDS.values())
    field = FIELDS.get(name)
    if field is None:
        raise ValueError(f'There is no field "{name}"; there are: {", ".join(FIELDS)}.')
    return lambda job: not value or fnmatchcase(field(job).lower(), value)


def newest_first(jobs: Iterable[Job], filter_text: str = "") -> list[Job]:
    """Give the jobs that fit. Raises ValueError for a filter that says nothing sensible."""
    test = parse_filter(filter_text)
    return sorted((job for job in jobs if test(job)), key=lambda job: -job.job)
