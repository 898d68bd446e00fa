"""Sessions on the simulated Catalyst: logins, editing and refusals."""

from __future__ import annotations

import re

import pytest
import telnetlib3

from haas_rpcd.sim.ios import gigabit

from .catalyst import GI1, INVALID, PROMPT, catalyst, connected, logged_in

# --- getting in


async def test_a_telnetlib3_client_negotiates_and_logs_in() -> None:
    async with catalyst(motd="Keep out.") as switch:
        reader, unicode_writer = await telnetlib3.open_connection(
            "127.0.0.1", switch.port, encoding=False, connect_maxwait=0.5
        )
        writer: telnetlib3.TelnetWriter = unicode_writer  # bytes, as encoding=False says
        greeting = await reader.readuntil(b"Username: ")
        assert b"Keep out.\r\n" in greeting
        assert greeting.endswith(b"\r\nUser Access Verification\r\n\r\nUsername: ")
        assert writer.remote_option[telnetlib3.telopt.ECHO]
        assert writer.remote_option[telnetlib3.telopt.SGA]
        writer.write(b"haas\r\n")
        assert await reader.readuntil(b"Password: ") == b"haas\r\nPassword: "
        writer.write(b"pw\r\n")
        assert await reader.readuntil(b"#") == b"\r\nsw1#"  # the password is not echoed
        writer.close()


async def test_the_greeting_does_not_wait_for_negotiation() -> None:
    async with catalyst() as switch, connected(switch) as console:
        await console.until("Username: $")
        # WILL ECHO, WILL SGA, DO TTYPE, DO NAWS
        assert console.seen.startswith(b"\xff\xfb\x01\xff\xfb\x03\xff\xfd\x18\xff\xfd\x1f")


async def test_telnet_options_are_answered_once_and_removed_from_lines_even_if_split() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        console.seen = b""
        # a command cut in two, a subnegotiation, and an offer nobody needs (LINEMODE)
        console.writer.write(b"show\xff")
        console.writer.write(b"\xfd\x01 cl\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0ock\xff\xfb\x22\r\n")
        assert "UTC Mon Mar 1 1993" in await console.until(PROMPT)
        assert console.seen.count(b"\xff") == 1
        assert b"\xff\xfe\x22" in console.seen


async def test_a_client_that_refuses_echo_still_gets_it() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        console.send("\xff\xfe\x01show clock\r")  # DONT ECHO, as Python's telnetlib says
        assert (await console.until(PROMPT)).startswith("show clock\n")


async def test_three_wrong_logins_close_the_connection() -> None:
    async with catalyst() as switch, connected(switch) as console:
        console.send("haas\rno\r" * 3)
        said = await console.hung_up()
        assert said.count("% Login invalid\n\n") == 3
        assert said.count("Username: ") == 3
        assert (switch.counters.logins, switch.counters.failed_logins) == (0, 3)


async def test_without_users_only_the_line_password_is_asked_for() -> None:
    async with catalyst(username=None, enable="secret") as switch:
        async with connected(switch) as console:
            assert "Username" not in await console.until("Password: $")
            console.send("pw\r")
            assert (await console.until(PROMPT)).endswith("sw1>")
        async with connected(switch) as console:
            console.send("a\rb\rc\r")
            assert (await console.hung_up()).endswith("Password: \n% Bad passwords\n")


async def test_enable_asks_up_to_three_times() -> None:
    async with catalyst(enable="secret") as switch, logged_in(switch) as console:
        console.send("enable\ra\rb\rc\r")
        said = await console.until(PROMPT)
        assert said.count("Password: ") == 3
        assert said.endswith("% Bad secrets\n\nsw1>")
        console.send("ena\rsecret\r")
        assert (await console.until(PROMPT)).endswith("\nsw1#")
        console.send("disable\r")
        assert (await console.until(PROMPT)).endswith("sw1>")


async def test_enable_without_a_secret_is_refused_on_a_vty() -> None:
    async with catalyst(privilege=1) as switch, logged_in(switch) as console:
        assert await console.run("enable") == ["% No password set"]


async def test_a_session_is_refused_while_all_vtys_are_taken() -> None:
    async with catalyst(vtys=1) as switch:
        async with logged_in(switch) as first:
            async with connected(switch) as second:
                assert await second.hung_up() == ""
            first.send("exit\r")
            await first.hung_up()
        async with logged_in(switch):
            assert (switch.counters.connections, switch.counters.refused) == (2, 1)


