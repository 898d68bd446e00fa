"""A daemon dies during a job: the next one reads back what was sent, and resumes the job."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.rpc.small_site import (
    CREDENTIALS,
    NOTHING,
    Prepared,
    SmallSite,
    access,
    small_site,
    states,
)

pytestmark = pytest.mark.slow

LINES = [
    "configure terminal",
    "vlan 100",
    "exit",
    "interface Gi1/0/2",
    "switchport access vlan 100",
    "no shutdown",
    "end",
    "show vlan brief",
    "write memory",
]


@pytest.fixture
async def staged(site: SmallSite) -> SmallSite:
    """Red wants node-1 on its network, VLAN 100, and a headnode there."""
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.call("headnode.create", project="red", headnode="head")
    await site.call("headnode.connect", project="red", headnode="head", network="net")
    return site


async def finishes(site: SmallSite, job_id: int) -> None:
    job = await site.finished(job_id)
    assert job["state"] == "succeeded", job["error"]
    assert job["done"] == job["total"]
    assert (await site.call("plan.show", project="red"))["empty"]
    assert site.carried("node-1") == access(100)
    assert not site.switches["sw1"].modified
    assert [domain.running for domain in site.host.domains.values()] == [True]


@pytest.mark.parametrize("line", LINES)
async def test_it_dies_before_the_switch_executes(staged: SmallSite, line: str) -> None:
    held = staged.wires["sw1"].hold(f"^{line}\r")
    job_id = await staged.begin("red")
    await held.wait()

    await staged.restart()

    await finishes(staged, job_id)


@pytest.mark.parametrize("line", LINES)
async def test_it_dies_before_the_switch_answers(staged: SmallSite, line: str) -> None:
    """The switch has executed the line, but the daemon does not know."""
    held = staged.wires["sw1"].hold_answer(line)
    job_id = await staged.begin("red")
    await held.wait()

    await staged.restart()

    await finishes(staged, job_id)


async def test_the_journal_shows_interrupted_steps(staged: SmallSite) -> None:
    held = staged.wires["sw1"].hold("^switchport mode access\r")
    job_id = await staged.begin("red")
    await held.wait()
    await staged.restart()
    await finishes(staged, job_id)
    job = await staged.call("job.show", job=job_id)
    interrupted = [step for step in job["steps"] if step["state"] == "interrupted"]
    assert "port.set" in [step["kind"] for step in interrupted]
    assert all("the job was planned again" in step["message"] for step in interrupted)
    assert [step["step"] for step in job["steps"]] == list(range(1, len(job["steps"]) + 1))


async def test_the_switch_cannot_be_reached_after_the_restart(staged: SmallSite) -> None:
    """The port's state is not known then, so the node stays red's, and its port is parked first."""
    held = staged.wires["sw1"].hold("^switchport mode access\r")
    job_id = await staged.begin("red")
    await held.wait()
    staged.switches["sw1"].faults.refuse_connections = True

    await staged.restart()

    job = await staged.finished(job_id)
    assert job["state"] == "failed"
    assert "apply again" in job["error"]
    assert (await staged.call("node.release", node="node-1"))["state"] == "releasing"
    staged.switches["sw1"].faults.refuse_connections = False
    again = await staged.call("node.release", node="node-1")
    assert (await staged.finished(again["job"]))["state"] == "succeeded"
    assert staged.carried("node-1") == NOTHING
    assert (await staged.call("node.show", node="node-1"))["state"] == "free"


@pytest.mark.parametrize("line", ["switchport access vlan 100", "no shutdown"])
async def test_it_dies_while_setting_several_ports(staged: SmallSite, line: str) -> None:
    """Lines of two ports are on their way. Both are read back, and neither counts as done."""
    await staged.hold_nodes("red", "node-2")
    await staged.connect("node-2", "net")
    held = staged.wires["sw1"].hold_answer(line)
    job_id = await staged.begin("red")
    await held.wait()
    release = await staged.call("node.release", node="node-2")
    assert release["state"] == "releasing"

    await staged.restart()

    await finishes(staged, job_id)
    assert (await staged.finished(release["job"]))["state"] == "succeeded"
    assert staged.carried("node-2") == NOTHING
    assert (await staged.call("node.show", node="node-2"))["state"] == "free"


@pytest.mark.parametrize("sent", ["switchport access vlan 100", "no shutdown"])
async def test_an_interrupted_port_is_parked_before_it_is_set_again(
    staged: SmallSite, sent: str
) -> None:
    """It reads back as parked, but a slow switch may still execute what it was sent."""
    held = staged.wires["sw1"].hold(f"^{sent}\r")
    job_id = await staged.begin("red")
    await held.wait()

    await staged.restart()

    await finishes(staged, job_id)
    steps = (await staged.call("job.show", job=job_id))["steps"]
    port = [(step["kind"], step["state"]) for step in steps if step["target"] == "Gi1/0/2"]
    assert port == [("port.set", "interrupted"), ("port.park", "done"), ("port.set", "done")]


async def test_an_interrupted_port_that_reads_back_as_wanted_is_not_shut_again(
    staged: SmallSite,
) -> None:
    """The node behind it keeps its network, whatever happens to the daemon."""
    opening = staged.wires["sw1"].hold("^no shutdown\r")
    job_id = await staged.begin("red")
    await opening.wait()
    held = staged.wires["sw1"].hold_answer("^show running-config interface Gi1/0/2\r")
    opening.release()
    await held.wait()
    assert staged.carried("node-1") == access(100)

    await staged.restart()

    await finishes(staged, job_id)
    steps = (await staged.call("job.show", job=job_id))["steps"]
    port = [(step["kind"], step["state"]) for step in steps if step["target"] == "Gi1/0/2"]
    assert port == [("port.set", "interrupted")]


async def test_a_node_with_an_interrupted_port_is_free_only_after_it_is_parked(
    staged: SmallSite,
) -> None:
    """The port reads back as parked after the restart, but that may not last."""
    held = staged.wires["sw1"].hold("^switchport access vlan 100\r")
    job_id = await staged.begin("red")
    await held.wait()
    release = await staged.call("node.release", node="node-1")
    assert release["state"] == "releasing"

    await staged.restart()

    jobs = [await staged.finished(job_id), await staged.finished(release["job"])]
    assert [job["state"] for job in jobs] == ["succeeded", "succeeded"]
    parked = [s for job in jobs for s in job["steps"] if s["kind"] == "port.park"]
    assert [(step["target"], step["state"]) for step in parked] == [("Gi1/0/2", "done")]
    assert (await staged.call("node.show", node="node-1"))["state"] == "free"


async def test_queued_jobs_resume_in_their_order(staged: SmallSite) -> None:
    held = staged.wires["sw1"].hold("^vlan 100\r")
    first, second = await staged.begin("red"), await staged.begin("red")
    await held.wait()
    await staged.restart()
    assert (await staged.finished(first))["state"] == "succeeded"
    job = await staged.finished(second)
    assert (job["state"], job["steps"]) == ("succeeded", [])


async def test_an_interrupted_release_is_finished(staged: SmallSite) -> None:
    await staged.succeeds("red")
    held = staged.wires["sw1"].hold("^shutdown\r")
    released = await staged.call("node.release", node="node-1")
    await held.wait()
    await staged.restart()
    job = await staged.finished(released["job"])
    assert job["state"] == "succeeded", job["error"]
    assert (await staged.call("node.show", node="node-1"))["state"] == "free"
    assert staged.carried("node-1") == NOTHING


# --- a real process, really killed ----------------------------------------------------------------


class Process:
    """``python -m haas_rpcd`` with a configuration file, as systemd would run it."""

    def __init__(self, site: SmallSite) -> None:
        self.folder = site.folder
        self.socket = site.folder / "real.sock"
        self._process: asyncio.subprocess.Process | None = None

    def configure(self, site: SmallSite) -> None:
        credentials = self.folder / "credentials.toml"
        known = CREDENTIALS["lab"]
        credentials.touch(mode=0o600)
        credentials.write_text(
            f'[lab]\nusername = "{known.username}"\npassword = "{known.password}"\n'
            f'enable = "{known.enable}"\n'
        )
        (self.folder / "haas.toml").write_text(
            f'[server]\nsocket = "{self.socket}"\n[store]\npath = "{site.settings.store.path}"\n'
            f'[vlans]\npool = "100-109"\n[credentials]\nfile = "{credentials}"\n'
        )

    async def __aenter__(self) -> Process:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "haas_rpcd", "--config", str(self.folder / "haas.toml"),
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stderr is not None
        async with asyncio.timeout(30):
            while line := await self._process.stderr.readline():
                if b"serving" in line:
                    return self
        raise AssertionError("the daemon did not start")

    async def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.terminate()
            assert await self._process.wait() == 0

    async def call(self, method: str, **params: object) -> dict[str, object]:
        body = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
        connector = aiohttp.UnixConnector(str(self.socket))
        async with (
            aiohttp.ClientSession(connector=connector) as http,
            http.post("http://haas/rpc", data=json.dumps(body)) as response,
        ):
            answer = await response.json()
        assert "result" in answer, answer
        result: dict[str, object] = answer["result"]
        return result


@pytest.mark.slow
async def test_sigkill_during_an_apply(tmp_path: Path, prepared: Prepared) -> None:
    async with small_site(tmp_path, prepared) as site:
        await site.hold_nodes("red", "node-1", "node-3")
        await site.network("red", "net")
        await site.connect("node-1", "net")
        await site.connect("node-3", "net")
        await site.stop()
        process = Process(site)
        process.configure(site)
        site.switches["sw1"].faults.stall_at = "switchport mode access"
        seen = site.wires["sw1"].hold("^switchport mode access\r")

        async with process:
            started = await process.call("apply.start", project="red")
            await seen.wait()
            seen.release()
            await process.kill()

        assert process.socket.exists()  # it could not clean up
        site.switches["sw1"].faults.stall_at = None
        async with process:
            job = await process.call("job.wait", job=started["job"], timeout=30)
            assert job["state"] == "succeeded", job["error"]
            assert "interrupted" in states(job, "sw1")
            assert (await process.call("plan.show", project="red"))["empty"]
            system = await process.call("system.info")
            assert system["admin"] is True
        assert not process.socket.exists()
        assert site.carried("node-1") == site.carried("node-3") == access(100)
        await site.start()  # for the fixture's teardown
