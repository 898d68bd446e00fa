"""Switches: a telnet session, a driver over it, and one dialect for each family."""