async def test_passwords_are_not_recorded() -> None:
    async with catalyst(enable="hush") as switch, logged_in(switch) as console:
        console.send("enable\rhush\r")
        await console.until(PROMPT)
        assert [(line.mode, line.text) for line in switch.lines] == [
            ("username", "haas"),
            ("password", "********"),
            ("user", "terminal length 0"),
            ("user", "enable"),
            ("enable", "********"),
        ]
        assert not re.search("hush|pw", "".join(switch.running_config()))


# --- typing


@pytest.mark.parametrize("ending", ["\r", "\r\n", "\r\0", "\n"])
async def test_each_kind_of_line_end_ends_one_line(ending: str) -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        console.send(f"show clock{ending}exit{ending}")
        assert (await console.hung_up()).count("sw1#") == 1  # an empty line would make two


async def test_lines_sent_in_one_segment_are_executed_in_order() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        vlans = range(100, 200)
        sent = "".join(f"vlan {vlan}\r\nname net-{vlan}\r\n" for vlan in vlans)
        console.send(f"conf t\r\n{sent}end\r\nexit\r\n")
        said = await console.hung_up()
        assert [switch.running.vlans[vlan] for vlan in vlans] == [f"net-{v}" for v in vlans]
        assert said.count("(config-vlan)#name") == 100


async def test_backspace_and_deletion_of_a_line() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        console.send("show colck\b\b\b\block\rrubbish\x15show vlanx\x7f brief\r")
        await console.until("1005 trnet-default.*" + PROMPT.pattern)
        assert [line.text for line in switch.lines[-2:]] == ["show clock", "show vlan brief"]


async def test_a_line_wider_than_the_terminal_scrolls_until_the_width_is_raised() -> None:
    long = "description " + "x" * 80
    async with catalyst() as switch, logged_in(switch) as console:
        await console.run("conf t")
        await console.run(f"interface {GI1}")
        console.send(f"{long}\r")
        assert "\b$" in await console.until(PROMPT)
        assert switch.running.ports[GI1].description == "x" * 80
        await console.run("do terminal width 511")
        assert await console.run(long) == []  # run() demands an unbroken echo


async def test_question_mark_lists_the_next_words_and_keeps_the_line() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        console.send("show vlan br?")
        said = await console.until("sw1#show vlan br$")
        assert "\n  brief\nsw1#show vlan br" in said
        console.send("ief\r")
        assert "default" in await console.until(PROMPT)


async def test_output_is_paged_at_24_lines() -> None:
    async with catalyst(ports=gigabit(48)) as switch, logged_in(switch, lines="") as console:
        console.send("show interfaces status\r")
        first = await console.until(" --More-- $")
        assert first.count("\n") == 24  # its echo and 23 lines
        console.send("\r")
        erased, line = (await console.until(" --More-- $")).split("\b" * 9 + " " * 8 + "\b" * 9)
        assert (erased, line.count("\n")) == ("", 1)
        console.send(" ")
        assert (await console.until(" --More-- $")).count("\n") == 23
        console.send("q")
        assert (await console.until(r"sw1#$")).endswith("sw1#")
        await console.run("terminal length 0")
        whole = await console.run("show interfaces status")
        assert len(whole) == 50
        assert whole[-1].startswith("Gi1/0/48")


# --- refusals


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("show vlam", 8),  # under the first character that fits no keyword
        ("show vlan brief now", 16),
        ("show interfaces gi1/0/9 status", 22),  # under the part of the number that is wrong
        ("show interfaces fa0/1 status", 16),  # there is no FastEthernet here
        ("show vlan id 4095", 13),
        ("terminal length many", 16),
        ("vlan database now", 1),
    ],
)
async def test_the_caret_is_under_the_wrong_character(line: str, column: int) -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        assert await console.run(line) == [" " * (len("sw1#") + column) + "^", INVALID, ""]


async def test_ambiguous_incomplete_and_unknown_words() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        assert await console.run("show i") == ['% Ambiguous command:  "show i"']
        assert await console.run("show interfaces") == ["% Incomplete command.", ""]
        assert await console.run("terminal length") == ["% Incomplete command.", ""]
        assert await console.run("frobnicate") == [
            'Translating "frobnicate"',
            "% Unknown command or computer name, or unable to find computer address",
            "",
        ]
        assert await console.run("! a comment") == []


async def test_user_mode_refuses_privileged_commands() -> None:
    async with catalyst(enable="e") as switch, logged_in(switch) as console:
        assert await console.run("configure terminal") == [" " * 7 + "^", INVALID, ""]
        assert (await console.run("show running-config"))[1:] == [INVALID, ""]
        assert (await console.run("write"))[1].startswith("% Unknown command")
        assert (await console.run("show vlan brief"))[1].startswith("VLAN Name")
        assert switch.counters.saves == 0
