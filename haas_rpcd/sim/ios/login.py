"""The dialogue of a login to a Catalyst, and the lines of its configuration about logins."""

from __future__ import annotations

import base64
import hashlib

from haas_rpcd.sim.cli.options import Access
from haas_rpcd.sim.cli.texts import Enable, Login

_GREETING = ("", "User Access Verification", "")
_NONE_SET = ("", "Password required, but none set")

LOCAL = Login(before=_GREETING, none_set=_NONE_SET)
"""With a username: ``login local``. The third wrong answer closes the line."""

LINE = Login(before=_GREETING, none_set=_NONE_SET, wrong=(), closing=("% Bad passwords",))
"""Without a username: only the password of the lines is asked for."""

ENABLE = Enable(none_set=("% No password set",))
"""Without a secret ``enable`` works on the console only, not on a VTY."""


def config_lines(access: Access) -> tuple[str, ...]:
    """Return the lines above the interfaces. They contain digests in place of secrets."""
    lines = []
    if access.enable:
        lines += [f"enable secret 5 {_digest(access.enable)}", "!"]
    if access.username is not None:
        level = " privilege 15" if access.privileged else ""
        secret = _digest(access.password or "")
        lines += [f"username {access.username}{level} secret 5 {secret}"]
    return tuple(lines)


def vty_lines(access: Access) -> tuple[str, ...]:
    """Return the lines below ``line vty``."""
    if access.username is not None:
        return (" login local",)
    level = (" privilege level 15",) if access.privileged else ()
    hidden = (" password 7 <removed>",) if access.password is not None else ()
    return (*level, *hidden, " login")


def _digest(secret: str) -> str:
    """Return a digest that looks like a type 5 secret."""
    digest = base64.b64encode(hashlib.sha256(secret.encode()).digest(), b"./").decode()
    return f"$1${digest[:4]}${digest[4:26]}"
