"""What a session typed as a secret is replaced in a switch's words, however they are cut."""

from __future__ import annotations

import pytest

from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch.answers import last_words, quote
from haas_rpcd.drivers.switch.secrets import Secrets
from haas_rpcd.errors import DeviceError


@pytest.fixture
def secrets() -> Secrets:
    secrets = Secrets()
    secrets.note(Credential(username="haas", password="s3cret.word", enable="en"))
    return secrets


@pytest.mark.parametrize(
    "said",
    [
        "Password: s3cret.word",
        "s3cr\r\net.word",
        "S3CRET.WORD",
        "x s3cret.wor d y",
        "a s3cret.words",
    ],
)
def test_a_secret_is_replaced_however_it_is_wrapped(secrets: Secrets, said: str) -> None:
    masked = secrets.mask(said)
    assert "***" in masked
    assert "ret" not in masked.lower()


def test_a_short_secret_is_replaced_as_a_word_only(secrets: Secrets) -> None:
    assert secrets.mask("enable en, then") == "enable ***, then"


@pytest.mark.parametrize("seen", range(4, 11))
def test_a_quotation_that_is_cut_shows_no_part_of_a_secret(secrets: Secrets, seen: int) -> None:
    text = "x" * (300 - seen) + "s3cret.word" + "y" * 50
    assert "s3cr" not in secrets.mask(f"refused: {quote(text)}: see")
    text = "y" * 50 + "s3cret.word" + "x" * (300 - seen)
    assert "word" not in secrets.mask(f"ending {last_words(text)}: see")


def test_an_error_keeps_its_reason(secrets: Secrets) -> None:
    error = secrets.mask_error(DeviceError("no s3cret.word", reason="login", line="s3cret.word"))
    assert (error.message, error.reason) == ("no ***", "login")
    assert error.data == {"kind": "device", "reason": "login", "line": "***"}
    plain = DeviceError("nothing", reason="cut")
    assert secrets.mask_error(plain) is plain
