"""What switches were told and said in a job."""

SQL = """
CREATE TABLE transcript (
    id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES job(id) ON DELETE CASCADE,
    device TEXT NOT NULL,
    time REAL NOT NULL,
    text BLOB NOT NULL
) STRICT;
CREATE INDEX transcript_job ON transcript(job_id);
"""
