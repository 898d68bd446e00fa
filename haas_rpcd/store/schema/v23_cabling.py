"""Where nics were seen, which ports switches share a cable with, and what nobody registered.

``sighting`` has where a nic was last seen, with the MAC address that it was seen by; ``port`` is
the registered name, or the switch's own. ``nic_cabling`` is the verdict of the last check. Times
are in seconds since the epoch. A nic that is registered otherwise is judged anew.
"""

SQL = """
CREATE TABLE sighting (
    nic_id INTEGER PRIMARY KEY REFERENCES nic(id) ON DELETE CASCADE,
    mac TEXT NOT NULL,
    switch_id INTEGER NOT NULL REFERENCES switch(id) ON DELETE CASCADE,
    port TEXT NOT NULL,
    vlan INTEGER,
    how TEXT NOT NULL CHECK (how IN ('lldp', 'mac table')),
    time REAL NOT NULL
) STRICT;
CREATE INDEX sighting_switch ON sighting(switch_id);

CREATE TABLE nic_cabling (
    nic_id INTEGER PRIMARY KEY REFERENCES nic(id) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('right', 'swapped', 'unknown', 'not_seen')),
    why TEXT NOT NULL,
    checked REAL NOT NULL
) STRICT;
CREATE INDEX nic_swapped ON nic_cabling(state) WHERE state = 'swapped';

CREATE TABLE stranger (
    switch_id INTEGER NOT NULL REFERENCES switch(id) ON DELETE CASCADE,
    port TEXT NOT NULL,
    macs TEXT NOT NULL,
    neighbour TEXT,
    time REAL NOT NULL,
    PRIMARY KEY (switch_id, port)
) STRICT, WITHOUT ROWID;

CREATE TABLE switch_link (
    switch_id INTEGER NOT NULL REFERENCES switch(id) ON DELETE CASCADE,
    port TEXT NOT NULL,
    peer_id INTEGER NOT NULL REFERENCES switch(id) ON DELETE CASCADE,
    peer_port TEXT NOT NULL,
    time REAL NOT NULL,
    PRIMARY KEY (switch_id, port)
) STRICT, WITHOUT ROWID;
CREATE INDEX switch_link_peer ON switch_link(peer_id);

ALTER TABLE switch ADD COLUMN cabling_checked REAL;

CREATE TRIGGER judge_cabling_of_another_mac_anew AFTER UPDATE OF mac ON nic
WHEN OLD.mac IS NOT NEW.mac
BEGIN DELETE FROM nic_cabling WHERE nic_id = NEW.id; END;

CREATE TRIGGER judge_cabling_of_another_port_anew AFTER UPDATE OF nic_id ON port
WHEN OLD.nic_id IS NOT NEW.nic_id
BEGIN DELETE FROM nic_cabling WHERE nic_id IN (OLD.nic_id, NEW.nic_id); END;
"""
