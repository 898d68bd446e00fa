"""Headnodes on the master's hypervisor."""
