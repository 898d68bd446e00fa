"""The BMCs of nodes, and the power that they last said.

``power`` is null while it is not known. ``changed``, in seconds since 1970, is when it was first
seen to differ from before.
"""

from __future__ import annotations

SQL = """
CREATE TABLE bmc (
    node_id INTEGER PRIMARY KEY REFERENCES node(id) ON DELETE CASCADE,
    protocol TEXT NOT NULL CHECK (protocol IN ('ipmi', 'redfish')),
    host TEXT NOT NULL,
    port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
    credential TEXT,
    system TEXT,
    fingerprint TEXT
) STRICT;

CREATE TABLE node_power (
    node_id INTEGER PRIMARY KEY REFERENCES node(id) ON DELETE CASCADE,
    power TEXT CHECK (power IN ('on', 'off')),
    changed REAL
) STRICT;
"""
