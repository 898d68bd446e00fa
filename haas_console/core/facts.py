"""Lines about objects, each with what Enter opens there."""

from __future__ import annotations

import msgspec

from haas_console.core.objects import Ref


class Fact(msgspec.Struct, frozen=True):
    """One line: a name, its text, and what Enter opens there."""

    name: str
    text: str
    link: Ref | None = None
    look: str = ""
