"""The commands that keys, the mouse, forms and lines of text are made into."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Call(msgspec.Struct, frozen=True):
    """One call of the API."""

    method: str
    params: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Apply(msgspec.Struct, frozen=True):
    """Start an apply, show its progress, wait for its end; no project: the site."""

    project: str | None = None
    digest: str | None = None


class Use(msgspec.Struct, frozen=True):
    """From here on ``project`` is filled in; None: it is not any more."""

    project: str | None = None


class Help(msgspec.Struct, frozen=True):
    """Say what there is: everything, a noun, or one command."""

    topic: tuple[str, ...] = ()


class ImportSite(msgspec.Struct, frozen=True):
    """``site.import`` with the text of a local file."""

    file: str
    params: Mapping[str, Any] = msgspec.field(default_factory=dict)


class ExportSite(msgspec.Struct, frozen=True):
    """``site.export`` into a local file, byte by byte."""

    file: str


Command = Call | Apply | Use | Help | ImportSite | ExportSite
