"""What the hypervisor shows of headnodes where that is not what was applied, and uptimes.

Nothing here depends on the wall clock. Released: this SQL does not change any more.
"""

from __future__ import annotations

SQL = """
CREATE TABLE headnode_observed (
    headnode_id INTEGER PRIMARY KEY REFERENCES headnode(id) ON DELETE CASCADE,
    reached INTEGER NOT NULL CHECK (reached IN (0, 1)),
    stop_seen INTEGER NOT NULL DEFAULT 0 CHECK (stop_seen IN (0, 1)),
    seen TEXT
) STRICT;

CREATE TABLE last_boot (boot_id TEXT NOT NULL) STRICT;

ALTER TABLE switch ADD COLUMN uptime REAL;
ALTER TABLE switch ADD COLUMN uptime_read REAL;
ALTER TABLE switch ADD COLUMN uptime_boot TEXT;
"""
