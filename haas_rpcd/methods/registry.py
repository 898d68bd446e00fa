"""How a method is declared.

A method is a function whose keyword parameters are its JSON-RPC params. Its signature yields the
validation (msgspec), the OpenRPC document and, in the console, the command.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_type_hints

import msgspec

from haas_rpcd.auth.caller import Right
from haas_rpcd.methods.rights import RIGHTS

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Method:
    """A declared method."""

    name: str
    handler: Callable[..., Any]
    params: type[msgspec.Struct]
    result: Any
    summary: str
    description: str
    right: Right
    """What it requires of its caller."""
    mutates: bool
    streams: bool = False
    constant: bool = False
    quick: bool = False
    lasts: Callable[[Any], bool] | None = None
    """Returns True if a result stays right until something is written; None: none does."""
    reads_if: Mapping[str, str] = field(default_factory=dict)
    """Params with which a method that mutates only reads."""
    unaudited: frozenset[str] = frozenset()
    """Params omitted from the audit trail: long ones, and free text that may hold a secret."""
    first: Callable[..., None] | None = None
    """Checks the call, before it runs, in a transaction that only reads."""

    @property
    def admin(self) -> bool:
        """True if only admins may call it."""
        return self.right == "admin"

    def changes(self, raw: Any) -> bool:
        """Return whether a call with these params changes something, or fails."""
        if not self.reads_if:
            return self.mutates
        if isinstance(raw, list):  # by position
            raw = dict(zip(self.params.__struct_encode_fields__, raw, strict=False))
        given = raw if isinstance(raw, dict) else {}
        return self.mutates and any(given.get(key) != self.reads_if[key] for key in self.reads_if)

    @property
    def pages(self) -> bool:
        """True if it returns a page of a list."""
        return "limit" in self.params.__struct_fields__

    @property
    def waits(self) -> bool:
        """True if it changes nothing and may wait for long, as for a job or a device."""
        return inspect.iscoroutinefunction(self.handler) and not self.mutates


METHODS: dict[str, Method] = {}


def always(result: Any) -> bool:
    """Return True: a method's results depend on nothing but caller, params and database."""
    return True


def method(
    name: str,
    *,
    mutates: bool = False,
    streams: bool = False,
    constant: bool = False,
    quick: bool = False,
    lasts: Callable[[Any], bool] | None = None,
    reads_if: Mapping[str, str] | None = None,
    unaudited: Sequence[str] = (),
    first: Callable[..., None] | None = None,
) -> Callable[[F], F]:
    """Declare a method. A plain function runs in one transaction; a coroutine manages its own.

    Who may call it is in :data:`~haas_rpcd.methods.rights.RIGHTS`. ``mutates``: it changes
    something, so it is audited, and a read-only console refuses it. ``streams``: it is followed by
    notifications, so it requires a WebSocket. ``constant``: its result never changes while the
    daemon runs, so it is encoded once. ``quick``: it reads a few rows by their keys, so it needs no
    thread. ``lasts``: given a result, returns True if the same call has the same result until
    something is written, so that it may be kept; :func:`always` if each does. ``reads_if``: with
    these values of params it changes nothing. ``first`` is a function of the same params that
    checks what takes long, so that the transaction of a plain function which mutates does not hold
    up others.
    """

    def declare(handler: F) -> F:
        summary, _, description = inspect.cleandoc(handler.__doc__ or "").partition("\n\n")
        METHODS[name] = Method(
            name=name,
            handler=handler,
            params=_params_struct(name, handler),
            result=get_type_hints(handler, include_extras=True)["return"],
            summary=" ".join(summary.split()),
            description=description,
            right=RIGHTS.get(name, "admin"),
            mutates=mutates,
            streams=streams,
            constant=constant,
            quick=quick,
            lasts=lasts,
            reads_if=reads_if or {},
            unaudited=frozenset(unaudited),
            first=first,
        )
        return handler

    return declare


def _params_struct(name: str, handler: Callable[..., Any]) -> type[msgspec.Struct]:
    """Return the struct that validates a method's params, made from its signature."""
    hints = get_type_hints(handler, include_extras=True)
    fields: list[Any] = []
    for parameter in list(inspect.signature(handler).parameters.values())[1:]:
        hint = hints[parameter.name]
        required = parameter.default is inspect.Parameter.empty
        fields.append(
            (parameter.name, hint) if required else (parameter.name, hint, parameter.default)
        )
    return msgspec.defstruct(
        "".join(part.title() for part in re.split(r"[._]", name)) + "Params",
        fields,
        kw_only=True,
        forbid_unknown_fields=True,
        rename=lambda field: field.rstrip("_"),  # `with_`, because `with` is a keyword
    )
