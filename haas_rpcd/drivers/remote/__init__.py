"""Hypervisors other than the master: their network by iproute2, and libvirt, over one SSH
connection each. Nothing is installed on them.
"""
