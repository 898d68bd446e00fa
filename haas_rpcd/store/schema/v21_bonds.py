"""Bonds: a nic may be plugged into several ports, of which a switch may make one channel.

``port.nic_id`` takes the place of ``nic.port_id``, which is null from here on: SQLite cannot drop a
column that is unique. ``leg`` orders the ports of a nic. ``channel`` is the number of a channel,
which is a port as well; null: a port of the hardware. ``channel_id`` is the channel that a port is
made a member of, and ``port_applied.member`` how it was confirmed to be bundled there.
"""

from __future__ import annotations

SQL = """
ALTER TABLE nic ADD COLUMN bond TEXT CHECK (bond IN ('lacp', 'static', 'active-backup'));
ALTER TABLE port ADD COLUMN nic_id INTEGER REFERENCES nic(id) ON DELETE SET NULL;
ALTER TABLE port ADD COLUMN leg INTEGER NOT NULL DEFAULT 0;
ALTER TABLE port ADD COLUMN channel INTEGER CHECK (channel >= 0);
ALTER TABLE port ADD COLUMN channel_mode TEXT CHECK (
    channel_mode IN ('lacp', 'static') AND (channel_mode IS NULL) = (channel IS NULL));
ALTER TABLE port ADD COLUMN channel_id INTEGER REFERENCES port(id) ON DELETE SET NULL;
ALTER TABLE port_applied ADD COLUMN member TEXT CHECK (member IN ('lacp', 'static'));
CREATE INDEX port_nic ON port(nic_id);
CREATE INDEX port_channel_id ON port(channel_id);
CREATE UNIQUE INDEX one_channel_of_a_number ON port(switch_id, channel) WHERE channel IS NOT NULL;

UPDATE port SET nic_id = (SELECT id FROM nic WHERE nic.port_id = port.id);

DROP TRIGGER held_nodes_keep_their_ports;
UPDATE nic SET port_id = NULL;

CREATE TRIGGER held_nodes_keep_their_nics BEFORE UPDATE OF node_id, bond ON nic
WHEN (NEW.bond IS NOT OLD.bond OR NEW.node_id <> OLD.node_id)
  AND EXISTS (SELECT 1 FROM allocation WHERE node_id IN (OLD.node_id, NEW.node_id))
BEGIN SELECT RAISE(ABORT, 'the nics of a node that is held are fixed'); END;

CREATE TRIGGER held_nodes_keep_their_ports BEFORE UPDATE OF nic_id ON port
WHEN NEW.nic_id IS NOT OLD.nic_id AND EXISTS (
    SELECT 1 FROM nic JOIN allocation ON allocation.node_id = nic.node_id
    WHERE nic.id IN (OLD.nic_id, NEW.nic_id))
BEGIN SELECT RAISE(ABORT, 'the nics of a node that is held are fixed'); END;

DROP TRIGGER allocate_only_nodes_that_stayed_parked;

CREATE TRIGGER allocate_only_nodes_that_stayed_parked BEFORE INSERT ON allocation
WHEN EXISTS (
    SELECT 1 FROM nic JOIN port ON port.nic_id = nic.id JOIN switch ON switch.id = port.switch_id
    JOIN drift ON drift.device = switch.name AND drift.target = port.name
    WHERE nic.node_id = NEW.node_id)
BEGIN SELECT RAISE(ABORT, 'a port of this node did not stay parked'); END;

CREATE TRIGGER held_nodes_get_no_ports BEFORE INSERT ON port
WHEN NEW.nic_id IS NOT NULL AND EXISTS (
    SELECT 1 FROM nic JOIN allocation ON allocation.node_id = nic.node_id
    WHERE nic.id = NEW.nic_id)
BEGIN SELECT RAISE(ABORT, 'the nics of a node that is held are fixed'); END;

CREATE TRIGGER ports_behind_nics_stay BEFORE DELETE ON port WHEN OLD.nic_id IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a nic is behind this port'); END;

CREATE TRIGGER channels_outlive_their_members BEFORE DELETE ON port
WHEN OLD.channel IS NOT NULL AND EXISTS (
    SELECT 1 FROM port JOIN port_applied ON port_applied.port_id = port.id
    WHERE port.channel_id = OLD.id AND port_applied.member IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'this channel has members'); END;

CREATE TRIGGER nics_use_their_own_column BEFORE UPDATE OF port_id ON nic
WHEN NEW.port_id IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a port names its nic, not the nic its port'); END;

DROP VIEW parked_port;

CREATE VIEW parked_port AS
SELECT port_id FROM port_applied
WHERE confirmed = 1 AND saved = 1 AND untagged IS NULL AND member IS NULL AND NOT EXISTS (
    SELECT 1 FROM port_applied_tagged WHERE port_applied_tagged.port_id = port_applied.port_id)
AND NOT EXISTS (
    SELECT 1 FROM port_may_change WHERE port_may_change.port_id = port_applied.port_id)
AND (NOT EXISTS (SELECT 1 FROM switch WHERE stranger IS NOT NULL OR retired IS NOT NULL)
OR NOT EXISTS (
    SELECT 1 FROM switch WHERE (stranger IS NOT NULL OR retired IS NOT NULL)
    AND id = (SELECT switch_id FROM port WHERE port.id = port_applied.port_id)));

DROP VIEW awaited_nic;
DROP VIEW unparked_nic;

CREATE VIEW unparked_nic AS
SELECT nic.id AS nic_id, nic.node_id, port.switch_id FROM nic JOIN port ON port.nic_id = nic.id
WHERE NOT EXISTS (SELECT 1 FROM parked_port WHERE parked_port.port_id = port.id);

CREATE VIEW awaited_nic AS
SELECT nic_id, node_id FROM unparked_nic
WHERE NOT EXISTS (
    SELECT 1 FROM switch WHERE switch.id = unparked_nic.switch_id AND retired IS NOT NULL);
"""
