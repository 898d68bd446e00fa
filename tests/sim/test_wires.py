"""The two wires of simulated switches, telnet and SSH, and the delay of a line."""

from __future__ import annotations

import asyncio
import time

import asyncssh
import pytest

from haas_rpcd.sim.personalities import dialects, make

from .console import connected


@pytest.mark.parametrize("dialect", dialects())
async def test_ssh_login_asks_for_no_further_user_name(dialect: str) -> None:
    async with make(dialect, username="haas", password="pw", ssh=True) as switch:
        async with (
            asyncssh.connect(
                "127.0.0.1",
                switch.ssh_port,
                username="haas",
                password="pw",
                known_hosts=asyncssh.import_known_hosts(
                    f"[127.0.0.1]:{switch.ssh_port} {switch.host_key}\n"
                ),
                config=None,
                client_keys=None,
            ) as connection,
            connection.create_process(term_type="vt100", encoding=None) as process,
        ):
            said = b""
            async with asyncio.timeout(5):
                while b"sw1" not in said:
                    said += await process.stdout.read(4096)
            assert b"assword" not in said
            assert len(switch.sessions) == 1
        assert (switch.counters.logins, switch.counters.failed_logins) == (1, 0)


@pytest.mark.parametrize("methods", ["password", "keyboard-interactive"])
async def test_ssh_refuses_a_wrong_password(methods: str) -> None:
    async with make("cisco_ios", username="haas", password="pw", ssh=True) as switch:
        with pytest.raises(asyncssh.PermissionDenied):
            await asyncssh.connect(
                "127.0.0.1",
                switch.ssh_port,
                username="haas",
                password="no",
                known_hosts=None,
                config=None,
                client_keys=None,
                preferred_auth=methods,
            )
        assert switch.counters.logins == 0
        assert switch.counters.failed_logins >= 1
        assert switch.sessions == []


async def test_lines_sent_together_are_delayed_by_one_round_trip() -> None:
    options = {"username": "haas", "password": "pw", "round_trip": 0.1}
    async with make("cisco_ios", **options) as switch, connected(switch) as console:
        await console.until("Username: $")
        begun = time.monotonic()
        console.send("haas\rpw\r" + "show clock\r" * 100 + "exit\r")
        await console.hung_up()
        assert 0.1 <= time.monotonic() - begun < 100 * 0.1 / 2  # one after the other: over 10 s


async def test_each_line_sent_ahead_takes_its_own_time() -> None:
    options = {"username": "haas", "password": "pw", "round_trip": 0.1}
    async with make("cisco_ios", **options) as switch, connected(switch) as console:
        console.send("haas\rpw\r")
        await console.until("#$")
        switch.faults.line_delay = 0.02
        begun = time.monotonic()
        console.send("show clock\r" * 9 + "exit\r")
        await console.hung_up()
        assert time.monotonic() - begun >= 0.3


def test_an_unknown_option_is_an_error() -> None:
    with pytest.raises(TypeError, match="vty"):
        make("cisco_ios", vty=3)  # type: ignore[call-arg]
