"""The client of HaaS: one core, and on it a batch mode and a full-screen console.

It knows the daemon by its protocol alone (JSON-RPC 2.0 and the OpenRPC document) and shares no
code with it.
"""

__version__ = "0.1.0"
