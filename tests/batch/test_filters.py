"""Filters of lists: words, fields, wildcards and inversion."""

from __future__ import annotations

import pytest

from haas_console.core.filters import fitting

FRUIT = [{"name": ["apple"], "colour": ["red", "green"]}, {"name": ["plum"], "colour": ["blue"]}]
FIELDS = {"name": lambda item: item["name"], "colour": lambda item: item["colour"]}


def _names(text: str) -> list[str]:
    found, _ = fitting(FRUIT, text, FIELDS, lambda item: item["name"])
    return [item["name"][0] for item in found]


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
        ("~^p", ["plum"]),
        ("!~^P", ["apple"]),
        ("~", ["apple", "plum"]),
        ("ale", ["apple"]),
        ("colour=rd", []),
    ],
)
def test_a_filter_selects(text: str, names: list[str]) -> None:
    assert _names(text) == names


def test_an_unknown_field_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r'no field "size"; there are: name, colour\.'):
        _names("size=3")


def test_letters_in_order_fit_only_where_nothing_else_does() -> None:
    fruit = [{"name": ["apple"]}, {"name": ["ale"]}]
    assert fitting(fruit, "ale", FIELDS, lambda item: item["name"]) == ([fruit[1]], False)
    assert fitting(fruit[:1], "ale", FIELDS, lambda item: item["name"]) == ([fruit[0]], True)


def test_a_malformed_regular_expression_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r'"\[" is no regular expression'):
        _names("~[")
