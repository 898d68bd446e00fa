"""When switches booted, what drifted, and which jobs repair it.

Released: this SQL does not change any more.
"""

from __future__ import annotations

SQL = """
ALTER TABLE switch ADD COLUMN booted REAL;
ALTER TABLE switch ADD COLUMN checked REAL;

CREATE TABLE drift (
    device TEXT NOT NULL,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    applied TEXT NOT NULL,
    observed TEXT NOT NULL,
    since REAL NOT NULL,
    PRIMARY KEY (device, kind, target)
) STRICT, WITHOUT ROWID;

CREATE TABLE repair (
    job_id INTEGER PRIMARY KEY REFERENCES job(id) ON DELETE CASCADE,
    switch TEXT
) STRICT;

CREATE TRIGGER allocate_only_nodes_that_stayed_parked BEFORE INSERT ON allocation
WHEN EXISTS (
    SELECT 1 FROM nic JOIN port ON port.id = nic.port_id JOIN switch ON switch.id = port.switch_id
    JOIN drift ON drift.device = switch.name AND drift.target = port.name
    WHERE nic.node_id = NEW.node_id)
BEGIN SELECT RAISE(ABORT, 'a port of this node did not stay parked'); END;
"""
