"""Switches: a session over telnet or SSH, a driver over it, and a dialect for each family."""
