"""JSON-RPC 2.0: answers one message, passing its calls to jsonrpcserver one at a time.

On its own, jsonrpcserver rejects a whole batch for one bad item, runs all calls of a batch at once
however many there are, puts an exception's text into the response, and writes NaN, which is not
valid JSON.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import math
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, nullcontext
from json import decoder, scanner
from typing import Any

import msgspec
from jsonrpcserver import Error, Success
from jsonrpcserver.async_main import dispatch_to_serializable

from haas_rpcd import logs
from haas_rpcd.errors import (
    HaasError,
    InvalidRequestError,
    MethodNotFoundError,
    ParseError,
    TooLargeError,
)
from haas_rpcd.methods.call import Call
from haas_rpcd.methods.invoke import run
from haas_rpcd.methods.registry import Method
from haas_rpcd.rpc.kept import KeptAnswers, key_of
from haas_rpcd.rpc.limits import MAX_DEPTH, limits_of

log = logging.getLogger(__name__)

MAX_BATCH = 1000
"""Calls in one batch."""

LONG = 2**19
"""Bytes from which on a message is parsed beside the event loop. Shorter ones take up to 20 ms."""

CONCURRENCY = 8
"""Calls of one batch that wait at the same time."""

_MAX_SENTENCE = 8192
"""Characters of an error."""

Json = dict[str, Any]
Allowed = Call | HaasError
"""A call by an authenticated caller, or the error that every method answers without one."""

Run = Callable[..., Coroutine[Any, Any, Any]]


def _any_method(call: Allowed, /, *args: Any, **kwargs: Any) -> None: ...


_SIGNATURE = inspect.signature(_any_method)
"""Every method's signature for jsonrpcserver, which asks for it at each call."""


class Dispatcher:
    """Answers messages by calling the declared methods; ``measure`` is entered for each call."""

    def __init__(
        self,
        methods: Mapping[str, Method],
        measure: Callable[[str], AbstractContextManager[None]] | None = None,
    ) -> None:
        self._measure = measure or _unmeasured
        self._methods: dict[str, Run] = {name: self._method(name) for name in methods}
        self._constant = {name for name, method in methods.items() if method.constant}
        self._waits = {name for name, method in methods.items() if method.waits}
        self._encoded: dict[str, bytes] = {}
        """The results of constant methods."""
        self._lasts = {name: method.lasts for name, method in methods.items() if method.lasts}
        self._kept = KeptAnswers()

    def _method(self, name: str) -> Run:
        """Return a method as jsonrpcserver calls it; :meth:`_run` checks its params."""

        async def method(call: Allowed, /, *args: Any, **kwargs: Any) -> Any:
            return await self._run(name, call, *args, **kwargs)

        method.__signature__ = _SIGNATURE  # type: ignore[attr-defined]
        return method

    async def answer(self, message: str | bytes, call: Allowed) -> bytes | None:
        """Answer one message (a call, a notification or a batch); None if it expects no answer."""
        try:
            request = await _parsed(message)
        except TooLargeError as error:
            return error_response(error)
        except (ValueError, RecursionError):
            return error_response(ParseError("The message is not JSON."))
        if not isinstance(request, list):
            return await self._one(request, call)
        if not request:
            return _invalid("an empty batch")
        if len(request) > MAX_BATCH:
            return error_response(
                TooLargeError(f"A batch may hold {MAX_BATCH} calls, not {len(request)}.")
            )
        return await self._batch(request, call)

    async def _batch(self, requests: list[Any], call: Allowed) -> bytes | None:
        """Run calls in order; those that only wait, such as for a job, keep no other waiting."""
        gate = asyncio.Semaphore(CONCURRENCY)
        responses: list[bytes | None] = [None] * len(requests)
        most, size = _most(call), 0

        async def run_one(number: int) -> None:
            nonlocal size
            async with gate:
                await asyncio.sleep(0)  # a thousand bad items must not keep others waiting
                if size > most:
                    response = _not_run(requests[number], most)
                else:
                    response = await self._one(requests[number], call)
                size += len(response or b"")
                responses[number] = response

        async with asyncio.TaskGroup() as waiting:
            for number, request in enumerate(requests):
                if isinstance(request, dict) and request.get("method") in self._waits:
                    waiting.create_task(run_one(number))
                else:
                    await run_one(number)
        wanted = [response for response in responses if response is not None]
        return b"[%s]" % b",".join(wanted) if wanted else None

    async def _one(self, request: Any, call: Allowed) -> bytes | None:
        if (flaw := _flaw(request)) is not None:
            return _invalid(flaw)
        if request["method"] not in self._methods and "id" in request:
            unknown = MethodNotFoundError(
                f"There is no method {_cut(request['method'], 100)}; rpc.discover lists those"
                " there are."
            )
            return error_response(unknown, request["id"])
        response = await dispatch_to_serializable(
            request,
            self._methods,
            context=call,
            deserializer=_as_is,
            validator=_as_is,
        )
        return _encode(response) if isinstance(response, dict) else None

    async def _run(self, name: str, call: Allowed, /, *args: Any, **kwargs: Any) -> Any:
        """Run one method for jsonrpcserver, and encode its result.

        Never raises: logs unexpected errors and masks them.
        """
        if isinstance(call, HaasError):
            return Error(call.code, call.message, call.data)
        with logs.about(request=logs.new_request()), self._measure(name):
            try:
                return Success(await self._result(name, call, list(args) if args else kwargs))
            except HaasError as error:
                return Error(error.code, _cut(error.message), _cut_data(error.data))
            except Exception:
                log.exception("%s failed unexpectedly", name)
                masked = HaasError("The daemon failed; its log has the details.")
                return Error(masked.code, masked.message, masked.data)

    async def _result(self, name: str, call: Call, raw: Any) -> bytes:
        """Return the encoded result of a method; the kept one, if nothing was written since.

        Raises HaasError, and ValueError if JSON cannot express the result.
        """
        lasts = self._lasts.get(name)
        keeps = lasts is not None and call.caller.admin
        key = key_of(call.caller, name, raw) if keeps else None
        if lasts is None or key is None:
            return self._encode_result(name, await run(call, name, raw), _most(call))
        version = call.context.store.version()
        encoded = self._kept.get(key, version)
        if encoded is None:
            result = await run(call, name, raw)
            encoded = self._encode_result(name, result, _most(call))
            if lasts(result):
                self._kept.put(key, version, encoded)
        return encoded

    def _encode_result(self, name: str, result: Any, most: int) -> bytes:
        """Encode a result. Raises TooLargeError, and ValueError if JSON cannot express it."""
        if name in self._constant:
            if name not in self._encoded:
                self._encoded[name] = _json(result)
            return self._encoded[name]
        encoded = (
            msgspec.json.encode(result) if isinstance(result, msgspec.Struct) else _json(result)
        )
        if len(encoded) > most:
            raise TooLargeError(
                f"The answer has {len(encoded)} bytes, more than the limit of {most}: ask for"
                " fewer at a time, with a smaller limit."
            )
        return encoded


