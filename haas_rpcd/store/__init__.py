"""The state, in SQLite: the only room that writes SQL.

:mod:`~haas_rpcd.store.database` owns the connection and its thread, :mod:`~haas_rpcd.store.schema`
the tables; the other modules are the queries of one noun each. They are synchronous functions of a
:class:`~haas_rpcd.store.database.Tx`, so several of them make one transaction.
"""
