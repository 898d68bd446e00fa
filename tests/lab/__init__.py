"""The lab: the design's picture on a real kernel, with real frames (see README.md here)."""
