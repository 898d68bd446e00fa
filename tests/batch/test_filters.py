"""Filters of lists: words, fields, wildcards and inversion."""

from __future__ import annotations

import pytest

from haas_console.core.filters import parse_filter

FRUIT = [{"name": ["apple"], "colour": ["red", "green"]}, {"name": ["plum"], "colour": ["blue"]}]
FIELDS = {"name": lambda item: item["name"], "colour": lambda item: item["colour"]}


def _names(text: str) -> list[str]:
    test = parse_filter(text, FIELDS, lambda item, word: word in item["name"][0])
    return [item["name"][0] for item in FRUIT if test is None or test(item)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["apple", "plum"]),
        ("pl", ["apple", "plum"]),
        ("PLU", ["plum"]),
        ("pl app", ["apple"]),
        ("!plum", ["apple"]),
        ("colour=green", ["apple"]),
        ("colour=gree", []),
        ("colour=gr*", ["apple"]),
        ("Colour=B[l]ue", ["plum"]),
        ("!colour=red", ["plum"]),
        ("!colour=red plum", ["plum"]),
        ("!", ["apple", "plum"]),
        ("colour=", ["apple", "plum"]),
        ("!colour=", ["apple", "plum"]),
    ],
)
def test_a_filter_selects(text: str, names: list[str]) -> None:
    assert _names(text) == names


def test_an_unknown_field_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r'no field "size"; there are: name, colour\.'):
        _names("size=3")
