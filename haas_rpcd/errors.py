"""The errors that callers get, each with a JSON-RPC code and a ``kind`` that programs can match.

Every message is a sentence that says what to do. The OpenRPC document publishes the table
:data:`ERRORS`, so codes and kinds are defined in one place only.

HaaS uses codes in -32000..-32099, which section 5.1 of the JSON-RPC 2.0 specification leaves to
servers.
"""

from __future__ import annotations

from typing import Any, ClassVar


class HaasError(Exception):
    """The base of all errors that reach a caller.

    ``message`` is a sentence for people. ``data`` is for programs and always has the ``kind``.
    """

    code: ClassVar[int] = -32603
    kind: ClassVar[str] = "internal"
    meaning: ClassVar[str] = "The daemon failed; its log has the details."

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.data: dict[str, Any] = {"kind": self.kind, **data}


class InvalidParamsError(HaasError):
    """A parameter is missing, unknown or wrong; ``data.field`` names it if it is known."""

    code = -32602
    kind = "invalid_params"
    meaning = "A parameter is missing, unknown or wrong; data.field names it where it is known."


class ParseError(HaasError):
    """The message is not JSON (specification, section 5.1)."""

    code = -32700
    kind = "parse_error"
    meaning = "The message is not JSON."


class InvalidRequestError(HaasError):
    """The message is JSON, but not a JSON-RPC 2.0 request (specification, section 4)."""

    code = -32600
    kind = "invalid_request"
    meaning = "The message is not a JSON-RPC 2.0 request."


class MethodNotFoundError(HaasError):
    """There is no such method (specification, section 5.1)."""

    code = -32601
    kind = "method_not_found"
    meaning = "There is no such method; rpc.discover lists those there are."


class DeniedError(HaasError):
    """The caller's role does not allow the method, or HaaS does not know the caller."""

    code = -32001
    kind = "denied"
    meaning = "The caller may not do this."


class NotFoundError(HaasError):
    """There is no such thing, or the caller may not see it. Both get the same text."""

    code = -32002
    kind = "not_found"
    meaning = "There is no such thing, or the caller may not see it."


class ConflictError(HaasError):
    """The request contradicts the present state. The message says what has to go first."""

    code = -32003
    kind = "conflict"
    meaning = "The request contradicts the present state; the message says what has to go first."


class ExhaustedError(HaasError):
    """VLAN ids or free nodes are used up."""

    code = -32004
    kind = "exhausted"
    meaning = "Something finite is used up: the VLAN pool, or the free nodes."


class StalePlanError(HaasError):
    """The plan has changed since the caller saw it; ``data`` names what changed."""

    code = -32005
    kind = "stale_plan"
    meaning = "The plan has changed since it was shown; data.added and data.removed name the steps."


class UnavailableError(HaasError):
    """The daemon is not configured for this, or a part that it needs is not installed."""

    code = -32006
    kind = "unavailable"
    meaning = "The daemon is not configured for this, or a part it needs is not installed."


class RetiredError(UnavailableError):
    """A switch is out of service, so nothing is sent to it."""

    def __init__(self, switch: str) -> None:
        super().__init__(
            f"Switch {switch} is retired: nothing is sent to it. Once it answers again, an admin"
            f" takes it back with  switch reinstate {switch}"
        )


class StoreError(UnavailableError):
    """The database can't be read or written now: the disk is full, or another process locks it."""


class DeviceError(HaasError):
    """A switch, the hypervisor or the master's network refused or could not be reached.

    ``reason`` is one of: unreachable, host_key, login, enable, busy, refused, cut, timeout,
    mismatch, missing, unreadable, identity.
    """

    code = -32007
    kind = "device"
    meaning = "A device refused, or could not be reached; data.reason says which."

    def __init__(self, message: str, *, reason: str, **data: Any) -> None:
        super().__init__(message, reason=reason, **data)
        self.reason = reason


class TooLargeError(HaasError):
    """The request exceeds the daemon's limits of size or count."""

    code = -32008
    kind = "too_large"
    meaning = "The request is over the daemon's limits."


class LimitedError(HaasError):
    """The caller has as much under way as it may have at a time, or asks too often."""

    code = -32010
    kind = "limited"
    meaning = "The caller has as much under way as it may have at a time: wait, then try again."


ERRORS: tuple[type[HaasError], ...] = (
    ParseError,
    InvalidRequestError,
    MethodNotFoundError,
    InvalidParamsError,
    DeniedError,
    NotFoundError,
    ConflictError,
    ExhaustedError,
    StalePlanError,
    UnavailableError,
    DeviceError,
    TooLargeError,
    LimitedError,
    HaasError,
)
"""Every error that a method can answer with, for the OpenRPC document."""
