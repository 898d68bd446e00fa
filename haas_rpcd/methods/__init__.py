"""The API's methods, one module a noun. Importing this package declares all of them.

A method decides whether the caller may, and changes or reads the state in one transaction. It never
touches a device: what takes long is a job of the engine.
"""

from haas_rpcd.methods import (  # noqa: F401 - importing declares
    apply,
    audit,
    drift,
    headnode,
    network,
    nic,
    node,
    port,
    project,
    site,
    switch,
    system,
    user,
)
