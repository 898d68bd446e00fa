"""The audit trail: each record carries a hash that covers it and the one before it."""

from __future__ import annotations

import hashlib
import json
import sqlite3

SQL = """
ALTER TABLE audit ADD COLUMN via TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN objects TEXT NOT NULL DEFAULT '[]';
ALTER TABLE audit ADD COLUMN job INTEGER;
ALTER TABLE audit ADD COLUMN project_seq INTEGER;
ALTER TABLE audit ADD COLUMN hash BLOB;

UPDATE audit SET project_seq = (
    SELECT count(*) FROM audit AS earlier
    WHERE earlier.project_id = audit.project_id AND earlier.id <= audit.id)
WHERE project_id IS NOT NULL;

CREATE UNIQUE INDEX audit_project_seq ON audit(project_id, project_seq);
CREATE INDEX audit_user ON audit(user);
CREATE INDEX audit_time ON audit(time);

CREATE TABLE audit_object (
    name TEXT NOT NULL,
    noun TEXT NOT NULL,
    audit_id INTEGER NOT NULL REFERENCES audit(id) ON DELETE CASCADE,
    PRIMARY KEY (name, noun, audit_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_object_audit_id ON audit_object(audit_id);

CREATE TABLE audit_anchor (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    audit_id INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
INSERT INTO audit_anchor (one, audit_id, hash) VALUES (1, 0, x'');
"""

TRIGGERS = """
CREATE TRIGGER audit_records_do_not_change BEFORE UPDATE OF id, time, user, via, method, project,
    params, objects, outcome, message, job, project_seq, hash ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail does not change'); END;

CREATE TRIGGER audit_records_are_pruned_from_the_start BEFORE DELETE ON audit
WHEN OLD.id > (SELECT audit_id FROM audit_anchor)
BEGIN SELECT RAISE(ABORT, 'the audit trail is pruned from its start only'); END;
"""


def link(connection: sqlite3.Connection) -> None:
    """Compute the hashes of the records that there are."""
    before = b""
    for record in connection.execute(
        "SELECT id, time, user, via, method, project, params, objects, outcome, message, job"
        " FROM audit ORDER BY id"
    ).fetchall():
        text = json.dumps(list(record), ensure_ascii=False, separators=(",", ":"))
        before = hashlib.sha256(before + text.encode()).digest()
        connection.execute("UPDATE audit SET hash = ? WHERE id = ?", (before, record[0]))
