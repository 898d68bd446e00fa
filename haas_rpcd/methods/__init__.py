"""The API's methods, one module per noun. Importing this package declares all of them.

A method checks what the caller may do, and reads or changes the state in one transaction. It never
touches a device: the engine does, in jobs.
"""

from haas_rpcd.methods import (  # noqa: F401 - importing declares them
    apply,
    audit,
    bmc,
    cabling,
    console,
    drift,
    headnode,
    health,
    hypervisor,
    job,
    network,
    nic,
    node,
    port,
    power,
    probe,
    project,
    pulse,
    quotas,
    sharing,
    site,
    switch,
    system,
    token,
    user,
)
