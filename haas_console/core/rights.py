"""The user's role and rights: why the daemon would refuse a command. Pure."""

from __future__ import annotations

from haas_console.core.api import Method
from haas_schemas.system import SystemInfo

_RANKS = {"reader": 1, "member": 2, "owner": 3}


def role_in(info: SystemInfo, project: str | None) -> str:
    """The user's role in a project: ``admin``, ``owner``, ``member``, ``reader``, or ``tenant``."""
    if info.admin:
        return "admin"
    return info.roles.get(project, "tenant") if project is not None else "tenant"


def changes_refused(info: SystemInfo | None, project: str | None) -> str | None:
    """Why the user may change nothing in a project (None: in any); None if allowed."""
    if info is None:
        return None
    if info.standby is not None:
        other = info.standby.master
        master = f"{other} is the master" if other is not None else "there is no master now"
        return f"This daemon stands by and changes nothing: {master}."
    if info.readonly:
        return "Your token is read-only: use another one to change something."
    if info.admin or not info.roles:
        return None
    if project is None:
        if set(info.roles.values()) == {"reader"}:
            return "You are only a reader of your projects: an owner makes you a member."
        return None
    if info.roles.get(project) == "reader":
        return f"You are a reader of project {project}: an owner makes you a member."
    return None


def may_text(why: str | None) -> str:
    """``yes``, or why not."""
    return "yes" if why is None else f"no: {why}"


def method_refused(method: Method, info: SystemInfo | None, project: str | None) -> str | None:
    """Why the user may not call a method, in a project; None if allowed."""
    if info is None:
        return None
    if method.role == "admin" and not info.admin:
        return "for admins only"
    if method.mutates and info.standby is not None:
        return "this daemon stands by"
    if method.mutates and info.readonly:
        return "your token is read-only"
    role, needed = role_in(info, project), _RANKS.get(method.right, 0)
    if needed and role == "tenant" and project is not None and info.roles:
        return f"you are in no project {project}"
    if role in _RANKS and _RANKS[role] < needed:
        return f"for a{'n' if method.right == 'owner' else ''} {method.right} of {project}"
    return None
