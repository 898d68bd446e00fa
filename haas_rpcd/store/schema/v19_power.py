"""What is staged for the power of nodes. A node that is being released is free only without it."""

from __future__ import annotations

SQL = """
CREATE TABLE power_staged (
    node_id INTEGER PRIMARY KEY REFERENCES node(id) ON DELETE CASCADE,
    power TEXT NOT NULL CHECK (power IN ('on', 'off')),
    boot TEXT CHECK (boot IN ('disk', 'pxe'))
) STRICT;
"""
