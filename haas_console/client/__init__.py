"""The Python client of HaaS: the daemon's API, for programs.

Asynchronous::

    from haas_console.client import AsyncClient, Node

    async with await AsyncClient.connect() as haas:
        async for node in haas.list(Node, "node.list", free=True):
            print(node.node)

and without asyncio, from any thread::

    from haas_console.client import Client, RpcError

    with Client() as haas:
        try:
            haas.call("network.create", project="red", network="net")
        except RpcError as error:
            if error.kind != "conflict":
                raise
        job = haas.apply("red")

The names of methods, their params and their results are those of the API: ``haas-console help NOUN
VERB`` shows them, as does ``schemas/openrpc.json``. Records such as :class:`Node` are structs with
typed fields. Fields that a newer daemon adds are ignored.

Every error is a :class:`HaasError`, whose text is a sentence that says what to do. What the daemon
refuses is an :class:`RpcError` with a ``kind``, such as ``not_found``, ``conflict`` or ``denied``.

What this package exports is public; the rest of ``haas_console`` is not.
"""

from haas_console.client.asynchronous import AsyncClient
from haas_console.client.plain import Client
from haas_console.core.errors import (
    ConfigError,
    DeniedError,
    JobFailedError,
    LostDaemonError,
    NoDaemonError,
    RpcError,
)
from haas_console.core.errors import ConsoleError as HaasError
from haas_schemas.drift import DriftItem
from haas_schemas.event import InventoryEvent, JobEvent
from haas_schemas.headnode import Headnode
from haas_schemas.job import Job, JobStep, Plan, PlanStep
from haas_schemas.network import Network, NetworkDetail
from haas_schemas.node import Nic, NicNetwork, Node
from haas_schemas.project import Project
from haas_schemas.switch import Port, Switch
from haas_schemas.system import SystemInfo

__all__ = [
    "AsyncClient",
    "Client",
    "ConfigError",
    "DeniedError",
    "DriftItem",
    "HaasError",
    "Headnode",
    "InventoryEvent",
    "Job",
    "JobEvent",
    "JobFailedError",
    "JobStep",
    "LostDaemonError",
    "Network",
    "NetworkDetail",
    "Nic",
    "NicNetwork",
    "NoDaemonError",
    "Node",
    "Plan",
    "PlanStep",
    "Port",
    "Project",
    "RpcError",
    "Switch",
    "SystemInfo",
]
