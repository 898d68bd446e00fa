"""A simulated switch with a Linux shell: bash is real, the vendor's commands are simulated."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import asyncssh

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Carried
from haas_rpcd.sim.shell import Call, ShellSwitch

from .console import Console, connected, eventually

PROMPT = re.compile(r"admin@sw1:~\$ $")


class Acme(ShellSwitch[cli.Config]):
    dialect = "acme"
    programs = ("acmectl",)

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        return [f"swp{number}" for number in range(1, count + 1)]

    def factory(self, hostname: str) -> cli.Config:
        return cli.Config(hostname, {name: cli.Port() for name in self.port_list})

    async def run(self, call: Call) -> int:
        match call.words[1:]:
            case ["vlan", vlan] if call.root:
                self.running.vlans[int(vlan)] = ""
            case ["access", port, vlan]:
                self.running.ports[port].access_vlan = int(vlan)
                self.touch(port)
            case ["save"]:
                if (await call.ask("Sure? ")) != "yes":
                    return 2
                self.save()
                call.print("saved")
            case _:
                call.error(f"no such command: {call.words[1:]}")
                return 1
        return 0


def acme(**options: Any) -> Acme:
    return Acme("sw1", ports=Acme.port_names(2), username="admin", password="pw", **options)


async def login(console: Console) -> None:
    await console.until("sw1 login: $")
    console.send("admin\rpw\r")
    await console.until(PROMPT)


async def run(console: Console, line: str) -> list[str]:
    console.send(f"{line}\r")
    echo, *printed, _prompt = re.sub(r"\x1b\[\?2004[hl]\r?", "", await console.until(PROMPT)).split(
        "\n"
    )
    assert echo == line
    return printed


async def test_login_is_checked_and_starts_a_real_shell() -> None:
    async with acme() as switch, connected(switch) as console:
        await console.until("sw1 login: $")
        console.send("admin\rno\r")
        assert "Login incorrect\nsw1 login: " in await console.until("incorrect\nsw1 login: $")
        console.send("admin\rpw\r")
        await console.until(PROMPT)
        assert await run(console, "false; echo $?") == ["1"]
        assert await run(console, "frobnicate; echo $?") == [
            "bash: frobnicate: command not found",
            "127",
        ]
        console.send("exit\r")
        await console.hung_up()
    assert switch.sessions == []


async def test_vendor_commands_change_what_ports_carry() -> None:
    async with acme(history=True) as switch, connected(switch) as console:
        await login(console)
        assert await run(console, "acmectl vlan 7; echo $?") == [
            "no such command: ['vlan', '7']",
            "1",
        ]
        assert await run(console, "sudo acmectl vlan 7 && acmectl access swp1 7") == []
        assert switch.carried("swp1") == Carried(7)
        assert await run(console, "acmectl 'a  b' 2>/dev/null; echo $?") == ["1"]
        assert [line.text for line in switch.lines[2:]] == [
            "acmectl vlan 7",
            "acmectl vlan 7",
            "acmectl access swp1 7",
            "acmectl 'a  b'",
        ]
        assert [entry.changed for entry in switch.history] == [{"swp1": Carried(7)}]


async def test_a_command_can_ask_a_question_while_further_input_waits() -> None:
    async with acme() as switch, connected(switch) as console:
        await login(console)
        console.send("acmectl save\r")
        await console.until(r"Sure\? $")
        console.send("yes\recho done\r")
        await console.until(r"\rdone\n[^\n]*\$ $")
        assert switch.counters.saves == 1


async def test_reboot_discards_unsaved_changes() -> None:
    async with acme() as switch, connected(switch) as console:
        await login(console)
        await run(console, "sudo acmectl vlan 7")
        console.send("sudo reboot\r")
        await console.hung_up()
        assert sorted(switch.running.vlans) == [1]


async def test_ssh_login_works_and_a_stalled_command_does_not_block_stop() -> None:
    before = asyncio.all_tasks()
    switch = acme(ssh=True)
    await switch.start()
    async with asyncssh.connect(
        "127.0.0.1",
        switch.ssh_port,
        username="admin",
        password="pw",
        known_hosts=None,
        config=None,
        client_keys=None,
    ) as connection:
        process = await connection.create_process(term_type="vt100")
        process.stdin.write("acmectl access swp1 1; echo is $?\n")
        async with asyncio.timeout(5):
            while "is 0" not in await process.stdout.readline():
                pass
        switch.faults.stall_at = "acmectl"
        process.stdin.write("acmectl\n")
        await eventually(lambda: switch.lines[-1].text == "acmectl")
        await switch.stop()
    assert switch.sessions == []
    assert not switch.home.exists()
    await eventually(lambda: asyncio.all_tasks() == before)
