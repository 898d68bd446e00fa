"""Batch mode: commands from a file or the command line. stdout is data, stderr is talk."""
