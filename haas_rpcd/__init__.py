"""haas-rpcd: the daemon on the HaaS master. ARCHITECTURE.md describes its packages."""

__version__ = "0.1.0"
