"""The daemon's state, in SQLite. No other package writes SQL.

:mod:`~haas_rpcd.store.database` has the connection and the transactions,
:mod:`~haas_rpcd.store.rows` turns rows into structs, :mod:`~haas_rpcd.store.schema` has the tables.
Each other module has the queries of one noun, and the structs of their rows. These are synchronous
functions of a :class:`~haas_rpcd.store.database.Tx`, so that one transaction can call several.
"""
