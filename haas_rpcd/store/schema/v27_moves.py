"""Headnodes that move to another hypervisor, and hypervisors that are switched off by their BMC.

``headnode.move_to`` is where a headnode is to be, ``move_token`` identifies that move.
``headnode_copy`` has the other hypervisors on which something of it is, or may be.
``hypervisor.fenced`` is who saw to it that a retired one is off: its BMC, or an admin.

Steps that stop headnodes to move them, and that copy them, have two phases of their own.
"""

from __future__ import annotations

SQL = """
ALTER TABLE headnode ADD COLUMN move_to TEXT;
ALTER TABLE headnode ADD COLUMN move_token TEXT;
CREATE INDEX headnode_move_to ON headnode(move_to) WHERE move_to IS NOT NULL;

CREATE TABLE headnode_copy (
    headnode_id INTEGER NOT NULL REFERENCES headnode(id) ON DELETE RESTRICT,
    hypervisor TEXT NOT NULL,
    PRIMARY KEY (headnode_id, hypervisor)
) STRICT, WITHOUT ROWID;
CREATE INDEX headnode_copy_hypervisor ON headnode_copy(hypervisor);

UPDATE step SET phase = phase + 2 WHERE phase >= 5;

ALTER TABLE hypervisor ADD COLUMN fenced TEXT CHECK (fenced IN ('bmc', 'admin'));
UPDATE hypervisor SET fenced = 'admin' WHERE retired IS NOT NULL;

CREATE TABLE hypervisor_bmc (
    hypervisor TEXT PRIMARY KEY REFERENCES hypervisor(name) ON DELETE CASCADE,
    protocol TEXT NOT NULL CHECK (protocol IN ('ipmi', 'redfish')),
    host TEXT NOT NULL,
    port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
    credential TEXT,
    system TEXT,
    fingerprint TEXT
) STRICT, WITHOUT ROWID;

DROP TRIGGER hypervisor_in_use_stays;
CREATE TRIGGER hypervisor_in_use_stays BEFORE DELETE ON hypervisor
WHEN EXISTS (SELECT 1 FROM headnode WHERE OLD.name IN (hypervisor, move_to))
  OR EXISTS (SELECT 1 FROM headnode_copy WHERE hypervisor = OLD.name)
  OR EXISTS (SELECT 1 FROM bridge WHERE hypervisor = OLD.name)
BEGIN SELECT RAISE(ABORT, 'this hypervisor is in use'); END;

CREATE TRIGGER headnode_moves_to_a_hypervisor BEFORE UPDATE OF move_to ON headnode
WHEN NEW.move_to IS NOT NULL AND (NEW.move_token IS NULL OR NEW.move_to = NEW.hypervisor
  OR (NEW.move_to <> 'master'
    AND NOT EXISTS (SELECT 1 FROM hypervisor WHERE name = NEW.move_to AND retired IS NULL)))
BEGIN SELECT RAISE(ABORT, 'a headnode moves to another hypervisor in service'); END;
"""
