"""Roles of members, tokens, and the key that seals page cursors."""

from __future__ import annotations

SQL = """
ALTER TABLE member ADD COLUMN role TEXT NOT NULL DEFAULT 'member'
    CHECK (role IN ('owner', 'member', 'reader'));

CREATE TABLE token (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    label TEXT NOT NULL,
    user TEXT NOT NULL,
    project_id INTEGER REFERENCES project(id) ON DELETE CASCADE,
    readonly INTEGER NOT NULL CHECK (readonly IN (0, 1)),
    created REAL NOT NULL,
    expires REAL,
    last_used REAL,
    parent_id INTEGER REFERENCES token(id) ON DELETE CASCADE,
    UNIQUE (user, label)
) STRICT;
CREATE INDEX token_project ON token(project_id);
CREATE INDEX token_parent ON token(parent_id);

CREATE TRIGGER tokens_go_with_their_user AFTER DELETE ON user
BEGIN DELETE FROM token WHERE user = OLD.name; END;

CREATE TABLE sealing_key (key BLOB NOT NULL) STRICT;
INSERT INTO sealing_key VALUES (randomblob(32));
"""
