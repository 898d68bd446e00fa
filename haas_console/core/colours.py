"""A colour for each network: the same on every screen, in every console, for as long as it exists.

There are fewer colours than networks, so a name or a letter always stands beside one.
"""

from __future__ import annotations

from functools import lru_cache
from zlib import crc32

from haas_schemas.network import NetworkKey

COLOURS = 8
"""The number of styles for networks: ``net0`` to ``net7``."""


@lru_cache(4096)
def network_look(key: NetworkKey) -> str:
    """The style of a network, by its full name alone."""
    return f"net{crc32('/'.join(key).encode()) % COLOURS}"
