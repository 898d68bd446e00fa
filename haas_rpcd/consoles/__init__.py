"""Consoles: one line to each node or headnode, several who watch it, and one who types.

- :mod:`.consoles` keeps the consoles that are open, gives tickets to those who may open one, and
  disconnects whoever loses that right.
- :mod:`.console` reads one line, and passes it on.
- :mod:`.log` keeps what a line said, for its present holder only.

What a line is made of (IPMI, libvirt) is none of their business: see :mod:`haas_rpcd.line`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Literal

import msgspec

from haas_rpcd.line import Line


class Place(msgspec.Struct, frozen=True):
    """Whose console it is.

    ``name``: the node, or ``project/headnode``. ``owner``: the id of the project that holds it.
    ``uuid``: of a headnode. With another holder it is another place.
    """

    kind: Literal["node", "headnode"]
    name: str
    owner: int | None
    uuid: str = ""

    def __str__(self) -> str:
        """Return it as a phrase for people."""
        return f"{self.kind} {self.name}"


OpenLine = Callable[[Place], AbstractAsyncContextManager[Line]]
"""Opens the line of a place. Entering raises HaasError."""
