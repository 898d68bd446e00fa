"""What was confirmed of ports and headnodes: from JSON texts to columns.

Triggers and queries compared the texts byte by byte, so a field that a later release adds to them
would have made every node unconfirmed.
"""

from __future__ import annotations

SQL = """
DROP TRIGGER allocate_only_parked_nodes;
DROP TRIGGER free_only_parked_nodes;

CREATE TABLE port_config AS SELECT * FROM port_applied;
DROP TABLE port_applied;

CREATE TABLE port_applied (
    port_id INTEGER PRIMARY KEY REFERENCES port(id) ON DELETE CASCADE,
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
    untagged INTEGER,
    CHECK (confirmed = 1 OR untagged IS NULL)
) STRICT;

CREATE TABLE port_applied_tagged (
    port_id INTEGER NOT NULL REFERENCES port_applied(port_id) ON DELETE CASCADE,
    vlan INTEGER NOT NULL,
    PRIMARY KEY (port_id, vlan)
) STRICT, WITHOUT ROWID;

INSERT INTO port_applied
SELECT port_id, config IS NOT NULL, json_extract(config, '$.untagged') FROM port_config;

INSERT INTO port_applied_tagged
SELECT DISTINCT port_id, value FROM port_config, json_each(config, '$.tagged')
WHERE config IS NOT NULL;

DROP TABLE port_config;

CREATE VIEW parked_port AS
SELECT port_id FROM port_applied
WHERE confirmed = 1 AND untagged IS NULL AND NOT EXISTS (
    SELECT 1 FROM port_applied_tagged WHERE port_applied_tagged.port_id = port_applied.port_id);

CREATE VIEW unparked_nic AS
SELECT id AS nic_id, node_id FROM nic
WHERE port_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM parked_port WHERE parked_port.port_id = nic.port_id);

CREATE TRIGGER allocate_only_parked_nodes BEFORE INSERT ON allocation
WHEN EXISTS (SELECT 1 FROM unparked_nic WHERE node_id = NEW.node_id)
BEGIN SELECT RAISE(ABORT, 'a port of this node is not confirmed parked'); END;

CREATE TRIGGER free_only_parked_nodes BEFORE DELETE ON allocation
WHEN EXISTS (SELECT 1 FROM unparked_nic WHERE node_id = OLD.node_id)
  OR EXISTS (
    SELECT 1 FROM connection JOIN nic ON nic.id = connection.nic_id
    WHERE nic.node_id = OLD.node_id)
BEGIN SELECT RAISE(ABORT, 'a nic of this node is not confirmed parked or still connected'); END;

CREATE TABLE headnode_seen AS SELECT * FROM headnode_applied;
DROP TABLE headnode_applied;

CREATE TABLE headnode_applied (
    headnode_id INTEGER PRIMARY KEY REFERENCES headnode(id) ON DELETE RESTRICT,
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
    running INTEGER CHECK (running IN (0, 1)),
    CHECK (confirmed = (running IS NOT NULL))
) STRICT;

CREATE TABLE headnode_applied_nic (
    headnode_id INTEGER NOT NULL REFERENCES headnode_applied(headnode_id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    mac TEXT NOT NULL,
    vlan INTEGER NOT NULL,
    PRIMARY KEY (headnode_id, name, mac, vlan)
) STRICT, WITHOUT ROWID;

INSERT INTO headnode_applied
SELECT headnode_id, seen IS NOT NULL, json_extract(seen, '$.running') FROM headnode_seen;

INSERT INTO headnode_applied_nic
SELECT DISTINCT headnode_id, json_extract(value, '$.nic'), json_extract(value, '$.mac'),
    json_extract(value, '$.vlan')
FROM headnode_seen, json_each(seen, '$.nics') WHERE seen IS NOT NULL;

DROP TABLE headnode_seen;
"""
