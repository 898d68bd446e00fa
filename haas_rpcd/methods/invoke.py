"""How a declared method is run.

Every call takes the same path: check the role, validate the params, run the method in one
transaction, and record the call in the audit trail within it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
from collections.abc import Awaitable
from typing import Any

import msgspec

from haas_rpcd.auth import Caller
from haas_rpcd.errors import DeniedError, DeviceError, HaasError
from haas_rpcd.methods import audited
from haas_rpcd.methods.call import Call, TxCall
from haas_rpcd.methods.params import validate
from haas_rpcd.methods.registry import METHODS, Method
from haas_rpcd.methods.standby import check as check_standby
from haas_rpcd.methods.tenant_texts import for_tenant
from haas_rpcd.store.database import Tx
from haas_rpcd.store.turns import in_bulk


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
        _authorize(declared, call.caller, raw)
        if (standby := call.context.standby()) is not None:
            check_standby(standby, call.caller, declared, raw)
        call = dataclasses.replace(
            call,
            caller=msgspec.structs.replace(call.caller, needs=declared.right),
            affected=[],  # those of a batch share the call
        )
        params = validate(declared, raw)
        arguments = {field: getattr(params, field) for field in params.__struct_fields__}
        return await _run(declared, call, arguments)
    except HaasError as error:
        lasting = call.context.standby() is None
        if lasting and (declared.changes(raw) or isinstance(error, DeniedError)):
            await _audit_refusal(call, declared, raw, error)
        if isinstance(error, DeviceError) and not call.caller.admin:
            raise DeviceError(for_tenant(error.message) or "", reason=error.reason) from None
        raise


async def _audit_refusal(call: Call, declared: Method, raw: Any, error: HaasError) -> None:
    left_out = call.context.refusals.admit(call.caller.user)
    if left_out is not None:
        await call.context.store.note(
            audited.record_refusal, call.caller, declared, raw, error, left_out
        )


def _authorize(declared: Method, caller: Caller, raw: Any) -> None:
    """Raise DeniedError if the caller may not call a method, whatever it is about."""
    if declared.admin and not caller.admin:
        raise DeniedError(f"Only an admin may call {declared.name}.")
    if caller.readonly and declared.changes(raw):
        raise DeniedError(
            f"Your token is read-only, so it may not call {declared.name}: use another token."
        )


async def _run(declared: Method, call: Call, arguments: dict[str, Any]) -> Any:
    store = call.context.store
    if inspect.iscoroutinefunction(declared.handler):
        awaitable: Awaitable[Any] = declared.handler(call, **arguments)
        result = await awaitable
        if declared.changes(arguments):
            await store.write(
                audited.record_change,
                call.caller,
                declared,
                arguments,
                project=next(iter(call.affected), None),
            )
        return result

    def transaction(tx: Tx) -> Any:
        tx_call = TxCall(
            context=call.context, caller=call.caller, subscriber=call.subscriber, tx=tx
        )
        result = declared.handler(tx_call, **arguments)
        if declared.mutates:
            audited.record_change(
                tx,
                call.caller,
                declared,
                arguments,
                project=next(iter(tx_call.affected), None),
                objects=tx_call.objects,
                job=next(iter(tx_call.jobs), None),
            )
        return result

    if (first := declared.first) is not None:
        await store.read(
            lambda tx: first(TxCall(context=call.context, caller=call.caller, tx=tx), **arguments)
        )
    if declared.mutates:
        return await store.write(transaction)
    with in_bulk() if declared.pages else contextlib.nullcontext():
        return await (store.glance(transaction) if declared.quick else store.read(transaction))
