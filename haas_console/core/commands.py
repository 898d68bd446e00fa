"""Commands: what keys, the mouse, forms and command lines are converted to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

CONSOLES = frozenset({"node.console", "headnode.console"})
"""The methods whose answer leads to a console: see :mod:`haas_console.core.attach`."""


class Call(msgspec.Struct, frozen=True):
    """One call of the API."""

    method: str
    params: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Apply(msgspec.Struct, frozen=True):
    """Start an apply and follow it to its end; without a project, of the whole site."""

    project: str | None = None
    digest: str | None = None
    confirm: float | None = None
    """Seconds after its end in which it has to be confirmed, or goes back."""
    target: str | None = None
    """The node or network of the project that is applied; None: all of it."""

    def call(self) -> Call:
        """The call that starts the job."""
        given = {
            "project": self.project,
            "digest": self.digest,
            "confirm": self.confirm,
            "target": self.target,
        }
        return Call(
            "apply.start", {key: value for key, value in given.items() if value is not None}
        )


class SavePlan(msgspec.Struct, frozen=True):
    """``plan.show`` to a local file; ``params`` are the method's."""

    file: str
    params: Mapping[str, Any] = msgspec.field(default_factory=dict)


class ApplyFile(msgspec.Struct, frozen=True):
    """Start an apply of a saved plan and follow it; ``confirm`` as for :class:`Apply`."""

    file: str
    confirm: float | None = None


class Use(msgspec.Struct, frozen=True):
    """Fill in ``project`` from here on; None: stop doing so."""

    project: str | None = None


class Help(msgspec.Struct, frozen=True):
    """Show help: on everything, on a noun, or on one command."""

    topic: tuple[str, ...] = ()


class ImportSite(msgspec.Struct, frozen=True):
    """``site.import`` with the text of a local file."""

    file: str
    params: Mapping[str, Any] = msgspec.field(default_factory=dict)


class ExportSite(msgspec.Struct, frozen=True):
    """``site.export`` to a local file, byte by byte."""

    file: str
    params: Mapping[str, Any] = msgspec.field(default_factory=dict)


class May(msgspec.Struct, frozen=True):
    """Ask whether one may call a method, in a project."""

    method: str
    project: str | None = None


class Find(msgspec.Struct, frozen=True):
    """Find objects of any kind by a part of their name, or of what is said of them."""

    text: str


class Follow(msgspec.Struct, frozen=True):
    """Print what happens until interrupted, or one job until its end."""

    job: int | None = None


Command = (
    Call | Apply | SavePlan | ApplyFile | Use | Help | May | ImportSite | ExportSite | Find | Follow
)
