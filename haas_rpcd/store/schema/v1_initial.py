"""The first tables and the triggers on them. Released: this SQL does not change any more."""

from __future__ import annotations

SQL = """
CREATE TABLE project (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE user (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    admin INTEGER NOT NULL DEFAULT 0 CHECK (admin IN (0, 1))
) STRICT;

CREATE TABLE member (
    project_id INTEGER NOT NULL REFERENCES project(id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES user(id) ON DELETE CASCADE,
    PRIMARY KEY (project_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_user ON member(user_id);

CREATE TABLE switch (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE CHECK (name NOT IN ('master', 'libvirt')),
    dialect TEXT NOT NULL,
    host TEXT NOT NULL,
    port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
    transport TEXT NOT NULL,
    credential TEXT,
    options TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE UNIQUE INDEX one_switch_at_an_address ON switch(lower(host), port);

CREATE TABLE unsaved (
    switch_id INTEGER NOT NULL REFERENCES switch(id) ON DELETE CASCADE,
    project_id INTEGER NOT NULL,
    PRIMARY KEY (switch_id, project_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE port (
    id INTEGER PRIMARY KEY,
    switch_id INTEGER NOT NULL REFERENCES switch(id) ON DELETE RESTRICT,
    name TEXT NOT NULL,
    canonical TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('access', 'trunk')),
    UNIQUE (switch_id, name),
    UNIQUE (switch_id, canonical)
) STRICT;

CREATE TABLE node (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE node_tag (
    node_id INTEGER NOT NULL REFERENCES node(id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (node_id, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX node_tag_tag ON node_tag(tag);

CREATE TABLE nic (
    id INTEGER PRIMARY KEY,
    node_id INTEGER NOT NULL REFERENCES node(id) ON DELETE RESTRICT,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('data', 'bmc')),
    mac TEXT UNIQUE,
    port_id INTEGER UNIQUE REFERENCES port(id) ON DELETE RESTRICT,
    UNIQUE (node_id, name)
) STRICT;

CREATE TABLE allocation (
    node_id INTEGER PRIMARY KEY REFERENCES node(id) ON DELETE RESTRICT,
    project_id INTEGER NOT NULL REFERENCES project(id) ON DELETE RESTRICT,
    releasing INTEGER NOT NULL DEFAULT 0 CHECK (releasing IN (0, 1))
) STRICT;
CREATE INDEX allocation_project ON allocation(project_id);

CREATE TABLE network (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES project(id) ON DELETE RESTRICT,
    name TEXT NOT NULL,
    UNIQUE (project_id, name)
) STRICT;

CREATE TABLE vlan_claim (
    vlan INTEGER PRIMARY KEY CHECK (vlan BETWEEN 2 AND 4094),
    network_id INTEGER UNIQUE REFERENCES network(id) ON DELETE SET NULL,
    project_id INTEGER REFERENCES project(id) ON DELETE SET NULL,
    label TEXT NOT NULL
) STRICT;
CREATE INDEX vlan_claim_project ON vlan_claim(project_id);

CREATE TABLE share (
    network_id INTEGER NOT NULL REFERENCES network(id) ON DELETE CASCADE,
    project_id INTEGER NOT NULL REFERENCES project(id) ON DELETE CASCADE,
    PRIMARY KEY (network_id, project_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX share_project ON share(project_id);

CREATE TABLE connection (
    nic_id INTEGER NOT NULL REFERENCES nic(id) ON DELETE RESTRICT,
    network_id INTEGER NOT NULL REFERENCES network(id) ON DELETE RESTRICT,
    tagged INTEGER NOT NULL CHECK (tagged IN (0, 1)),
    PRIMARY KEY (nic_id, network_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_untagged_network ON connection(nic_id) WHERE tagged = 0;
CREATE INDEX connection_network ON connection(network_id);

CREATE TABLE headnode (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES project(id) ON DELETE RESTRICT,
    name TEXT NOT NULL,
    uuid TEXT NOT NULL UNIQUE,
    image TEXT NOT NULL,
    running INTEGER NOT NULL DEFAULT 1 CHECK (running IN (0, 1)),
    deleting INTEGER NOT NULL DEFAULT 0 CHECK (deleting IN (0, 1)),
    UNIQUE (project_id, name)
) STRICT;

CREATE TABLE headnode_nic (
    id INTEGER PRIMARY KEY,
    headnode_id INTEGER NOT NULL REFERENCES headnode(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    mac TEXT NOT NULL UNIQUE,
    network_id INTEGER REFERENCES network(id) ON DELETE RESTRICT,
    UNIQUE (headnode_id, name)
) STRICT;
CREATE INDEX headnode_nic_network ON headnode_nic(network_id);

CREATE TABLE port_applied (
    port_id INTEGER PRIMARY KEY REFERENCES port(id) ON DELETE CASCADE,
    config TEXT
) STRICT;

CREATE TABLE port_carries (
    port_id INTEGER NOT NULL REFERENCES port(id) ON DELETE CASCADE,
    vlan INTEGER NOT NULL,
    PRIMARY KEY (port_id, vlan)
) STRICT, WITHOUT ROWID;
CREATE INDEX port_carries_vlan ON port_carries(vlan);

CREATE TABLE switch_vlan (
    switch_id INTEGER NOT NULL REFERENCES switch(id) ON DELETE RESTRICT,
    vlan INTEGER NOT NULL REFERENCES vlan_claim(vlan) ON DELETE RESTRICT,
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
    PRIMARY KEY (switch_id, vlan)
) STRICT, WITHOUT ROWID;
CREATE INDEX switch_vlan_vlan ON switch_vlan(vlan);

CREATE TABLE bridge (
    vlan INTEGER PRIMARY KEY REFERENCES vlan_claim(vlan) ON DELETE RESTRICT,
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1))
) STRICT;

CREATE TABLE headnode_applied (
    headnode_id INTEGER PRIMARY KEY REFERENCES headnode(id) ON DELETE RESTRICT,
    seen TEXT
) STRICT;

CREATE TABLE headnode_carries (
    headnode_id INTEGER NOT NULL REFERENCES headnode(id) ON DELETE RESTRICT,
    vlan INTEGER NOT NULL,
    PRIMARY KEY (headnode_id, vlan)
) STRICT, WITHOUT ROWID;
CREATE INDEX headnode_carries_vlan ON headnode_carries(vlan);

CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('apply', 'release', 'site')),
    project_id INTEGER REFERENCES project(id) ON DELETE SET NULL,
    project TEXT,
    node_id INTEGER REFERENCES node(id) ON DELETE SET NULL,
    user TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    cancelling INTEGER NOT NULL DEFAULT 0 CHECK (cancelling IN (0, 1)),
    digest TEXT,
    error TEXT,
    created REAL NOT NULL,
    started REAL,
    finished REAL
) STRICT;
CREATE INDEX job_state ON job(state);
CREATE INDEX job_project ON job(project_id);

CREATE TABLE step (
    job_id INTEGER NOT NULL REFERENCES job(id) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    phase INTEGER NOT NULL,
    device TEXT NOT NULL,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    summary TEXT NOT NULL,
    change TEXT NOT NULL,
    lines TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN
        ('pending', 'sending', 'sent', 'done', 'failed', 'skipped', 'cancelled', 'interrupted')),
    message TEXT,
    started REAL,
    finished REAL,
    PRIMARY KEY (job_id, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time REAL NOT NULL,
    user TEXT NOT NULL,
    method TEXT NOT NULL,
    project TEXT,
    project_id INTEGER REFERENCES project(id) ON DELETE SET NULL,
    params TEXT NOT NULL,
    outcome TEXT NOT NULL,
    message TEXT
) STRICT;
CREATE INDEX audit_project ON audit(project);
CREATE INDEX audit_project_id ON audit(project_id);

CREATE TRIGGER allocate_only_parked_nodes BEFORE INSERT ON allocation
WHEN EXISTS (
    SELECT 1 FROM nic LEFT JOIN port_applied ON port_applied.port_id = nic.port_id
    WHERE nic.node_id = NEW.node_id AND nic.port_id IS NOT NULL
      AND port_applied.config IS NOT '{"untagged":null,"tagged":[]}')
BEGIN SELECT RAISE(ABORT, 'a port of this node is not confirmed parked'); END;

CREATE TRIGGER an_allocation_stays_as_it_is BEFORE UPDATE OF node_id, project_id ON allocation
WHEN NEW.project_id <> OLD.project_id OR NEW.node_id <> OLD.node_id
BEGIN SELECT RAISE(ABORT, 'a node changes hands by release and allocate only'); END;

CREATE TRIGGER free_only_parked_nodes BEFORE DELETE ON allocation
WHEN EXISTS (
    SELECT 1 FROM nic LEFT JOIN port_applied ON port_applied.port_id = nic.port_id
    LEFT JOIN connection ON connection.nic_id = nic.id
    WHERE nic.node_id = OLD.node_id AND (connection.nic_id IS NOT NULL OR (
      nic.port_id IS NOT NULL AND port_applied.config IS NOT '{"untagged":null,"tagged":[]}')))
BEGIN SELECT RAISE(ABORT, 'a nic of this node is not confirmed parked or still connected'); END;

CREATE TRIGGER held_nodes_get_no_nics BEFORE INSERT ON nic
WHEN EXISTS (SELECT 1 FROM allocation WHERE node_id = NEW.node_id)
BEGIN SELECT RAISE(ABORT, 'the nics of a node that is held are fixed'); END;

CREATE TRIGGER held_nodes_keep_their_ports BEFORE UPDATE OF node_id, port_id ON nic
WHEN (NEW.port_id IS NOT OLD.port_id OR NEW.node_id <> OLD.node_id)
  AND EXISTS (SELECT 1 FROM allocation WHERE node_id IN (OLD.node_id, NEW.node_id))
BEGIN SELECT RAISE(ABORT, 'the nics of a node that is held are fixed'); END;

CREATE TRIGGER networks_stay_with_their_project BEFORE UPDATE OF project_id ON network
WHEN NEW.project_id <> OLD.project_id
BEGIN SELECT RAISE(ABORT, 'a network stays with its project'); END;

CREATE TRIGGER used_shares_last BEFORE DELETE ON share
WHEN EXISTS (
    SELECT 1 FROM connection JOIN nic ON nic.id = connection.nic_id
    JOIN allocation ON allocation.node_id = nic.node_id
    WHERE connection.network_id = OLD.network_id AND allocation.project_id = OLD.project_id)
  OR EXISTS (
    SELECT 1 FROM headnode_nic JOIN headnode ON headnode.id = headnode_nic.headnode_id
    WHERE headnode_nic.network_id = OLD.network_id AND headnode.project_id = OLD.project_id)
BEGIN SELECT RAISE(ABORT, 'the other project still uses this network'); END;
"""

_CONNECT = """
CREATE TRIGGER connect_only_usable_networks_{event} BEFORE {event} ON connection
WHEN NOT EXISTS (
    SELECT 1 FROM nic JOIN allocation ON allocation.node_id = nic.node_id
    JOIN network ON network.id = NEW.network_id
    LEFT JOIN share ON share.network_id = network.id AND share.project_id = allocation.project_id
    WHERE nic.id = NEW.nic_id AND allocation.releasing = 0
      AND (network.project_id = allocation.project_id OR share.project_id IS NOT NULL))
BEGIN SELECT RAISE(ABORT, 'the holder of this node may not use this network'); END;

CREATE TRIGGER connect_headnodes_to_usable_networks_{event} BEFORE {event} ON headnode_nic
WHEN NEW.network_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM headnode JOIN network ON network.id = NEW.network_id
    LEFT JOIN share ON share.network_id = network.id AND share.project_id = headnode.project_id
    WHERE headnode.id = NEW.headnode_id
      AND (network.project_id = headnode.project_id OR share.project_id IS NOT NULL))
BEGIN SELECT RAISE(ABORT, 'this headnode''s project may not use this network'); END;
"""

SQL += "".join(_CONNECT.format(event=event) for event in ("INSERT", "UPDATE"))
