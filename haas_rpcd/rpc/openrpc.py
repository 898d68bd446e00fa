"""The OpenRPC document, generated from the declared methods; ``rpc.discover`` returns it.

The console derives its commands from it, so declaring a method also adds the command.
``schemas/openrpc.json`` is a copy; a test fails if it is out of date.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

import haas_rpcd
from haas_rpcd.errors import ERRORS
from haas_rpcd.methods.registry import Method
from haas_schemas.event import InventoryEvent, JobEvent

_REF = "#/components/schemas/{name}"


def document(methods: Mapping[str, Method]) -> dict[str, Any]:
    """Return the OpenRPC 1.3 document of these methods.

    ``x-mutates``: the method changes something. ``x-role``: who may call it;
    ``x-right``: the role that this takes, see :mod:`haas_rpcd.methods.rights`. ``x-streams``:
    notifications follow, so it requires a WebSocket.
    """
    names = sorted(methods)
    types: list[Any] = [JobEvent, InventoryEvent]
    for name in names:
        types += [field.type for field in msgspec.structs.fields(methods[name].params)]
        types.append(methods[name].result)
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    given = iter(schemas)
    next(given), next(given)  # the two notifications: x-notifications refers to their components
    return {
        "openrpc": "1.3.2",
        "info": {
            "title": "HaaS",
            "description": "Hardware as a Service: isolated physical machines.",
            "version": haas_rpcd.__version__,
            "license": {"name": "Apache-2.0"},
        },
        "methods": [_method(methods[name], given) for name in names],
        "components": {
            "schemas": components,
            "errors": {
                error.kind: {
                    "code": error.code,
                    "message": error.meaning,
                    "data": {"kind": error.kind},
                }
                for error in ERRORS
            },
        },
        "x-notifications": {
            "job.event": {"$ref": _REF.format(name="JobEvent")},
            "inventory.event": {"$ref": _REF.format(name="InventoryEvent")},
        },
    }


def _method(declared: Method, schemas: Any) -> dict[str, Any]:
    params = []
    for field in msgspec.structs.fields(declared.params):
        schema = next(schemas)
        if not field.required:
            schema = {**schema, "default": field.default}
        params.append({"name": field.encode_name, "required": field.required, "schema": schema})
    result = {
        "name": declared.name,
        "summary": declared.summary,
        "paramStructure": "either",
        "params": params,
        "result": {"name": "result", "schema": next(schemas)},
        "errors": [{"$ref": f"#/components/errors/{error.kind}"} for error in ERRORS],
        "x-mutates": declared.mutates,
        "x-streams": declared.streams,
        "x-role": "admin" if declared.admin else "user",
        "x-right": declared.right,
    }
    if declared.description:
        result["description"] = declared.description
    return result
