"""Whether switches answer, and when they last did."""

SQL = """
ALTER TABLE switch ADD COLUMN reachable INTEGER;
ALTER TABLE switch ADD COLUMN last_contact REAL;
"""
