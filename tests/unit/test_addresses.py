"""Hosts that lead to the same machine, and resolvers that fail or never answer."""

from __future__ import annotations

import socket
import threading

import pytest

from haas_rpcd.methods.addresses import resolve


@pytest.mark.parametrize(
    "other", ["127.1", "localhost", "0x7f.1", "::ffff:127.0.0.1", "::FFFF:7f00:1"]
)
async def test_spellings_of_one_address_are_the_same(other: str) -> None:
    found = await resolve(["127.0.0.1", other, "192.0.2.1"])
    assert found.same("127.0.0.1") == ["127.0.0.1", other]
    assert found.same(other) == [other, "127.0.0.1"]
    assert found.same("192.0.2.1") == ["192.0.2.1"]


async def test_names_with_an_address_in_common_are_the_same() -> None:
    answers = {
        "sw1.dc": frozenset({"192.0.2.1", "2001:db8::1"}),
        "sw1-mgmt.dc": frozenset({"2001:db8::1"}),
        "sw2.dc": frozenset({"192.0.2.2"}),
    }
    found = await resolve([*answers, "192.0.2.1"], lookup=answers.__getitem__)
    assert found.same("sw1.dc") == ["sw1.dc", "192.0.2.1", "sw1-mgmt.dc"]
    assert found.same("sw1-mgmt.dc") == ["sw1-mgmt.dc", "sw1.dc"]
    assert found.same("sw2.dc") == ["sw2.dc"]


@pytest.mark.parametrize(
    "error", [socket.gaierror(-2, "not known"), TimeoutError(), UnicodeError()]
)
async def test_a_name_that_cannot_be_resolved_is_only_itself(error: Exception) -> None:
    def lookup(host: str) -> frozenset[str]:
        raise error

    found = await resolve(["sw1.dc", "sw2.dc"], lookup=lookup)
    assert found.same("sw1.dc") == ["sw1.dc"]
    assert found.same("elsewhere") == ["elsewhere"]


async def test_a_resolver_that_never_answers_holds_up_nobody() -> None:
    never = threading.Event()

    def lookup(host: str) -> frozenset[str]:
        if host == "lost.dc":
            never.wait()
        return frozenset({"192.0.2.1"})

    found = await resolve(["lost.dc", "sw1.dc", "192.0.2.1"], lookup=lookup, timeout=0.2)
    never.set()
    assert found.same("sw1.dc") == ["sw1.dc", "192.0.2.1"]
    assert found.same("lost.dc") == ["lost.dc"]
