"""What switches have saved: a node or a VLAN id is free only when a power cut cannot undo it.

What was confirmed on a switch without unsaved changes counts as saved. A switch with some may have
saved any network's VLAN, as nothing says which of its changes it has saved.
"""

SQL = """
CREATE TABLE dialect_without_save (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE vlan_in_startup (
    switch_id INTEGER NOT NULL REFERENCES switch(id) ON DELETE CASCADE,
    vlan INTEGER NOT NULL,
    PRIMARY KEY (switch_id, vlan)
) STRICT, WITHOUT ROWID;
CREATE INDEX vlan_in_startup_vlan ON vlan_in_startup(vlan);

INSERT INTO vlan_in_startup
SELECT DISTINCT unsaved.switch_id, vlan_claim.vlan FROM unsaved, vlan_claim;

ALTER TABLE port_applied ADD COLUMN saved INTEGER NOT NULL DEFAULT 0 CHECK (saved IN (0, 1));

UPDATE port_applied SET saved = 1
WHERE confirmed = 1 AND port_id NOT IN (
    SELECT port.id FROM port JOIN unsaved ON unsaved.switch_id = port.switch_id);

DROP VIEW parked_port;

CREATE VIEW parked_port AS
SELECT port_id FROM port_applied
WHERE confirmed = 1 AND saved = 1 AND untagged IS NULL AND NOT EXISTS (
    SELECT 1 FROM port_applied_tagged WHERE port_applied_tagged.port_id = port_applied.port_id);
"""
