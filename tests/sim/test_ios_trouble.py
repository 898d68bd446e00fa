"""Log messages, faults and the end of the simulated Catalyst."""

from __future__ import annotations

import asyncio
import re

import pytest

from haas_rpcd.sim.ios import NVRAM_BUSY, IosSwitch, gigabit
from haas_rpcd.sim.ios.vlanlist import format_list, parse

from .catalyst import GI1, catalyst, connected, logged_in

# --- messages of the system


async def test_log_messages_go_to_monitoring_sessions_after_the_prompt() -> None:
    async with catalyst() as switch, logged_in(switch) as quiet, logged_in(switch) as monitor:
        await monitor.run("terminal monitor")
        await quiet.configure(f"int {GI1}", "shutdown")
        said = await monitor.until(r"CONFIG_I[^\n]*\n$")
        assert f"%LINK-5-CHANGED: Interface {GI1}, changed state to administratively down" in said
        assert "%SYS-5-CONFIG_I: Configured from console by haas on vty0 (127.0.0.1)" in said
        assert "%" not in "".join(await quiet.run("terminal length 0"))
        monitor.send("conf t\rend\r")
        assert re.search(r"sw1#\n\*Mar  1 .*CONFIG_I", await monitor.until(r"CONFIG_I[^\n]*\n$"))


async def test_announcements_go_to_all_sessions() -> None:
    async with catalyst() as switch, logged_in(switch) as one, connected(switch) as other:
        await other.until("Username: $")
        switch.announce("%ENV-0: it burns")
        for console in (one, other):
            assert "\n%ENV-0: it burns\n" in await console.until("burns\n$")


async def test_a_message_during_a_line_waits_for_the_prompt() -> None:
    def tell(switch: IosSwitch, _ports: frozenset[str]) -> None:
        switch.announce("%BRIDGE-6-SET: done")

    async with catalyst(on_change=tell) as switch, logged_in(switch) as console:
        await console.run("conf t")
        await console.run(f"interface {GI1}")
        console.send("shutdown\r")
        assert await console.until("done\n$") == (
            "shutdown\nsw1(config-if)#\n%BRIDGE-6-SET: done\n"
        )


# --- faults


async def test_a_fault_refuses_a_line() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        switch.faults.refuse["access vlan 1.."] = "Command rejected: no room in hardware"
        assert await console.configure(f"int {GI1}", "switchport access vlan 100") == [
            "Command rejected: no room in hardware"
        ]
        assert 100 not in switch.running.vlans


async def test_a_fault_cuts_a_session_before_or_after_a_line_is_executed() -> None:
    async with catalyst() as switch:
        async with logged_in(switch) as console:
            switch.faults.cut_after = 2
            console.send("conf t\rvlan 100\rvlan 101\rvlan 102\r")
            assert "vlan 101" not in await console.hung_up()
        assert 101 not in switch.running.vlans
        async with logged_in(switch) as console:  # it struck once
            switch.faults.cut_at = "^shutdown"
            console.send("conf t\rint gi1/0/1\rshutdown\r")
            assert "#shutdown\n" not in await console.hung_up()
        assert switch.running.ports[GI1].shutdown


async def test_a_fault_cuts_a_session_at_a_line_that_asks_a_question(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        switch.faults.cut_at = "^copy"
        console.send("copy running-config startup-config\r")
        await console.hung_up()
    assert caplog.records == []


async def test_a_stalled_session_does_not_affect_others() -> None:
    async with catalyst() as switch, logged_in(switch) as stuck:
        switch.faults.stall_at = "write"
        stuck.send("write memory\rshow clock\r")
        assert (await stuck.until("write memory\n$")).endswith("memory\n")
        async with logged_in(switch) as other:
            assert await other.run("show clock")
        assert stuck.reader._buffer == b""  # type: ignore[attr-defined]
        assert switch.counters.saves == 0


async def test_a_fault_delays_every_line() -> None:
    async with catalyst(line_delay=0.02) as switch, logged_in(switch) as console:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        console.send("show clock\r" * 5 + "exit\r")
        await console.hung_up()
        assert loop.time() - begun >= 6 * 0.02


async def test_a_fault_prevents_saving() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        switch.faults.save_error = NVRAM_BUSY
        assert await console.run("write memory") == [NVRAM_BUSY]
        assert (switch.counters.saves, switch.counters.failed_saves) == (0, 1)


async def test_a_fault_refuses_connections() -> None:
    async with catalyst() as switch:
        switch.faults.refuse_connections = True
        async with connected(switch) as console:
            assert await console.hung_up() == ""
        switch.faults.refuse_connections = False
        async with logged_in(switch):
            assert switch.counters.logins == 1


# --- life


async def test_stopping_a_busy_switch_leaves_nothing_behind() -> None:
    before = asyncio.all_tasks()
    switch = catalyst(line_delay=60)
    port = await switch.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"haas\r")
    await reader.readuntil(b"Username: haas\r\n")  # now the answer is an hour away
    await switch.stop()
    await switch.stop()
    assert switch.sessions == []
    assert asyncio.all_tasks() == before
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", port)
    writer.close()


async def test_the_switch_waits_for_a_client_that_does_not_read() -> None:
    async with catalyst(ports=gigabit(48)) as switch, logged_in(switch) as console:
        console.writer.transport.pause_reading()  # type: ignore[attr-defined]
        console.send("show interfaces switchport\r" * 200)
        console.send("exit\r")
        async with logged_in(switch) as other:
            assert await other.run("show clock")
        assert not any(line.text == "exit" for line in switch.lines)
        console.writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert (await console.hung_up()).count("Appliance trust") == 200 * 48


@pytest.mark.parametrize("keep", [10, 0])
async def test_the_number_of_recorded_lines_can_be_limited(keep: int) -> None:
    async with catalyst(keep_lines=keep) as switch, logged_in(switch) as console:
        console.send("show clock\r" * 100 + "exit\r")
        await console.hung_up()
        assert len(switch.lines) <= 2 * keep
        assert not keep or switch.lines[-1].text == "exit"
        assert switch.counters.lines == 104


def test_lists_of_vlans_are_written_as_in_ios() -> None:
    assert format_list([10, 11, 20, 21, 22]) == "10,11,20-22"
    assert format_list([]) == "none"
    assert parse("10,11,20-22") == {10, 11, 20, 21, 22}
    for wrong in ("", "0", "4095", "5-5", "1,", "1-2-3", "a", "1 2"):
        with pytest.raises(ValueError, match="Command rejected: Bad VLAN list"):
            parse(wrong)
