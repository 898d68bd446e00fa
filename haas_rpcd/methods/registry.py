"""How a method is declared, validated and run.

A method is a function whose keyword parameters are its JSON-RPC params: the signature gives the
validation (msgspec), the OpenRPC document and, in the console, the command. The way of a call is
always the same: valid params? may they? one transaction, with the audit record in it.
"""

from __future__ import annotations

import inspect
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, get_args, get_type_hints

import msgspec

from haas_rpcd.auth import Caller
from haas_rpcd.config import Settings
from haas_rpcd.engine.engine import Engine
from haas_rpcd.errors import DeniedError, HaasError, InvalidParamsError
from haas_rpcd.events import Events
from haas_rpcd.model import RegisteredSwitch
from haas_rpcd.store import audit
from haas_rpcd.store.database import Store, Tx
from haas_schemas.names import NAME_RULE
from haas_schemas.switch import SwitchTrust


@dataclass(frozen=True)
class Context:
    """What the daemon lends to its methods."""

    settings: Settings
    store: Store
    engine: Engine
    events: Events
    dialects: Mapping[str, frozenset[str]]
    """The dialects there are, and the options that each takes."""
    canonical_port: Callable[[str, str], str]
    """From a dialect and a port's name to the one name of that port. Raises ValueError."""
    declares_vlans: Callable[[str], bool]
    """Whether switches of a dialect list their VLANs apart from their ports."""
    trust: Callable[[RegisteredSwitch, str | None], Awaitable[SwitchTrust]]
    """Looks at a switch's SSH host key, and trusts it if it has this fingerprint."""
    openrpc: Callable[[], dict[str, Any]]
    """Gives the document of the API."""
    started: float
    demo: bool = False


class Listener(Protocol):
    """The WebSocket a call came by, for the methods that subscribe it to notifications."""

    def subscribe_job(self, job: int) -> None:
        """Send ``job.event`` for this job from now on."""
        ...

    def subscribe_inventory(self, caller: Caller) -> None:
        """Send ``inventory.event`` for what the caller may see from now on."""
        ...


@dataclass(frozen=True)
class Call:
    """One call of a method that awaits."""

    context: Context
    caller: Caller
    listener: Listener | None = None


@dataclass(frozen=True, kw_only=True)
class TxCall(Call):
    """One call of a method that is a transaction."""

    tx: Tx
    affected: list[str] = field(default_factory=list)

    def affects(self, project: str | None) -> None:
        """Name the project that this call affects, for the audit trail, if no param does."""
        if project is not None:
            self.affected.append(project)

    def changed(
        self,
        noun: str,
        verb: str,
        name: str,
        project: str | None = None,
        *,
        admins_only: bool = False,
    ) -> None:
        """Publish, after the commit, that something has changed."""
        events = self.context.events
        self.tx.after_commit.append(
            lambda: events.publish_inventory(noun, verb, name, project, admins_only=admins_only)
        )

    def permissions_reduced(self, user: str) -> None:
        """Notify a user's connections, after the commit, that its permissions were reduced."""
        events = self.context.events
        self.tx.after_commit.append(lambda: events.permissions_reduced(user))

    def start_job(self, job: int, project_id: int | None) -> None:
        """Hand a job in the journal to the engine, after the commit."""
        engine = self.context.engine
        self.tx.after_commit.append(lambda: engine.enqueue(job, project_id))


@dataclass(frozen=True)
class Method:
    """A declared method."""

    name: str
    handler: Callable[..., Any]
    params: type[msgspec.Struct]
    result: Any
    summary: str
    description: str
    admin: bool
    mutates: bool
    streams: bool = False
    unaudited: frozenset[str] = frozenset()
    """Params that the audit trail leaves out: long, or free text in which a secret might stand."""


F = TypeVar("F", bound=Callable[..., Any])

METHODS: dict[str, Method] = {}


def method(
    name: str,
    *,
    admin: bool = False,
    mutates: bool = False,
    streams: bool = False,
    unaudited: Sequence[str] = (),
) -> Callable[[F], F]:
    """Declare a method. A plain function is one transaction; a coroutine function manages its own.

    ``admin``: for admins only. ``mutates``: it changes something, so it is audited, and a read-only
    console refuses it. ``streams``: it makes sense on a WebSocket only, as notifications follow.
    """

    def declare(handler: F) -> F:
        hints = get_type_hints(handler, include_extras=True)
        fields: list[Any] = []
        for parameter in list(inspect.signature(handler).parameters.values())[1:]:
            kind = hints[parameter.name]
            required = parameter.default is inspect.Parameter.empty
            fields.append(
                (parameter.name, kind) if required else (parameter.name, kind, parameter.default)
            )
        struct = msgspec.defstruct(
            "".join(part.title() for part in re.split(r"[._]", name)) + "Params",
            fields,
            kw_only=True,
            forbid_unknown_fields=True,
            rename=lambda field: field.rstrip("_"),  # `with_`, as `with` is a keyword of Python
        )
        summary, _, description = inspect.cleandoc(handler.__doc__ or "").partition("\n\n")
        METHODS[name] = Method(
            name=name,
            handler=handler,
            params=struct,
            result=hints["return"],
            summary=" ".join(summary.split()),
            description=description,
            admin=admin,
            mutates=mutates,
            streams=streams,
            unaudited=frozenset(unaudited),
        )
        return handler

    return declare


