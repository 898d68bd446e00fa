"""Requests and responses: bounded in bytes and in time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from haas_rpcd.errors import HaasError, LimitedError, TooLargeError
from haas_rpcd.rpc import limits
from haas_rpcd.rpc.dispatch import error_response
from haas_rpcd.rpc.limits import Account, Limits


@contextlib.asynccontextmanager
async def read_body(
    request: web.Request, account: Account, of_caller: Limits
) -> AsyncIterator[bytes]:
    """Read a body, and count it while it is in use. Raises TooLargeError, LimitedError."""
    too_large = TooLargeError(f"A message of yours may have {of_caller.message} bytes.")
    if (request.content_length or 0) > of_caller.message:
        raise too_large
    body = bytearray()
    try:
        try:
            async with asyncio.timeout(of_caller.body):
                async for chunk in request.content.iter_any():
                    if len(body) + len(chunk) > of_caller.message:
                        raise too_large
                    account.hold(len(chunk), of_caller)
                    body += chunk
        except TimeoutError:
            raise LimitedError("The request did not arrive in time: send it again.") from None
        yield bytes(body)
    finally:
        account.release(len(body))


async def respond(
    request: web.Request, answer: bytes, age: float | None = None
) -> web.StreamResponse:
    """Send an answer; cut off a client that does not take it.

    ``age``: how many seconds old the data is that it was read from, if it is not the master's own
    (RFC 9111, section 5.1).
    """
    response = web.Response(body=answer, content_type="application/json")
    if age is not None:
        response.headers["Age"] = str(math.ceil(age))
    try:
        async with asyncio.timeout(limits.WRITE):
            await response.prepare(request)
            await response.write_eof()
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
    return response


def closing(status: int, error: HaasError) -> web.Response:
    """Return an error's response after which the connection is closed, as it was not read whole."""
    response = web.Response(
        status=status, body=error_response(error), content_type="application/json"
    )
    response.force_close()
    return response


def log_of_aiohttp() -> logging.Logger:
    """Return the log of faults in aiohttp; what a client did wrong is none."""
    logger = logging.getLogger("haas_rpcd.rpc.http")
    logger.addFilter(_is_our_fault)
    return logger


def _is_our_fault(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | ConnectionError)
