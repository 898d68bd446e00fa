"""Switches that an admin took out of service: nothing on them is believed, and nobody waits."""

SQL = """
ALTER TABLE switch ADD COLUMN retired REAL;

DROP VIEW parked_port;

CREATE VIEW parked_port AS
SELECT port_id FROM port_applied
WHERE confirmed = 1 AND saved = 1 AND untagged IS NULL AND NOT EXISTS (
    SELECT 1 FROM port_applied_tagged WHERE port_applied_tagged.port_id = port_applied.port_id)
AND NOT EXISTS (
    SELECT 1 FROM port_may_change WHERE port_may_change.port_id = port_applied.port_id)
AND (NOT EXISTS (SELECT 1 FROM switch WHERE stranger IS NOT NULL OR retired IS NOT NULL)
OR NOT EXISTS (
    SELECT 1 FROM switch WHERE (stranger IS NOT NULL OR retired IS NOT NULL)
    AND id = (SELECT switch_id FROM port WHERE port.id = port_applied.port_id)));

CREATE VIEW awaited_nic AS
SELECT nic_id, node_id FROM unparked_nic
WHERE NOT EXISTS (SELECT 1 FROM switch WHERE retired IS NOT NULL) OR nic_id NOT IN (
    SELECT nic.id FROM nic JOIN port ON port.id = nic.port_id
    JOIN switch ON switch.id = port.switch_id WHERE switch.retired IS NOT NULL);

DROP TRIGGER free_only_parked_nodes;

CREATE TRIGGER free_only_parked_nodes BEFORE DELETE ON allocation
WHEN EXISTS (SELECT 1 FROM awaited_nic WHERE node_id = OLD.node_id)
  OR EXISTS (
    SELECT 1 FROM connection JOIN nic ON nic.id = connection.nic_id
    WHERE nic.node_id = OLD.node_id)
BEGIN SELECT RAISE(ABORT, 'a nic of this node is not confirmed parked or still connected'); END;
"""
