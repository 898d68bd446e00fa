"""Rows of queries as typed structs."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable
from types import UnionType
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

T = TypeVar("T")


class _JsonText:
    """Marks a field whose column holds JSON text."""


Json = Annotated[T, _JsonText()]
"""A field whose column holds JSON text; the row has it decoded."""


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One row of a query. Its fields are the query's columns, in the same order.

    SQLite has no booleans, so a ``bool`` field is made from 0 or 1. Every other value must have the
    field's type as it is. Rows are excluded from GC tracking: they cannot be part of a cycle.
    """


R = TypeVar("R", bound=Row)


class RowReader(Generic[R]):
    """Reads all rows of a cursor as structs of one type."""

    def __init__(self, kind: type[R]) -> None:
        hints = get_type_hints(kind, include_extras=True)
        self._kind = kind
        self._columns = kind.__struct_fields__
        self._converters = [
            (position, converter)
            for position, column in enumerate(self._columns)
            if (converter := _converter(hints[column])) is not None
        ]

    def read(self, cursor: sqlite3.Cursor) -> list[R]:
        """Read the rows.

        Raises TypeError if the columns are not the fields, msgspec.ValidationError if a value has
        another type than its field.
        """
        columns = tuple(column[0] for column in cursor.description)
        if columns != self._columns:
            raise TypeError(
                f"{self._kind.__name__} has the fields {', '.join(self._columns)};"
                f" the query returns {', '.join(columns)}"
            )
        rows: list[Any] = cursor.fetchall()
        if self._converters:
            rows = [list(row) for row in rows]
        for position, converter in self._converters:
            for row in rows:
                if row[position] is not None:
                    row[position] = converter(row[position])
        return msgspec.convert(rows, list[self._kind])  # type: ignore[name-defined]


@functools.cache
def reader(kind: type[R]) -> RowReader[R]:
    """Return the reader of one type of rows."""
    return RowReader(kind)


def _converter(hint: Any) -> Callable[[Any], Any] | None:
    """Return what turns SQLite's value into the field's; None if it is that value already."""
    if get_origin(hint) is Annotated and any(
        isinstance(mark, _JsonText) for mark in hint.__metadata__
    ):
        return msgspec.json.Decoder(hint).decode
    is_union = get_origin(hint) in (Union, UnionType)
    return bool if bool in (get_args(hint) if is_union else (hint,)) else None
