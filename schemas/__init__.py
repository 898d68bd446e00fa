"""The protocol between haas-rpcd and haas-console: the only package that both programs import.

Each module holds the records of one or two nouns, as msgspec structs; ``names`` holds the types of
names and ids. Import records from their modules (``from haas_schemas.node import Node``), so that a
program loads only what it uses. The folder is called ``schemas`` and is installed as
``haas_schemas``.

The field names are part of the API. Times are strings, ISO 8601 in UTC with milliseconds. Records
are immutable. Readers ignore unknown fields, so a daemon may add a field without breaking an older
console. The most numerous records are excluded from garbage collection (``gc=False``), which saves
time and memory at 10,000 nodes; they hold only scalars and tuples, so they cannot form a cycle.

``make schemas`` generates the JSON files beside the modules: ``openrpc.json`` from the daemon's
methods, the schemas of haas.toml, the credentials file and the site file from the structs that
read them. A test fails when a file is out of date.
"""
