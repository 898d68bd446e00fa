"""A short run of `make soak PART=load`, on a small site."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.load import SMALL, TOO_SLOW, play


@pytest.mark.slow
async def test_many_clients_and_a_restart_lose_nothing(tmp_path: Path) -> None:
    story = await play(tmp_path, SMALL, seed=1)

    assert story.wrong == []
    expected, missing = story.lost
    assert expected >= SMALL.watchers
    assert missing == 0
    assert TOO_SLOW not in {watched.told for watched in story.seen.watched}
    assert len(story.seen.jobs) >= 2 * SMALL.appliers
    assert "haas_rpc_seconds_count" in story.metrics
