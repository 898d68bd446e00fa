"""Logging in to a simulated Catalyst by telnet."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from haas_rpcd.config import Credential
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PARKED, PortConfig, PortSeen, SetVlan
from tests.unit.catalyst import CREDENTIAL, catalyst, port
from tests.unit.dialects.harness import driving, send

LOGINS: dict[str, tuple[dict[str, Any], Credential]] = {
    "username, password, enable": ({}, CREDENTIAL),
    "privilege 15": ({"enable": None}, Credential(username="haas", password="s3cret")),
    "privilege 15 although there is an enable secret": (
        {"privilege": 15}, Credential(username="haas", password="s3cret")),
    "password only": ({"username": None, "enable": None}, Credential(password="s3cret")),
    "password only, enable": ({"username": None}, Credential(password="s3cret", enable="en4ble")),
    "an empty enable secret": ({"enable": "", "privilege": 1}, CREDENTIAL),
    "a message of the day": ({"motd": "Welcome to sw1#\nPassword policy: be good\nno > # prompt"},
                             CREDENTIAL),
}  # fmt: skip


@pytest.mark.parametrize("case", LOGINS)
async def test_every_kind_of_login_ends_in_privileged_mode(case: str) -> None:
    options, credential = LOGINS[case]
    async with driving(catalyst(**options), credential) as driver:
        seen = await driver.probe()
        assert seen.prompt == "sw1#"
        assert seen.said[0].startswith("Cisco IOS Software, C2960S Software")


@pytest.mark.parametrize(
    "hostname", ["sw1.dc-2.example.org", "a-very-long-host-name-that-IOS-shortens-in-prompts", "S"]
)
async def test_prompts_are_recognized_with_any_host_name(hostname: str) -> None:
    async with driving(catalyst(hostname)) as driver:
        await send(driver, SetVlan(100, True))
        await send(driver, port(PortConfig(100)))
        assert await driver.observe([port(PARKED)]) == [PortSeen(PortConfig(100))]


WRONG: dict[str, tuple[dict[str, Any], Credential, str, str]] = {
    "password": ({}, Credential(username="haas", password="no", enable="en4ble"), "login",
                 "sw1 refused the login of haas (% Login invalid)"),
    "username": ({}, Credential(username="x", password="s3cret"), "login",
                 "check its entry in the credentials file"),
    "line password": ({"username": None}, Credential(password="no"), "login",
                      "sw1 refused the login"),
    "enable": ({}, Credential(username="haas", password="s3cret", enable="no"), "enable",
               "sw1 refused privileged mode"),
    "no enable": ({}, Credential(username="haas", password="s3cret"), "enable",
                  "add  enable = …  to its entry"),
    "no enable secret on the switch": ({"enable": None, "privilege": 1}, CREDENTIAL, "enable",
                                       "No password set"),
    "no way to log in": ({"username": None, "password": None}, CREDENTIAL, "cut",
                         "Password required, but none set"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
async def test_a_failed_login_ends_in_an_error_with_advice(case: str) -> None:
    options, credential, reason, words = WRONG[case]
    with pytest.raises(DeviceError) as caught:
        async with driving(catalyst(**options), credential):
            pass
    assert caught.value.reason == reason
    assert words in caught.value.message
    for secret in (credential.password, credential.enable):
        assert not secret or f" {secret}" not in caught.value.message


async def test_a_wrong_password_is_sent_only_once() -> None:
    """Three failed logins lock the account on many sites."""
    switch = catalyst()
    wrong = Credential(username="haas", password="no")
    with pytest.raises(DeviceError):
        async with driving(switch, wrong):
            pass
    assert switch.counters.failed_logins == 1


async def test_a_switch_without_a_free_session_is_busy() -> None:
    with pytest.raises(DeviceError) as caught:
        async with driving(catalyst(vtys=0)):
            pass
    assert caught.value.reason == "busy"
    assert "sw1" in caught.value.message


async def test_passwords_appear_in_no_log_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for options, credential in LOGINS.values():
        async with driving(catalyst(**options), credential) as driver:
            await send(driver, SetVlan(100, True))
    for options, credential, _, _ in WRONG.values():
        with pytest.raises(DeviceError) as caught:
            async with driving(catalyst(**options), credential):
                pass
        assert "s3cret" not in repr(caught.value)
    assert "s3cret" not in caplog.text
    assert "en4ble" not in caplog.text
    assert "s3cret" not in repr(CREDENTIAL)
