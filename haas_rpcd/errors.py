"""One family of errors, each with its JSON-RPC code and a ``kind`` that programs can match.

Every message is a sentence that says what to do. The table :data:`ERRORS` is what the OpenRPC
document publishes, so a code or a kind exists in one place only.

Codes of the application stand in -32000..-32099, the range that the JSON-RPC 2.0 specification
(section 5.1) leaves to servers.
"""

from __future__ import annotations

from typing import Any, ClassVar


class HaasError(Exception):
    """The base of all errors that reach a caller.

    ``message`` is a sentence for a person; ``data`` holds extra members for programs (it always
    gets the ``kind``).
    """

    code: ClassVar[int] = -32603
    kind: ClassVar[str] = "internal"
    meaning: ClassVar[str] = "The daemon failed; its log has the details."

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.data: dict[str, Any] = {"kind": self.kind, **data}


class InvalidParamsError(HaasError):
    """Parameters that do not fit; ``data.field`` names the one that is wrong where it is known."""

    code = -32602
    kind = "invalid_params"
    meaning = "A parameter is missing, unknown or wrong; data.field names it where it is known."


class ParseError(HaasError):
    """The message is not JSON (specification, section 5.1)."""

    code = -32700
    kind = "parse_error"
    meaning = "The message is not JSON."


class InvalidRequestError(HaasError):
    """The message is JSON, but no JSON-RPC 2.0 request (specification, section 4)."""

    code = -32600
    kind = "invalid_request"
    meaning = "The message is not a JSON-RPC 2.0 request."


class MethodNotFoundError(HaasError):
    """There is no such method (specification, section 5.1)."""

    code = -32601
    kind = "method_not_found"
    meaning = "There is no such method; rpc.discover lists those there are."


class DeniedError(HaasError):
    """The caller's role does not allow the method, or the caller is nobody HaaS knows."""

    code = -32001
    kind = "denied"
    meaning = "The caller may not do this."


class NotFoundError(HaasError):
    """There is no such thing, or the caller may not know of it: the text is the same."""

    code = -32002
    kind = "not_found"
    meaning = "There is no such thing, or the caller may not see it."


class ConflictError(HaasError):
    """The request contradicts the present state; the message says what has to go first."""

    code = -32003
    kind = "conflict"
    meaning = "The request contradicts the present state; the message says what has to go first."


class ExhaustedError(HaasError):
    """Something finite is used up: VLAN ids, free nodes."""

    code = -32004
    kind = "exhausted"
    meaning = "Something finite is used up: the VLAN pool, or the free nodes."


class StalePlanError(HaasError):
    """The plan that the caller saw is not the plan any more; ``data`` names what changed."""

    code = -32005
    kind = "stale_plan"
    meaning = "The plan has changed since it was shown; data.added and data.removed name the steps."


class UnavailableError(HaasError):
    """The daemon is not set up for this (no ``[master]``, a driver is not installed)."""

    code = -32006
    kind = "unavailable"
    meaning = "The daemon is not configured for this, or a part it needs is not installed."


class DeviceError(HaasError):
    """A switch, the hypervisor or the master's network refused or cannot be reached.

    ``reason`` is one of: unreachable, host_key, login, enable, busy, refused, cut, timeout,
    mismatch, missing.
    """

    code = -32007
    kind = "device"
    meaning = "A device refused, or could not be reached; data.reason says which."

    def __init__(self, message: str, *, reason: str, **data: Any) -> None:
        super().__init__(message, reason=reason, **data)
        self.reason = reason


class TooLargeError(HaasError):
    """A request over the daemon's limits of size or count."""

    code = -32008
    kind = "too_large"
    meaning = "The request is over the daemon's limits."


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
    HaasError,
)
"""Every error a method can answer with, for the OpenRPC document."""
