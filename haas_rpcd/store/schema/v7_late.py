"""What may change late: a switch did not answer a line, and may still execute it."""

SQL = """
CREATE TABLE port_may_change (
    port_id INTEGER PRIMARY KEY REFERENCES port(id) ON DELETE CASCADE,
    boot TEXT NOT NULL,
    seconds REAL NOT NULL
) STRICT;

CREATE TABLE vlan_may_change (
    switch_id INTEGER NOT NULL REFERENCES switch(id) ON DELETE CASCADE,
    vlan INTEGER NOT NULL,
    boot TEXT NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY (switch_id, vlan)
) STRICT, WITHOUT ROWID;
CREATE INDEX vlan_may_change_vlan ON vlan_may_change(vlan);

DROP VIEW parked_port;

CREATE VIEW parked_port AS
SELECT port_id FROM port_applied
WHERE confirmed = 1 AND saved = 1 AND untagged IS NULL AND NOT EXISTS (
    SELECT 1 FROM port_applied_tagged WHERE port_applied_tagged.port_id = port_applied.port_id)
AND NOT EXISTS (
    SELECT 1 FROM port_may_change WHERE port_may_change.port_id = port_applied.port_id);
"""
