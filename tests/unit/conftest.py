"""Fixtures of the unit tests."""

from __future__ import annotations

import pytest


@pytest.fixture
def short_silences(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a session accept any prompt after 50 ms of silence."""
    monkeypatch.setattr("haas_rpcd.drivers.switch.channel.PROMPT_FALLBACK", 0.05)
