"""Who staged what is on a nic, and what its switch said when it confirmed that.

``said`` has the switch's own lines, one after another. Ids of projects and jobs are kept as they
were: they tell a reader, within its rights, what happened, and nothing depends on them.
"""

SQL = """
CREATE TABLE nic_staged (
    nic_id INTEGER PRIMARY KEY REFERENCES nic(id) ON DELETE CASCADE,
    user TEXT NOT NULL,
    time REAL NOT NULL,
    project_id INTEGER NOT NULL
) STRICT;
CREATE TABLE port_evidence (
    port_id INTEGER PRIMARY KEY REFERENCES port(id) ON DELETE CASCADE,
    time REAL NOT NULL,
    said TEXT NOT NULL,
    job_id INTEGER,
    applied_by TEXT,
    project_id INTEGER,
    staged_by TEXT,
    staged_at REAL,
    staged_project_id INTEGER
) STRICT;
"""
