"""What switches say of themselves, so that one is not registered twice, nor taken for another."""

SQL = """
ALTER TABLE switch ADD COLUMN identity TEXT;
ALTER TABLE switch ADD COLUMN stranger TEXT;

DROP VIEW parked_port;

CREATE VIEW parked_port AS
SELECT port_id FROM port_applied
WHERE confirmed = 1 AND saved = 1 AND untagged IS NULL AND NOT EXISTS (
    SELECT 1 FROM port_applied_tagged WHERE port_applied_tagged.port_id = port_applied.port_id)
AND NOT EXISTS (
    SELECT 1 FROM port_may_change WHERE port_may_change.port_id = port_applied.port_id)
AND (NOT EXISTS (SELECT 1 FROM switch WHERE stranger IS NOT NULL) OR NOT EXISTS (
    SELECT 1 FROM switch WHERE stranger IS NOT NULL
    AND id = (SELECT switch_id FROM port WHERE port.id = port_applied.port_id)));
"""