def _most(call: Allowed) -> int:
    """Return how many bytes the answer to a caller may have."""
    return limits_of(call if isinstance(call, HaasError) else call.caller).answer


def _not_run(request: Any, most: int) -> bytes | None:
    """Answer an item of a batch whose other answers are too large already."""
    if not isinstance(request, dict) or "id" not in request or _flaw(request) is not None:
        return None
    error = TooLargeError(
        f"The answers to this batch have more than {most} bytes: this call was not run. Send"
        " fewer calls at a time."
    )
    return error_response(error, request["id"])


def _unmeasured(method: str) -> AbstractContextManager[None]:
    return nullcontext()


class _InThread(json.JSONDecoder):
    """Decodes in Python: unlike the decoder in C it gives up the interpreter every 5 ms."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parse_object = decoder.JSONObject  # type: ignore[attr-defined]
        self.parse_array = decoder.JSONArray  # type: ignore[attr-defined]
        self.scan_once = scanner.py_make_scanner(self)  # type: ignore[attr-defined]


async def _parsed(message: str | bytes) -> Any:
    """Parse a message; a long one beside the event loop. Raises ValueError, TooLargeError."""
    if len(message) < LONG:
        return _parse(message)
    return await asyncio.to_thread(_parse, message, _InThread)


def _parse(message: str | bytes, parser: type[json.JSONDecoder] = json.JSONDecoder) -> Any:
    """Parse JSON strictly by RFC 8259, so that it can also be written again.

    Raises ValueError, TooLargeError.
    """
    text = message.decode("utf-8") if isinstance(message, bytes) else message
    value = parser(parse_constant=_finite, parse_float=_finite).decode(text)
    if "\\ud" in text or "\\uD" in text:  # maybe half a surrogate pair
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(value)
    return value


def _check_depth(value: Any) -> None:
    """Raise TooLargeError if arrays and objects are nested too deeply."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            child
            for each in level
            if isinstance(each, dict | list)
            for child in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    raise TooLargeError(f"A message may be nested {MAX_DEPTH} deep.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):  # NaN, Infinity, 1e999
        raise ValueError(f"{text} is not a JSON number")
    return number


def _as_is(value: Any) -> Any:
    return value


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


def _invalid(flaw: str) -> bytes:
    return error_response(InvalidRequestError(f"Invalid request: {_cut(flaw, 100)}."))


def error_response(error: HaasError, identity: Any = None) -> bytes:
    """Return an error response; ``identity`` is None if the request's id could not be read."""
    members = {"code": error.code, "message": error.message, "data": error.data}
    return _json({"jsonrpc": "2.0", "error": members, "id": identity})


def _encode(response: Json) -> bytes:
    """Encode a response; its result is encoded already."""
    if "result" not in response:
        return _json(response)
    return b'{"jsonrpc":"2.0","result":%s,"id":%s}' % (response["result"], _json(response["id"]))


def _json(value: Any) -> bytes:
    plain = msgspec.to_builtins(value)
    text = json.dumps(plain, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8")


def _cut(text: str, most: int = _MAX_SENTENCE) -> str:
    """Cut a text that may quote what the caller sent."""
    return text if len(text) <= most else f"{text[:most]}…"


def _cut_data(data: Json) -> Json:
    return {key: _cut(value) if isinstance(value, str) else value for key, value in data.items()}
