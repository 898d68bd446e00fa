"""What devices were told and said in a job, compressed."""

from __future__ import annotations

import zlib

from haas_rpcd.store.database import Tx
from haas_rpcd.store.rows import Row


class TranscriptRow(Row, frozen=True):
    """A part of one session. ``time`` is in seconds since the epoch; ``text`` is compressed."""

    id: int
    device: str
    time: float
    text: bytes

    @property
    def plain(self) -> str:
        """The text."""
        return zlib.decompress(self.text).decode()


def add(tx: Tx, job_id: int, device: str, text: str, now: float) -> None:
    """Keep what a device was told and said in a job."""
    packed = zlib.compress(text.encode("utf-8", "replace"))
    tx.insert("transcript", job_id=job_id, device=device, time=now, text=packed)


def page(tx: Tx, job_id: int, limit: int, after: int, device: str | None) -> list[TranscriptRow]:
    """Return the parts of a job's transcript, in order of time."""
    return tx.query(
        TranscriptRow,
        "SELECT id, device, time, text FROM transcript WHERE job_id = :job AND id > :after"
        " AND (:device IS NULL OR device = :device) ORDER BY id LIMIT :limit",
        {"job": job_id, "after": after, "device": device, "limit": limit},
    )


def prune(tx: Tx, keep: int) -> int:
    """Delete the oldest parts beyond ``keep``; return how many."""
    return tx.execute(
        "DELETE FROM transcript WHERE id <= (SELECT max(id) FROM transcript) - ?", (keep,)
    )
