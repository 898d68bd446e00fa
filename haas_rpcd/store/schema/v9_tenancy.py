"""Offers of networks, invitations, quotas, leases, and what a tenant may not be told."""

from __future__ import annotations

SQL = """
CREATE TABLE share_offer (
    network_id INTEGER NOT NULL REFERENCES network(id) ON DELETE CASCADE,
    project TEXT NOT NULL,
    PRIMARY KEY (network_id, project)
) STRICT, WITHOUT ROWID;
CREATE INDEX share_offer_project ON share_offer(project);

ALTER TABLE share ADD COLUMN ending INTEGER NOT NULL DEFAULT 0 CHECK (ending IN (0, 1));
ALTER TABLE network ADD COLUMN deleting INTEGER NOT NULL DEFAULT 0 CHECK (deleting IN (0, 1));

CREATE TABLE withdrawal (
    job_id INTEGER PRIMARY KEY REFERENCES job(id) ON DELETE CASCADE,
    vlan INTEGER NOT NULL
) STRICT;

CREATE TABLE invitation (
    project_id INTEGER NOT NULL REFERENCES project(id) ON DELETE CASCADE,
    user TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'member', 'reader')),
    PRIMARY KEY (project_id, user)
) STRICT, WITHOUT ROWID;

ALTER TABLE project ADD COLUMN quota_nodes INTEGER CHECK (quota_nodes >= 0);
ALTER TABLE project ADD COLUMN quota_networks INTEGER CHECK (quota_networks >= 0);
ALTER TABLE project ADD COLUMN quota_headnodes INTEGER CHECK (quota_headnodes >= 0);

CREATE TABLE lease (
    node_id INTEGER PRIMARY KEY REFERENCES allocation(node_id) ON DELETE CASCADE,
    until REAL NOT NULL,
    warned INTEGER NOT NULL DEFAULT 0 CHECK (warned IN (0, 1))
) STRICT;
CREATE INDEX lease_until ON lease(until);

CREATE TABLE awaits_hook (
    node_id INTEGER PRIMARY KEY REFERENCES allocation(node_id) ON DELETE RESTRICT
) STRICT;

CREATE TABLE hook_run (
    job_id INTEGER PRIMARY KEY REFERENCES job(id) ON DELETE CASCADE,
    node TEXT NOT NULL,
    outcome TEXT NOT NULL,
    output TEXT NOT NULL,
    started REAL NOT NULL,
    finished REAL NOT NULL
) STRICT;

ALTER TABLE job ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
UPDATE job SET place = id;
CREATE INDEX job_place ON job(place);
ALTER TABLE job ADD COLUMN tenant_error TEXT;
ALTER TABLE step ADD COLUMN tenant_message TEXT;

DROP TRIGGER connect_only_usable_networks_INSERT;
DROP TRIGGER connect_only_usable_networks_UPDATE;
DROP TRIGGER connect_headnodes_to_usable_networks_INSERT;
DROP TRIGGER connect_headnodes_to_usable_networks_UPDATE;

CREATE VIEW usable_network AS
SELECT network.id AS network_id, network.project_id FROM network WHERE deleting = 0
UNION ALL
SELECT share.network_id, share.project_id FROM share
JOIN network ON network.id = share.network_id WHERE share.ending = 0 AND network.deleting = 0;
"""

_CONNECT = """
CREATE TRIGGER connect_only_usable_networks_{event} BEFORE {event} ON connection
WHEN NOT EXISTS (
    SELECT 1 FROM nic JOIN allocation ON allocation.node_id = nic.node_id
    JOIN usable_network ON usable_network.project_id = allocation.project_id
    WHERE nic.id = NEW.nic_id AND allocation.releasing = 0
      AND usable_network.network_id = NEW.network_id)
BEGIN SELECT RAISE(ABORT, 'the holder of this node may not use this network'); END;

CREATE TRIGGER connect_headnodes_to_usable_networks_{event} BEFORE {event} ON headnode_nic
WHEN NEW.network_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM headnode JOIN usable_network ON usable_network.project_id = headnode.project_id
    WHERE headnode.id = NEW.headnode_id AND usable_network.network_id = NEW.network_id)
BEGIN SELECT RAISE(ABORT, 'this headnode''s project may not use this network'); END;
"""

SQL += "".join(_CONNECT.format(event=event) for event in ("INSERT", "UPDATE"))
