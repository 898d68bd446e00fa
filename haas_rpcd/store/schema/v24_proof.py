"""Proofs of nodes' cabling, and the one that is under way on a node.

While its cabling is being proved a node is nobody's: no project may be given it, and its nics are
fixed. ``vlan`` is the proof's alone, and ``open_port_id`` the only port that may carry it now. Both
are given back when the job ends; the VLAN id is free once every switch confirmed that it is gone.

``proof`` has the result of a node's last one, ``nics`` the evidence as JSON. It is void as soon as
a nic is registered otherwise.
"""

SQL = """
CREATE TABLE proof_job (
    job_id INTEGER PRIMARY KEY REFERENCES job(id) ON DELETE CASCADE,
    node TEXT NOT NULL,
    parks_only INTEGER NOT NULL DEFAULT 0 CHECK (parks_only IN (0, 1))
) STRICT;

CREATE TABLE proving (
    node_id INTEGER PRIMARY KEY REFERENCES node(id) ON DELETE RESTRICT,
    job_id INTEGER NOT NULL UNIQUE REFERENCES job(id) ON DELETE RESTRICT,
    vlan INTEGER NOT NULL UNIQUE REFERENCES vlan_claim(vlan) ON DELETE RESTRICT,
    open_port_id INTEGER REFERENCES port(id) ON DELETE RESTRICT
) STRICT;

CREATE TABLE proof (
    node_id INTEGER PRIMARY KEY REFERENCES node(id) ON DELETE CASCADE,
    job_id INTEGER NOT NULL,
    user TEXT NOT NULL,
    time REAL NOT NULL,
    proven INTEGER NOT NULL CHECK (proven IN (0, 1)),
    void INTEGER NOT NULL DEFAULT 0 CHECK (void IN (0, 1)),
    why TEXT,
    nics TEXT NOT NULL,
    notes TEXT NOT NULL
) STRICT;

CREATE VIEW proven_node AS
SELECT node_id FROM proof WHERE proven = 1 AND void = 0 AND NOT EXISTS (
    SELECT 1 FROM nic_cabling JOIN nic ON nic.id = nic_cabling.nic_id
    WHERE nic.node_id = proof.node_id AND nic_cabling.state = 'swapped');

CREATE TRIGGER allocate_no_node_under_proof BEFORE INSERT ON allocation
WHEN EXISTS (SELECT 1 FROM proving WHERE node_id = NEW.node_id)
BEGIN SELECT RAISE(ABORT, 'the cabling of this node is being proved'); END;

CREATE TRIGGER prove_only_free_nodes BEFORE INSERT ON proving
WHEN EXISTS (SELECT 1 FROM allocation WHERE node_id = NEW.node_id)
  OR EXISTS (SELECT 1 FROM vlan_claim WHERE vlan = NEW.vlan AND network_id IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'only a free node is proved, on a VLAN of nobody'); END;

CREATE TRIGGER open_only_ports_of_the_node BEFORE UPDATE OF open_port_id ON proving
WHEN NEW.open_port_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM nic JOIN port ON port.nic_id = nic.id WHERE nic.node_id = NEW.node_id
    AND port.id = NEW.open_port_id AND nic.kind = 'data')
BEGIN SELECT RAISE(ABORT, 'a proof opens only data ports of its node'); END;

CREATE TRIGGER give_back_what_a_proof_took AFTER UPDATE OF state ON job
WHEN NEW.state IN ('succeeded', 'failed', 'cancelled')
BEGIN DELETE FROM proving WHERE job_id = NEW.id; END;
"""

_FIXED = """
CREATE TRIGGER nics_are_fixed_under_proof_{event} BEFORE {event} ON nic
WHEN EXISTS (SELECT 1 FROM proving WHERE node_id = {row}.node_id)
BEGIN SELECT RAISE(ABORT, 'the cabling of this node is being proved'); END;

CREATE TRIGGER void_proof_{event} AFTER {event} ON nic
BEGIN UPDATE proof SET void = 1 WHERE node_id = {row}.node_id; END;
"""
SQL += """
CREATE TRIGGER ports_are_fixed_under_proof BEFORE UPDATE OF nic_id ON port
WHEN NEW.nic_id IS NOT OLD.nic_id AND EXISTS (
    SELECT 1 FROM nic JOIN proving ON proving.node_id = nic.node_id
    WHERE nic.id IN (OLD.nic_id, NEW.nic_id))
BEGIN SELECT RAISE(ABORT, 'the cabling of this node is being proved'); END;

CREATE TRIGGER void_proof_of_another_port AFTER UPDATE OF nic_id ON port
WHEN NEW.nic_id IS NOT OLD.nic_id
BEGIN UPDATE proof SET void = 1
    WHERE node_id IN (SELECT node_id FROM nic WHERE id IN (OLD.nic_id, NEW.nic_id)); END;
"""
SQL += "".join(
    _FIXED.format(event=event, row=row)
    for event, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
)
