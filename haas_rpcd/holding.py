"""The settings of how long nodes are held, and of how they are released."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class LeaseSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[leases]``: allocations with an end."""

    warn: Annotated[
        float, Meta(description="Seconds before its end that a lease is warned of.", ge=0)
    ] = 3600.0
    grace: Annotated[
        float,
        Meta(
            description="Seconds for which leases are kept that ended while the daemon was not"
            " running, or in a jump of the clock.",
            ge=0,
        ),
    ] = 900.0


class ReleaseSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[release]``: what must succeed before a node that is released becomes free."""

    command: Annotated[
        list[str],
        Meta(
            description="A program by its full path, and its arguments; the node's name is added."
        ),
    ] = []
    timeout: Annotated[
        float, Meta(description="Seconds after which it is killed, and has failed.", gt=0)
    ] = 600.0
