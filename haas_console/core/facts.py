"""Lines about objects, each with what Enter opens there."""

from __future__ import annotations

import msgspec

from haas_console.core.objects import Ref


class Fact(msgspec.Struct, frozen=True):
    """One line: what it says of what, and what Enter opens there."""

    name: str
    text: str
    link: Ref | None = None
    look: str = ""
