"""Queries of the hashes of base images' files."""

from __future__ import annotations

from collections.abc import Mapping

from haas_rpcd.store.database import Tx
from haas_rpcd.store.rows import Row


class HashRow(Row, frozen=True):
    """The hash of a file, its size in bytes, and when it was changed, as libvirt writes that."""

    path: str
    size: int
    mtime: str
    content: str


def hashes(tx: Tx, hypervisor: str) -> dict[tuple[str, int, str], str]:
    """Return the hashes of a hypervisor's files, by path, size and time of change."""
    sql = "SELECT path, size, mtime, content FROM image_hash WHERE hypervisor = ?"
    rows = tx.query(HashRow, sql, (hypervisor,))
    return {(row.path, row.size, row.mtime): row.content for row in rows}


def keep(tx: Tx, hypervisor: str, found: Mapping[tuple[str, int, str], str]) -> None:
    """Keep the hashes of some of a hypervisor's files, in place of older ones."""
    tx.execute_many(
        "INSERT INTO image_hash (hypervisor, path, size, mtime, content) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (hypervisor, path) DO UPDATE"
        " SET size = excluded.size, mtime = excluded.mtime, content = excluded.content",
        [(hypervisor, *facts, content) for facts, content in found.items()],
    )
