"""What tenants are told of devices: never an address, a prompt or an answer."""

from __future__ import annotations

import pytest

from haas_rpcd.methods.tenant_texts import for_tenant, line_for_tenant

SECRETS = ("10.1.2.3", "2323", "% Invalid", "core-7#", "hunter2", "Gi1/0/9")

TOLD = {
    "sw1 does not answer on 10.1.2.3 port 2323 within 5 s: check its power.": (
        "sw1 cannot be reached; an admin sees why"
    ),
    "sw1: sw1 can't be reached on 10.1.2.3 port 2323 (refused): check it. (and 2 more failed)": (
        "sw1: sw1 cannot be reached; an admin sees why"
    ),
    "Switch sw1 is retired: nothing is sent to it. Once it answers again, …": (
        "sw1 is out of service; an admin sees why"
    ),
    'not sent: sw1 refused "interface Gi1/0/9": % Invalid input': (
        "not sent: sw1 refused a line of it; an admin sees why"
    ),
    'sent, but not confirmed: sw1 did not answer (core-7#) within 5 s, last: "hunter2"': (
        "sent, but not confirmed: sw1 did not answer in time; an admin sees why"
    ),
    'sw1 accepted the change, but it shows "ip address 10.1.2.3"': (
        "sw1 accepted the change, but reads back otherwise; an admin sees why"
    ),
    "something new about 10.1.2.3": "it did not succeed; an admin sees why",
    'sw1: something new with "hunter2"': "sw1: it did not succeed; an admin sees why",
    "Cancelled; what core-7# said was (hunter2)": "it did not succeed; an admin sees why",
}

OWN = [
    None,
    "not needed: something uses it now",
    "cancelled before it was sent",
    "the daemon stopped; the job was planned again",
    "the network of VLAN 101 was deleted or taken back since this was planned",
    "Cancelled; what was not sent is still staged.",
    "Cancelled before it began; all is still staged.",
]


@pytest.mark.parametrize("text", TOLD)
def test_the_device_s_words_are_left_out(text: str) -> None:
    told = for_tenant(text)
    assert told == TOLD[text]
    assert not any(secret in (told or "") for secret in SECRETS)


@pytest.mark.parametrize("text", OWN)
def test_our_own_sentences_stay(text: str | None) -> None:
    assert for_tenant(text) == text


def test_remarks_on_a_device_are_no_lines() -> None:
    assert line_for_tenant("# sw1 (10.1.2.3) has no session free") is None
    assert line_for_tenant("vlan 100") == "vlan 100"
