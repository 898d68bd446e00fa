"""More hypervisors than the master, and where each headnode, bridge and boot is.

The master has no row of its own: haas.toml says what it is.
"""

from __future__ import annotations

SQL = """
CREATE TABLE hypervisor (
    name TEXT PRIMARY KEY CHECK (name NOT IN ('master', 'libvirt')),
    uri TEXT NOT NULL,
    trunk_nic TEXT NOT NULL,
    ssh TEXT,
    credential TEXT,
    retired REAL
) STRICT, WITHOUT ROWID;

ALTER TABLE headnode ADD COLUMN hypervisor TEXT NOT NULL DEFAULT 'master';
CREATE INDEX headnode_hypervisor ON headnode(hypervisor);

ALTER TABLE last_boot ADD COLUMN hypervisor TEXT NOT NULL DEFAULT 'master';

CREATE TABLE bridge_of_master AS SELECT * FROM bridge;
DROP TABLE bridge;

CREATE TABLE bridge (
    hypervisor TEXT NOT NULL,
    vlan INTEGER NOT NULL REFERENCES vlan_claim(vlan) ON DELETE RESTRICT,
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
    PRIMARY KEY (hypervisor, vlan)
) STRICT, WITHOUT ROWID;
CREATE INDEX bridge_vlan ON bridge(vlan);

INSERT INTO bridge SELECT 'master', vlan, confirmed FROM bridge_of_master;
DROP TABLE bridge_of_master;

CREATE TRIGGER hypervisor_is_no_switch BEFORE INSERT ON hypervisor
WHEN EXISTS (SELECT 1 FROM switch WHERE name = NEW.name)
BEGIN SELECT RAISE(ABORT, 'a switch has this name'); END;

CREATE TRIGGER switch_is_no_hypervisor BEFORE INSERT ON switch
WHEN EXISTS (SELECT 1 FROM hypervisor WHERE name = NEW.name)
BEGIN SELECT RAISE(ABORT, 'a hypervisor has this name'); END;

CREATE TRIGGER hypervisor_in_use_stays BEFORE DELETE ON hypervisor
WHEN EXISTS (SELECT 1 FROM headnode WHERE hypervisor = OLD.name)
  OR EXISTS (SELECT 1 FROM bridge WHERE hypervisor = OLD.name)
BEGIN SELECT RAISE(ABORT, 'this hypervisor is in use'); END;
"""

_PLACED = """
CREATE TRIGGER headnode_is_on_a_hypervisor_{event} BEFORE {event} ON headnode
WHEN NEW.hypervisor <> 'master'
  AND NOT EXISTS (SELECT 1 FROM hypervisor WHERE name = NEW.hypervisor)
BEGIN SELECT RAISE(ABORT, 'there is no such hypervisor'); END;
"""

SQL += "".join(_PLACED.format(event=event) for event in ("INSERT", "UPDATE"))
