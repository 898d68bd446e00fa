"""What was observed of a port that drifted: whether it is open, and what is not understood."""

SQL = """
ALTER TABLE drift ADD COLUMN open INTEGER CHECK (open IN (0, 1));
ALTER TABLE drift ADD COLUMN not_understood TEXT;
"""
