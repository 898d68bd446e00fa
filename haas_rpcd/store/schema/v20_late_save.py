"""Switches that did not answer a line that saves: an older configuration may still be saved."""

from __future__ import annotations

SQL = """
CREATE TABLE switch_may_save (
    switch_id INTEGER PRIMARY KEY REFERENCES switch(id) ON DELETE CASCADE,
    boot TEXT NOT NULL,
    seconds REAL NOT NULL
) STRICT;
"""
