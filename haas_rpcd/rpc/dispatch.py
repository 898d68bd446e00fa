"""JSON-RPC 2.0: answers one message, passing its calls to jsonrpcserver one at a time.

On its own, jsonrpcserver rejects a whole batch for one bad item, runs all calls of a batch at once
however many there are, puts an exception's text into the response, and writes NaN, which is not
valid JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any

from jsonrpcserver import Error, Success
from jsonrpcserver.async_main import dispatch_to_serializable

from haas_rpcd.errors import (
    HaasError,
    InvalidRequestError,
    MethodNotFoundError,
    ParseError,
    TooLargeError,
)
from haas_rpcd.methods.call import Call
from haas_rpcd.methods.invoke import invoke

log = logging.getLogger(__name__)

MAX_BATCH = 1000
"""Calls in one batch."""

CONCURRENCY = 16
"""Calls of one batch that run at the same time."""

Json = dict[str, Any]
Allowed = Call | HaasError
"""A call by an authenticated caller, or the error that every method answers without one."""

Run = Callable[..., Coroutine[Any, Any, Any]]


class Dispatcher:
    """Answers messages by calling the declared methods."""

    def __init__(self, names: Iterable[str]) -> None:
        self._methods: dict[str, Run] = {name: partial(_run, name) for name in names}

    async def answer(self, message: str | bytes, call: Allowed) -> str | None:
        """Answer one message (a call, a notification or a batch); None if it expects no answer."""
        try:
            request = _parse(message)
        except (ValueError, RecursionError):
            return _encode(_error(ParseError("The message is not JSON.")))
        if not isinstance(request, list):
            response = await self._one(request, call)
            return None if response is None else _encode(response)
        if not request:
            return _encode(_invalid("an empty batch"))
        if len(request) > MAX_BATCH:
            error = TooLargeError(f"A batch may hold {MAX_BATCH} calls, not {len(request)}.")
            return _encode(_error(error))
        gate = asyncio.Semaphore(CONCURRENCY)

        async def limited(item: Any) -> Json | None:
            async with gate:
                return await self._one(item, call)

        responses = await asyncio.gather(*(limited(item) for item in request))
        wanted = [_encode(response) for response in responses if response is not None]
        return f"[{','.join(wanted)}]" if wanted else None

    async def _one(self, request: Any, call: Allowed) -> Json | None:
        if (flaw := _flaw(request)) is not None:
            return _invalid(flaw)
        if request["method"] not in self._methods and "id" in request:
            unknown = MethodNotFoundError(
                f"There is no method {request['method']}; rpc.discover lists those there are."
            )
            return _error(unknown, request["id"])
        response = await dispatch_to_serializable(
            request,
            self._methods,
            context=call,
            deserializer=_as_is,
            validator=_as_is,
        )
        return response if isinstance(response, dict) else None


def _parse(message: str | bytes) -> Any:
    """Parse JSON strictly by RFC 8259, so that it can also be written again. Raises ValueError."""
    text = message.decode("utf-8") if isinstance(message, bytes) else message
    value = json.loads(text, parse_constant=_finite, parse_float=_finite)
    if "\\ud" in text or "\\uD" in text:  # maybe half a surrogate pair
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):  # NaN, Infinity, 1e999
        raise ValueError(f"{text} is not a JSON number")
    return number


def _as_is(value: Any) -> Any:
    return value


async def _run(name: str, call: Allowed, /, *args: Any, **kwargs: Any) -> Any:
    """Run one method for jsonrpcserver. Never raises: logs unexpected errors and masks them."""
    if isinstance(call, HaasError):
        return Error(call.code, call.message, call.data)
    try:
        return Success(await invoke(call, name, list(args) if args else kwargs))
    except HaasError as error:
        return Error(error.code, error.message, error.data)
    except Exception:
        log.exception("%s failed unexpectedly", name)
        masked = HaasError("The daemon failed; its log has the details.")
        return Error(masked.code, masked.message, masked.data)


def _flaw(request: Any) -> str | None:
    """Return why a value is not a JSON-RPC 2.0 request (its section 4), or None if it is."""
    if not isinstance(request, dict):
        return "a request is an object"
    if request.get("jsonrpc") != "2.0":
        return 'the member jsonrpc must be "2.0"'
    if not isinstance(request.get("method"), str):
        return "the member method must be a string"
    if not isinstance(request.get("params", {}), dict | list):
        return "the member params must be an object"
    identity = request.get("id")
    if isinstance(identity, bool) or not isinstance(identity, str | int | float | None):
        return "the member id must be a string, a number or null"
    if extra := request.keys() - {"jsonrpc", "method", "params", "id"}:
        return f"there is no member {min(extra)}"
    return None


def _invalid(flaw: str) -> Json:
    return _error(InvalidRequestError(f"Invalid request: {flaw}."))


def _error(error: HaasError, identity: Any = None) -> Json:
    """Return an error response; ``identity`` is None if the request's id could not be read."""
    members = {"code": error.code, "message": error.message, "data": error.data}
    return {"jsonrpc": "2.0", "error": members, "id": identity}


def _encode(response: Json) -> str:
    try:
        return json.dumps(response, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError):
        log.exception("an answer could not be written as JSON")
        masked = HaasError("The daemon failed; its log has the details.")
        return json.dumps(_error(masked, response.get("id")))
