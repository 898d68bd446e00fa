"""Applies that go back unless somebody confirms them in time.

``back`` is what the project's nics had before, as JSON; see haas_rpcd.store.confirms. The deadline
is kept by the machine's own clock of one boot and, for a reboot, by the time of day. Both are null
until the job has ended.
"""

SQL = """
CREATE TABLE confirm (
    job_id INTEGER PRIMARY KEY REFERENCES job(id) ON DELETE CASCADE,
    seconds REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'confirmed', 'reverted')),
    back TEXT,
    boot TEXT,
    boot_deadline REAL,
    deadline REAL,
    reverted_by INTEGER
) STRICT;
CREATE INDEX confirm_waiting ON confirm(state) WHERE state = 'waiting';
"""
