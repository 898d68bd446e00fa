"""The daemon's log."""

from haas_rpcd.logs.lines import about, configure, new_request

__all__ = ["about", "configure", "new_request"]
