"""How a declared method is run.

Every call takes the same path: check the role, validate the params, run the method in one
transaction, and record the call in the audit trail within it.
"""

from __future__ import annotations

import dataclasses
import inspect
import time
from collections.abc import Awaitable
from typing import Any

import msgspec

from haas_rpcd.auth import Caller
from haas_rpcd.errors import DeniedError, HaasError
from haas_rpcd.methods.call import Call, TxCall
from haas_rpcd.methods.params import validate
from haas_rpcd.methods.registry import METHODS, Method
from haas_rpcd.store import audit
from haas_rpcd.store.database import Tx


async def invoke(call: Call, name: str, raw: Any) -> Any:
    """Run a declared method and return its result as plain values for JSON. Raises HaasError."""
    return msgspec.to_builtins(await run(call, name, raw))


async def run(call: Call, name: str, raw: Any) -> Any:
    """Run a declared method and return its result.

    Raises HaasError. The role is checked before the params, and both before anything is looked up,
    so a caller learns nothing about things it may not see.
    """
    declared = METHODS[name]
    try:
        _authorize(declared, call.caller)
        call = dataclasses.replace(
            call, caller=msgspec.structs.replace(call.caller, needs=declared.right)
        )
        params = validate(declared, raw)
        arguments = {field: getattr(params, field) for field in params.__struct_fields__}
        return await _run(declared, call, arguments)
    except HaasError as error:
        if declared.mutates:
            await call.context.store.write(_audit_failure, call, declared, raw, error)
        raise


def _authorize(declared: Method, caller: Caller) -> None:
    """Raise DeniedError if the caller may not call a method, whatever it is about."""
    if declared.admin and not caller.admin:
        raise DeniedError(f"Only an admin may call {declared.name}.")
    if declared.mutates and caller.readonly:
        raise DeniedError(
            f"Your token is read-only, so it may not call {declared.name}: use another token."
        )


async def _run(declared: Method, call: Call, arguments: dict[str, Any]) -> Any:
    store = call.context.store
    if inspect.iscoroutinefunction(declared.handler):
        awaitable: Awaitable[Any] = declared.handler(call, **arguments)
        result = await awaitable
        if declared.mutates:
            await store.write(_audit_success, call, declared, arguments)
        return result

    def transaction(tx: Tx) -> Any:
        tx_call = TxCall(
            context=call.context, caller=call.caller, subscriber=call.subscriber, tx=tx
        )
        result = declared.handler(tx_call, **arguments)
        if declared.mutates:
            _audit_success(tx, call, declared, arguments, *tx_call.affected[:1])
        return result

    return await (store.write(transaction) if declared.mutates else store.read(transaction))


# --- audit ----------------------------------------------------------------------------------------


def _audit_success(
    tx: Tx, call: Call, declared: Method, arguments: dict[str, Any], affected: str | None = None
) -> None:
    given = {name.rstrip("_"): value for name, value in arguments.items()}
    _audit(tx, call, declared, given, "done", None, affected)


def _audit_failure(tx: Tx, call: Call, declared: Method, raw: Any, error: HaasError) -> None:
    _audit(tx, call, declared, raw if isinstance(raw, dict) else {}, error.kind, error.message)


def _audit(
    tx: Tx,
    call: Call,
    declared: Method,
    given: dict[str, Any],
    outcome: str,
    message: str | None,
    affected: str | None = None,
) -> None:
    """Record a call. Omits params that the method does not have: they may hold anything."""
    known = set(declared.params.__struct_encode_fields__) - declared.unaudited
    params = {key: value for key, value in given.items() if key in known and value is not None}
    project = affected or params.get("project")
    audit.record(
        tx,
        time=time.time(),
        user=call.caller.user,
        admin=call.caller.admin,
        method=declared.name,
        project=project if isinstance(project, str) else None,
        params=msgspec.to_builtins(params),
        outcome=outcome,
        message=message,
    )
