"""The client of HaaS: a batch mode and a full-screen console on a common core.

It talks to the daemon by JSON-RPC 2.0, and shares only the wire records (``haas_schemas``) with it.
"""

__version__ = "0.1.0"
