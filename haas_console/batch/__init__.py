"""Batch mode: commands from a file or the command line. Data goes to stdout, the rest to stderr."""
