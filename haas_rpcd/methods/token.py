"""token.*: bearer tokens, by which programs come in over TLS."""

from __future__ import annotations

import time
from typing import Annotated

from msgspec import Meta

from haas_rpcd.auth.secret import digest_of, new_secret
from haas_rpcd.errors import ConflictError, DeniedError, InvalidParamsError, NotFoundError
from haas_rpcd.methods.access import conflict, find_project, paged, roles
from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.registry import method
from haas_rpcd.methods.times import Time, in_future
from haas_rpcd.store import tokens
from haas_rpcd.store.tokens import TokenRow
from haas_schemas.common import Deleted, Page, timestamp
from haas_schemas.names import Limit, Name, UserName
from haas_schemas.token import NewToken, Token

Label = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,62}\Z",
        description="What a token is for: 1 to 63 letters, digits, spaces and . _ @ -",
    ),
]


def _owner(call: TxCall, user: str | None) -> str:
    """Return whose tokens a call is about. Raises DeniedError, NotFoundError."""
    if user is None or user == call.caller.user:
        return call.caller.user
    if not call.caller.admin:
        raise DeniedError("Only an admin may deal with other users' tokens.")
    if call.context.authenticator.is_admin(call.tx, user) is None:
        raise NotFoundError(f"There is no user {user}: make one with  user create {user}")
    return user


MAX_TOKENS = 100
"""Tokens of one user."""


@method("token.create", mutates=True)
def create(
    call: TxCall,
    label: Label,
    user: UserName | None = None,
    project: Name | None = None,
    readonly: bool = False,
    expires: Time | None = None,
) -> NewToken:
    """Make a token, by which a program acts as its user over TLS. It is shown only this once.

    With ``project`` it is good for that project alone, and not for what only admins may do. With
    ``readonly`` it changes nothing. An admin may make one for another user.
    """
    caller = call.caller
    if caller.bound is not None:
        raise DeniedError("A token that is bound to a project makes no tokens.")
    owner, now = _owner(call, user), time.time()
    if call.context.authenticator.is_admin(call.tx, owner) is None:
        raise DeniedError(f"{owner} is not a HaaS user, so its token would be worthless.")
    until = in_future(expires, "expires", now) if expires is not None else caller.expires
    if until is not None and caller.expires is not None and until > caller.expires:
        raise InvalidParamsError(
            "expires: a token that was made with a token ends with it, at"
            f" {timestamp(caller.expires)}.",
            field="expires",
        )
    project_id = find_project(call.tx, caller, project).id if project is not None else None
    if tokens.count_of(call.tx, owner) >= MAX_TOKENS:
        raise ConflictError(f"{owner} has {MAX_TOKENS} tokens: revoke some that are not used.")
    secret = new_secret()
    with conflict(f"{owner} has a token {label} already: revoke it, or take another label."):
        tokens.create(
            call.tx,
            digest=digest_of(secret),
            label=label,
            user=owner,
            project_id=project_id,
            readonly=readonly,
            created=now,
            expires=until,
            parent_id=caller.token_id,
        )
    call.changed("token", "created", label, admins_only=True)
    return NewToken(
        token=secret,
        label=label,
        user=owner,
        project=project,
        readonly=readonly,
        created=timestamp(now) or "",
        expires=timestamp(until),
    )


@method("token.list")
def list_(
    call: TxCall, user: UserName | None = None, limit: Limit = 1000, after: str | None = None
) -> Page[Token]:
    """List one's own tokens, never their secrets. An admin sees everybody's, or those of ``user``.

    A token that is bound to a project lists those of its user that are bound to it.
    """
    caller = call.caller
    of = user if caller.admin else _owner(call, user)
    place = (after or " ").split(" ", 1)  # a label may contain a space, a user's name may not
    if len(place) != 2:
        raise InvalidParamsError(
            "after: must be the `next` of the page before this one.", field="after"
        )
    rows = tokens.page(
        call.tx,
        limit,
        (place[0], place[1]),
        user=of,
        mine=None if caller.bound is None else list(roles(call.tx, caller)),
    )
    last = f"{rows[-1].user} {rows[-1].label}" if rows else None
    return paged([_record(row) for row in rows], limit, last)


def _record(row: TokenRow) -> Token:
    return Token(
        label=row.label,
        user=row.user,
        project=row.project,
        readonly=row.readonly,
        created=timestamp(row.created) or "",
        expires=timestamp(row.expires),
        last_used=timestamp(row.last_used),
    )


@method("token.revoke", mutates=True, unaudited=("token",))
def revoke(
    call: TxCall, label: Label | None = None, token: str | None = None, user: UserName | None = None
) -> Deleted:
    """Revoke a token, and those that were made with it. Its connections are closed.

    Name it by its label. Whoever holds a token that leaked may give the ``token`` itself instead.
    """
    if (label is None) == (token is None):
        raise InvalidParamsError("token.revoke takes either label or token.", field="label")
    row = _held(call, token) if token is not None else _labelled(call, label or "", user)
    ended = tokens.delete(call.tx, row.id)
    call.changed("token", "deleted", row.label, admins_only=True)
    for owner, its in ended.items():
        call.permissions_reduced(owner, its)
    return Deleted(deleted=True)


def _held(call: TxCall, secret: str) -> TokenRow:
    row = tokens.by_hash(call.tx, digest_of(secret), time.time())
    if row is None:
        raise NotFoundError("There is no such token.")
    return row


def _labelled(call: TxCall, label: str, user: str | None) -> TokenRow:
    owner = _owner(call, user)
    row = tokens.find(call.tx, owner, label)
    bound = call.caller.bound
    if row is None or (bound is not None and row.project_id != bound.project_id):
        others = tokens.owners_of(call.tx, label) if call.caller.admin and user is None else []
        hint = f" {others[0]} has: name it with  --user {others[0]}" if others else ""
        raise NotFoundError(f"{owner} has no token {label}.{hint}")
    return row
