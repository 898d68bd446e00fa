"""The protocol between haas-rpcd and haas-console, and the shapes of the files they read.

``openrpc.json`` is generated from the daemon's methods, ``config.schema.json`` and
``site.schema.json`` from its settings and site file: ``make schemas``. Tests fail when they differ.
"""
