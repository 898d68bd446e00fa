"""The lab: a small data centre on a real kernel, with real frames (see README.md here)."""
