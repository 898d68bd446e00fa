"""What the console says one may not do, and why."""

from __future__ import annotations

import msgspec
import pytest

from haas_console.core.api import packaged_api
from haas_console.core.rights import changes_refused, method_refused, role_in
from haas_schemas.system import Standby, SystemInfo


def info(*, admin: bool = False, readonly: bool = False, **roles: str) -> SystemInfo:
    return SystemInfo(
        name="haas-rpcd", version="1", user="rita", admin=admin, projects=tuple(roles),
        pool="100-109", master=True, images=(), dialects=(), demo=False, uptime=0.0,
        roles=roles, readonly=readonly,
    )  # type: ignore[arg-type]  # fmt: skip


METHODS = packaged_api().methods


@pytest.mark.parametrize(
    ("who", "method", "why"),
    [
        (info(red="reader"), "node.show", None),
        (info(red="reader"), "nic.connect", "for a member of red"),
        (info(red="member"), "nic.connect", None),
        (info(red="member"), "project.add_member", "for an owner of red"),
        (info(red="owner"), "project.add_member", None),
        (info(red="owner"), "switch.list", "for admins only"),
        (info(admin=True), "switch.register", None),
        (info(admin=True, readonly=True), "switch.register", "your token is read-only"),
        (info(admin=True, readonly=True), "switch.list", None),
        (None, "switch.register", None),
    ],
)
def test_a_command_is_refused_with_its_reason(
    who: SystemInfo | None, method: str, why: str | None
) -> None:
    assert method_refused(METHODS[method], who, "red") == why


def test_a_reader_s_keys_say_why_they_do_nothing() -> None:
    assert changes_refused(info(red="reader", blue="member"), "red") == (
        "You are a reader of project red: an owner makes you a member."
    )
    assert changes_refused(info(red="reader", blue="member"), "blue") is None
    assert changes_refused(info(red="reader", blue="member"), None) is None
    assert "only a reader" in str(changes_refused(info(red="reader"), None))
    assert "read-only" in str(changes_refused(info(admin=True, readonly=True), None))
    assert changes_refused(info(admin=True), "red") is None
    standby = msgspec.structs.replace(info(admin=True), standby=Standby("north", None, 1.0))
    assert "north is the master" in str(changes_refused(standby, "red"))
    assert method_refused(METHODS["node.show"], standby, "red") is None
    assert method_refused(METHODS["nic.connect"], standby, "red") == "this daemon stands by"
    assert changes_refused(None, "red") is None


def test_the_bar_names_the_role() -> None:
    assert role_in(info(admin=True, red="member"), "red") == "admin"
    assert role_in(info(red="owner"), "red") == "owner"
    assert role_in(info(red="owner"), None) == "tenant"
