"""Hashes of the base images' files, and headnodes that were left on hypervisors out of service.

``image_hash`` spares reading gigabytes again: ``content`` is the hash of a file that has this size
and this time of its last change. ``left_behind`` has the headnodes that were moved away from a
hypervisor that could not be asked: their machines are removed when it comes back.
"""

SQL = """
CREATE TABLE image_hash (
    hypervisor TEXT NOT NULL,
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (hypervisor, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE left_behind (
    hypervisor TEXT NOT NULL REFERENCES hypervisor(name) ON DELETE CASCADE,
    uuid TEXT NOT NULL,
    label TEXT NOT NULL,
    PRIMARY KEY (hypervisor, uuid)
) STRICT, WITHOUT ROWID;
"""
