"""Switch passwords are in the credentials file only; nothing the daemon emits contains them."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from haas_rpcd.config import Credential
from tests.rpc.listening import listening
from tests.rpc.small_site import CREDENTIALS, Prepared, SmallSite, small_site

RIGHT = CREDENTIALS["lab"]
SECRETS = (RIGHT.password, RIGHT.enable, "wr0ng-pass", "wr0ng-en4")


def free_of_secrets(what: str, text: Any) -> None:
    for secret in SECRETS:
        assert secret not in str(text), f"{what} holds a password"


async def a_day(site: SmallSite) -> None:
    """Log in to switches successfully, and unsuccessfully in every possible way."""
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    for wrong in (
        Credential(username="haas", password="wr0ng-pass", enable=RIGHT.enable),
        Credential(username="haas", password=RIGHT.password, enable="wr0ng-en4"),
    ):
        site.credentials["lab"] = wrong
        assert (await site.apply("red"))["state"] == "failed"
        await site.refused("switch.probe", switch="sw1")
    site.credentials["lab"] = RIGHT
    await site.call("switch.probe", switch="sw1")
    site.switches["sw1"].faults.cut_at = "^interface"
    await site.apply("red")
    await site.succeeds("red")


async def test_no_password_leaves_the_daemon(
    site: SmallSite, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with listening(site) as client:
        await client.call("events.subscribe")
        site.daemon.events.subscribe_inventory(
            lambda event, _: free_of_secrets("an inventory event", event)
        )
        for job in range(2, 7):
            site.daemon.events.subscribe_job(job, lambda event: free_of_secrets("an event", event))
        await a_day(site)
        jobs = (await site.call("job.list"))["items"]
        assert len(jobs) == 5
        for job in jobs:
            free_of_secrets("a job", await site.call("job.show", job=job["job"]))
        free_of_secrets("a notification", client.received)
    free_of_secrets("the audit trail", await site.call("audit.list"))
    free_of_secrets("an export", await site.call("site.export"))
    free_of_secrets("a plan", await site.call("plan.show"))
    free_of_secrets("a switch", await site.call("switch.list"))
    free_of_secrets("a log", caplog.text)
    assert "switch" in caplog.text or caplog.records  # the log is not empty


async def test_no_password_is_in_the_database(site: SmallSite) -> None:
    await a_day(site)
    path = site.settings.store.path
    await site.stop()
    with sqlite3.connect(path) as db:
        free_of_secrets("the database", "\n".join(db.iterdump()))
    db.close()
    await site.start()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A switch that shows what is typed, quotes it in its refusal, and hangs up."""
    typed = []
    for question in ("Username: ", "Password: "):
        writer.write(f"\r\n{question}".encode())
        line = (await reader.readline()).strip()
        typed.append(line)
        writer.write(line)
    writer.write(b"\r\n% Login invalid: user " + b", password ".join(typed) + b"\r\n")
    await writer.drain()
    writer.close()


async def test_a_switch_that_echoes_the_password_tells_nobody(
    site: SmallSite, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        await site.call(
            "switch.register",
            switch="loud", dialect="cisco_ios", host="127.0.0.1", port=port, credential="lab",
        )  # fmt: skip
        await site.call("port.register", switch="loud", ports=["Gi1/0/1"])
        error = await site.refused("switch.probe", switch="loud")
        assert error.kind == "device"
        assert "% Login invalid: user haas, password ***" in error.message
        job = await site.apply()
        assert "loud" in job["error"]
        drift = await site.call("drift.check")
        free_of_secrets("a job", job)
        free_of_secrets("a check", drift)
        free_of_secrets("the audit trail", await site.call("audit.list"))
        free_of_secrets("a log", caplog.text)
        free_of_secrets("the database", await site.rows("SELECT * FROM job"))
        free_of_secrets("the database", await site.rows("SELECT * FROM step"))


async def test_a_password_entered_in_the_wrong_place_is_not_stored(site: SmallSite) -> None:
    """A password among a switch's options is refused, and the audit trail omits options."""
    error = await site.refused(
        "switch.register", switch="sw9", dialect="cisco_ios", host="h",
        options={"password": RIGHT.password},
    )  # fmt: skip
    free_of_secrets("an error", error.message)
    text = f'[switches.sw9]\ndialect = "cisco_ios"\nhost = "h"\npassword = "{RIGHT.password}"\n'
    free_of_secrets("an error", (await site.refused("site.import", site=text)).message)
    await site.refused("switch.register", password=RIGHT.password)
    free_of_secrets("the audit trail", await site.call("audit.list"))


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
async def test_the_program_logs_no_password_however_much_it_logs(
    tmp_path: Path, prepared: Prepared
) -> None:
    """The libraries do at their debug level, so --verbose must not enable that."""
    async with small_site(tmp_path, prepared) as site:
        site.watch.close()  # else this process keeps a view of the file that the program outdates
        await site.stop()
        known = tmp_path / "credentials.toml"
        known.touch(mode=0o600)
        known.write_text(
            f'[lab]\nusername = "{RIGHT.username}"\npassword = "{RIGHT.password}"\n'
            f'enable = "{RIGHT.enable}"\n'
        )
        (tmp_path / "haas.toml").write_text(
            f'[server]\nsocket = "{tmp_path}/rpcd.sock"\n[store]\npath = "{tmp_path}/haas.db"\n'
            f'[credentials]\nfile = "{known}"\n'
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "haas_rpcd", "--verbose", "--config", f"{tmp_path}/haas.toml",
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stderr is not None
        log = b""
        async with asyncio.timeout(30):
            while b"serving" not in log:
                log += await process.stderr.readline()
            probe = {"jsonrpc": "2.0", "method": "switch.probe", "params": ["sw1"], "id": 1}
            curl = await asyncio.create_subprocess_exec(
                "curl", "-s", "--unix-socket", f"{tmp_path}/rpcd.sock", "http://haas/rpc",
                "-d", json.dumps(probe), stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            answer, _ = await curl.communicate()
            process.terminate()
            log += await process.stderr.read()
        assert await process.wait() == 0
        assert json.loads(answer)["result"]["reachable"] is True
        free_of_secrets("the program's log", log.decode())
        await site.start()