async def invoke(call: Call, name: str, raw: Any) -> Any:
    """Run a declared method and give its result as plain values for JSON.

    Raises HaasError. The role is checked before the params, and both before anything is looked up,
    so a caller learns nothing about things it may not see.
    """
    declared = METHODS[name]
    try:
        if declared.admin and not call.caller.admin:
            raise DeniedError(f"Only an admin may call {name}.")
        params = validate(declared, raw)
        arguments = {field: getattr(params, field) for field in params.__struct_fields__}
        result = await _run(declared, call, arguments)
    except HaasError as error:
        if declared.mutates:
            await call.context.store.write(_audit_failure, call, declared, raw, error)
        raise
    return msgspec.to_builtins(result)


async def _run(declared: Method, call: Call, arguments: dict[str, Any]) -> Any:
    if inspect.iscoroutinefunction(declared.handler):
        awaitable: Awaitable[Any] = declared.handler(call, **arguments)
        result = await awaitable
        if declared.mutates:
            await call.context.store.write(_audit_success, call, declared, arguments)
        return result

    def transaction(tx: Tx) -> Any:
        tx_call = TxCall(context=call.context, caller=call.caller, listener=call.listener, tx=tx)
        result = declared.handler(tx_call, **arguments)
        if declared.mutates:
            _audit_success(tx, call, declared, arguments, *tx_call.affected[:1])
        return result

    store = call.context.store
    return await (store.write(transaction) if declared.mutates else store.read(transaction))


def validate(declared: Method, raw: Any) -> msgspec.Struct:
    """Turn raw params into the method's struct. Raises InvalidParamsError naming the field."""
    fields = declared.params.__struct_encode_fields__
    if isinstance(raw, list):  # by position, which the specification allows
        if len(raw) > len(fields):
            raise InvalidParamsError(
                f"{declared.name} takes at most {len(fields)} params: {', '.join(fields)}."
            )
        raw = dict(zip(fields, raw, strict=False))
    try:
        return msgspec.convert(raw, declared.params)
    except msgspec.ValidationError as error:
        raise _explain(str(error), declared) from None


_MISSING = re.compile(r"Object missing required field `([^`]+)`(?: - at `\$(.*)`)?")
_UNKNOWN = re.compile(r"Object contains unknown field `([^`]+)`(?: - at `\$(.*)`)?")
_AT = re.compile(r"^(.*) - at `\$\.?(.*)`$")


def _explain(text: str, declared: Method) -> InvalidParamsError:
    """Turn msgspec's one-line report into a sentence that names the field and the way out."""
    takes = ", ".join(declared.params.__struct_encode_fields__) or "none"
    if found := _MISSING.match(text):
        field = _join(found[2], found[1])
        return InvalidParamsError(f"{declared.name} needs the param {field}.", field=field)
    if found := _UNKNOWN.match(text):
        field = _join(found[2], found[1])
        return InvalidParamsError(
            f"{declared.name} has no param {field}; it takes {takes}.", field=field
        )
    if found := _AT.match(text):
        reason, field = found[1], found[2]
        if "matching regex" in reason:
            reason = _pattern_rule(declared.params, field)
        return InvalidParamsError(f"{field}: {reason}.", field=field)
    return InvalidParamsError(f"{declared.name}: {text}.")


def _join(path: str | None, field: str) -> str:
    return f"{path.lstrip('.')}.{field}" if path else field


def _pattern_rule(params: type[msgspec.Struct], path: str) -> str:
    """Say what a text must look like, from the description beside its pattern."""
    hint: Any = params
    for name in re.findall(r"[A-Za-z_]\w*", path):
        structs = [part for part in _parts(hint) if hasattr(part, "__struct_fields__")]
        hint = get_type_hints(structs[0], include_extras=True).get(name) if structs else None
    for part in _parts(hint):
        if isinstance(part, msgspec.Meta) and part.pattern and part.description:
            return f"does not fit: {part.description.rstrip('.')}"
    return f"does not fit: a name is {NAME_RULE}"


def _parts(hint: Any) -> list[Any]:
    """Take a type hint apart: itself, what it is made of, and what stands beside it."""
    parts = [hint, *getattr(hint, "__metadata__", ())]
    for argument in get_args(hint):
        parts += _parts(argument)
    return parts


# --- audit ----------------------------------------------------------------------------------------


def _audit_success(
    tx: Tx, call: Call, declared: Method, arguments: dict[str, Any], concern: str | None = None
) -> None:
    given = {name.rstrip("_"): value for name, value in arguments.items()}
    _audit(tx, call, declared, given, "done", None, concern)


def _audit_failure(tx: Tx, call: Call, declared: Method, raw: Any, error: HaasError) -> None:
    _audit(tx, call, declared, raw if isinstance(raw, dict) else {}, error.kind, error.message)


def _audit(
    tx: Tx,
    call: Call,
    declared: Method,
    given: dict[str, Any],
    outcome: str,
    message: str | None,
    concern: str | None = None,
) -> None:
    """Record a call. Params that the method does not have are left out: they may hold anything."""
    known = set(declared.params.__struct_encode_fields__) - declared.unaudited
    params = {key: value for key, value in given.items() if key in known and value is not None}
    project = concern or params.get("project")
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
