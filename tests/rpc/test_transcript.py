"""What switches were told in a job, and what they said, for admins."""

from __future__ import annotations

import pytest

from haas_rpcd.config import AuditSettings
from haas_rpcd.errors import HaasError
from haas_rpcd.store.retention import prune_once
from tests.rpc.small_site import CREDENTIALS, SmallSite


@pytest.fixture
async def staged(site: SmallSite) -> SmallSite:
    """Red wants node-1 on its network, VLAN 100."""
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    return site


async def test_a_job_keeps_what_was_typed_and_what_came_back(staged: SmallSite) -> None:
    job = await staged.succeeds("red")
    parts = (await staged.call("job.transcript", job=job["job"]))["items"]
    assert {part["device"] for part in parts} == {"sw1"}
    text = "\n".join(part["text"] for part in parts)
    for line in ("> vlan 100", "> switchport access vlan 100", "> write memory"):
        assert line in text
    assert "sw1(config-if)#" in text  # what the switch printed
    assert CREDENTIALS["lab"].password not in text
    assert CREDENTIALS["lab"].enable not in text
    later = await staged.succeeds("red")
    assert (await staged.call("job.transcript", job=later["job"]))["items"] == []
    assert (await staged.call("job.transcript", job=job["job"], device="sw2"))["items"] == []
    with pytest.raises(HaasError, match="Only an admin may call"):
        await staged.tenant("rita").call("job.transcript", job=job["job"])


async def test_a_refusal_is_in_the_transcript_without_secrets(staged: SmallSite) -> None:
    secret = CREDENTIALS["lab"].password
    staged.switches["sw1"].faults.refuse["^switchport access"] = f"% AAA: {secret} may not"
    job = await staged.apply("red")
    assert job["state"] == "failed"
    assert secret not in str(job)
    parts = (await staged.call("job.transcript", job=job["job"]))["items"]
    assert "% AAA: *** may not" in str(parts)
    assert secret not in str(parts)


async def test_old_transcripts_go(staged: SmallSite) -> None:
    job = await staged.succeeds("red")
    await prune_once(staged.daemon.store, AuditSettings(keep_transcripts=0))
    assert (await staged.call("job.transcript", job=job["job"]))["items"] == []
