"""haas-rpcd: the daemon on the HaaS master (design.md, section 6 names its rooms)."""

__version__ = "0.1.0"
