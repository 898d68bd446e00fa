"""The simulated Catalyst, from outside: what a client on its telnet port sees, and what it did.

Most of it speaks through a bare socket that never negotiates; texts are IOS's own.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import telnetlib3

from haas_rpcd.sim.ios import NVRAM_BUSY, Carried, IosSwitch, gigabit
from haas_rpcd.sim.ios.vlanlist import format_list, parse

PROMPT = re.compile(r"(?:^|\n)[\w-]+(?:\(config[^)]*\))?[>#]$")
GI1, GI2, GI3, GI4 = gigabit(4)
INVALID = "% Invalid input detected at '^' marker."


class Console:
    """A client without any telnet: it takes bytes as they come."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.seen = b""

    def send(self, text: str) -> None:
        self.writer.write(text.encode("latin-1"))

    async def until(self, pattern: str | re.Pattern[str]) -> str:
        """Read until what came since the last call ends in ``pattern``; return it."""
        pattern = re.compile(pattern) if isinstance(pattern, str) else pattern
        text = ""
        async with asyncio.timeout(5):
            while not pattern.search(text):
                data = await self.reader.read(65536)
                assert data, f"the switch hung up after {text!r}"
                self.seen += data
                text += re.sub(rb"\xff[\xfb-\xfe].", b"", data).decode().replace("\r\n", "\n")
        return text

    async def run(self, line: str) -> list[str]:
        """Send a line; return what is printed between its echo and the next prompt."""
        self.send(f"{line}\r")
        echo, *printed, _prompt = (await self.until(PROMPT)).split("\n")
        assert echo == line
        return printed

    async def configure(self, *lines: str) -> list[str]:
        """Carry out lines in global configuration; return all that they print."""
        await self.run("configure terminal")
        printed = [text for line in lines for text in await self.run(line)]
        return printed + await self.run("end")

    async def hung_up(self) -> str:
        """Read to the end of the connection; a reset is an end too."""
        data = b""
        async with asyncio.timeout(5):
            try:
                while chunk := await self.reader.read(65536):
                    data += chunk
            except ConnectionResetError:
                pass
        return data.decode("latin-1").replace("\r\n", "\n")


@asynccontextmanager
async def connected(switch: IosSwitch) -> AsyncIterator[Console]:
    """A connection on which nothing has been said yet."""
    reader, writer = await asyncio.open_connection("127.0.0.1", switch.port)
    try:
        yield Console(reader, writer)
    finally:
        writer.close()


@asynccontextmanager
async def logged_in(switch: IosSwitch, lines: str = "terminal length 0") -> AsyncIterator[Console]:
    """A session at the prompt, past the login and without paging."""
    async with connected(switch) as console:
        await console.until("Username: $")
        console.send(f"{switch.access.username}\r{switch.access.password}\r")
        await console.until(PROMPT)
        if lines:
            await console.run(lines)
        yield console


def catalyst(**options: object) -> IosSwitch:
    """A switch of four ports, whose user lands at the ``#`` prompt."""
    settings: dict[str, object] = {"ports": gigabit(4), "username": "haas", "password": "pw"}
    return IosSwitch("sw1", **(settings | options))  # type: ignore[arg-type]


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


async def test_a_client_that_never_negotiates_is_greeted_at_once_as_by_a_catalyst() -> None:
    async with catalyst() as switch, connected(switch) as console:
        await console.until("Username: $")
        # WILL ECHO, WILL SGA, DO TTYPE, DO NAWS
        assert console.seen.startswith(b"\xff\xfb\x01\xff\xfb\x03\xff\xfd\x18\xff\xfd\x1f")


async def test_options_are_answered_once_and_taken_out_of_lines_even_when_cut_in_two() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        console.seen = b""
        # a command cut in two, a subnegotiation, and an offer nobody needs (LINEMODE)
        console.writer.write(b"show\xff")
        console.writer.write(b"\xfd\x01 cl\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0ock\xff\xfb\x22\r\n")
        assert "UTC Mon Mar 1 1993" in await console.until(PROMPT)
        assert console.seen.count(b"\xff") == 1
        assert b"\xff\xfe\x22" in console.seen


async def test_a_client_that_forbids_the_echo_gets_it_all_the_same() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        console.send("\xff\xfe\x01show clock\r")  # DONT ECHO, as Python's telnetlib says
        assert (await console.until(PROMPT)).startswith("show clock\n")


async def test_three_wrong_logins_close_the_line() -> None:
    async with catalyst() as switch, connected(switch) as console:
        console.send("haas\rno\r" * 3)
        said = await console.hung_up()
        assert said.count("% Login invalid\n\n") == 3
        assert said.count("Username: ") == 3
        assert (switch.counters.logins, switch.counters.failed_logins) == (0, 3)


async def test_a_line_password_without_users() -> None:
    async with catalyst(username=None, enable="secret") as switch:
        async with connected(switch) as console:
            assert "Username" not in await console.until("Password: $")
            console.send("pw\r")
            assert (await console.until(PROMPT)).endswith("sw1>")
        async with connected(switch) as console:
            console.send("a\rb\rc\r")
            assert (await console.hung_up()).endswith("Password: \n% Bad passwords\n")


async def test_enable_asks_three_times() -> None:
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


async def test_when_all_vtys_are_taken_the_next_one_is_turned_away() -> None:
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
async def test_every_line_ending_ends_one_line(ending: str) -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        console.send(f"show clock{ending}exit{ending}")
        assert (await console.hung_up()).count("sw1#") == 1  # an empty line would make two


async def test_lines_sent_ahead_in_one_segment_are_carried_out_in_order() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        vlans = range(100, 200)
        sent = "".join(f"vlan {vlan}\r\nname net-{vlan}\r\n" for vlan in vlans)
        console.send(f"conf t\r\n{sent}end\r\nexit\r\n")
        said = await console.hung_up()
        assert [switch.running.vlans[vlan] for vlan in vlans] == [f"net-{v}" for v in vlans]
        assert said.count("(config-vlan)#name") == 100


async def test_backspace_and_erasing_the_line() -> None:
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


async def test_question_mark_lists_what_may_come_next_and_keeps_the_line() -> None:
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
async def test_the_caret_stands_under_what_is_wrong(line: str, column: int) -> None:
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


async def test_user_mode_knows_no_privileged_command() -> None:
    async with catalyst(enable="e") as switch, logged_in(switch) as console:
        assert await console.run("configure terminal") == [" " * 7 + "^", INVALID, ""]
        assert (await console.run("show running-config"))[1:] == [INVALID, ""]
        assert (await console.run("write"))[1].startswith("% Unknown command")
        assert (await console.run("show vlan brief"))[1].startswith("VLAN Name")
        assert switch.counters.saves == 0


# --- configuring


async def test_modes_and_their_prompts() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        console.send("conf t\rint gi1/0/1\rvlan 7\rint range gi1/0/1 - 2\rexit\rexit\r")
        said = await console.until("exit" + PROMPT.pattern)
        assert re.findall(r"^(sw1\S*[#>])", said, re.MULTILINE) == [
            "sw1(config)#",
            "sw1(config-if)#",
            "sw1(config-vlan)#",
            "sw1(config-if-range)#",
            "sw1(config)#",
            "sw1#",
        ]
        console.send("conf t\rhostname edge-9\rint gi1/0/1\rshutdown\x1a")  # Ctrl-Z
        assert (await console.until(r"\^Z\n.*#$")).endswith("edge-9(config-if)#shutdown^Z\nedge-9#")
        assert switch.running.ports[GI1].shutdown


async def test_ctrl_c_leaves_configuration_and_drops_the_line() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        console.send("conf t\rint gi1/0/1\rshutdown\x03")
        assert (await console.until(r"\^C\nsw1#$")).endswith("sw1#")
        assert not switch.running.ports[GI1].shutdown


@pytest.mark.parametrize(
    "name", [GI2, "gi1/0/2", "gi 1/0/2", "g1/0/2", "GIGA 1/0/2", "gigabitethernet   1/0/2"]
)
async def test_every_spelling_of_an_interface(name: str) -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        await console.configure(f"int {name}", "shut")
        assert [port for port in gigabit(4) if switch.running.ports[port].shutdown] == [GI2]


async def test_an_interface_that_does_not_exist_leaves_the_previous_one_selected() -> None:
    # It is what makes blind sending dangerous: the next lines go to the wrong port.
    async with catalyst() as switch, logged_in(switch) as console:
        printed = await console.configure("interface gi1/0/1", "interface gi1/0/99", "shutdown")
        assert INVALID in printed
        assert switch.running.ports[GI1].shutdown


@pytest.mark.parametrize(
    ("spec", "ports"),
    [
        ("gi1/0/1 - 3", [GI1, GI2, GI3]),
        ("gi1/0/1 -3", [GI1, GI2, GI3]),
        ("gi1/0/1 , gi1/0/3 - 4", [GI1, GI3, GI4]),
        ("gi 1/0/1 - 2 ,gi1/0/2 , gi1/0/4", [GI1, GI2, GI4]),
        ("gi1/0/1-3", []),  # the manual wants a blank before the hyphen
        ("gi1/0/1, gi1/0/3", []),  # and before the comma
        ("gi1/0/3 - 1", []),
        ("gi1/0/1 - 5", []),
        (" , ".join(["g1/0/1"] * 5), [GI1]),
        (" , ".join(["g1/0/1"] * 6), []),  # five parts at most
    ],
)
async def test_ranges(spec: str, ports: list[str]) -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        printed = await console.configure(f"int range {spec}", "shutdown")
        assert [name for name, port in switch.running.ports.items() if port.shutdown] == ports
        assert (INVALID in printed) == (not ports)


async def test_a_range_stops_at_the_first_port_that_refuses() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        printed = await console.configure(
            f"interface {GI1}",
            "switchport mode access",
            "interface range gi1/0/1 - 3",
            "switchport nonegotiate",
        )
        assert printed == [
            "Command rejected: Conflict between 'nonegotiate' and 'dynamic' status on this "
            "interface: Gi1/0/2",
            f"% Range command terminated because it failed on {GI2}",
        ]
        assert [port.nonegotiate for port in switch.running.ports.values()] == [True] + [False] * 3


async def test_a_vlan_comes_into_being_when_its_mode_is_left() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        await console.run("conf t")
        await console.run("vlan 100")
        await console.run("name blue")
        assert 100 not in switch.running.vlans
        assert await console.run("do show vlan id 100") == [
            "VLAN id 100 not found in current VLAN database"
        ]
        await console.run(f"interface {GI1}")  # a global command leaves the mode too
        assert switch.running.vlans[100] == "blue"


async def test_vlans_that_cannot_be_made_or_deleted() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        assert await console.configure("no vlan 1", "no vlan 1002") == [
            "%Default VLAN 1 may not be deleted.",
            "%Default VLAN 1002 may not be deleted.",
        ]
        assert await console.configure("vlan 5000") == [
            "Command rejected: Bad VLAN list - character #5 (EOL) delimits a VLAN",
            "number which is out of the range 1..4094.",
        ]
        assert await console.configure("vlan 1", "name mine") == [
            "Default VLAN 1 may not have its name changed."
        ]
        assert await console.configure("vlan 10", "name a", "vlan 11", "name a") == [
            "VLAN #11 and #10 have an identical name: a"
        ]
        assert sorted(switch.running.vlans) == [1, 10, 1002, 1003, 1004, 1005]


async def test_lists_of_vlans_are_made_and_deleted_at_once() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        assert await console.configure("vlan 10,20-22", "no vlan 21") == []
        assert set(switch.running.vlans) - {1, 1002, 1003, 1004, 1005} == {10, 20, 22}
        assert switch.running.vlans[20] == "VLAN0020"


async def test_a_vtp_server_makes_no_extended_vlans_and_keeps_the_others_over_a_reload() -> None:
    async with catalyst(vtp_mode="server") as switch:
        async with logged_in(switch) as console:
            assert await console.configure("vlan 2000", "exit") == [
                "% Failed to create VLANs 2000",
                "Extended VLAN(s) not allowed in current VTP mode.",
                "%Failed to commit extended VLAN(s) changes.",
            ]
            await console.configure("vlan 100", "exit")
            assert "vlan 100" not in await console.run("show running-config")
        switch.reload()
        assert 100 in switch.running.vlans


async def test_an_access_vlan_that_does_not_exist_is_made() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        assert await console.configure("int range gi1/0/1 - 2", "switchport access vlan 30") == [
            "% Access VLAN does not exist. Creating vlan 30"
        ]
        assert switch.running.vlans[30] == "VLAN0030"


@pytest.mark.parametrize(
    ("lines", "allowed"),
    [
        (["10,20-22"], "10,20-22"),
        (["none"], "none"),
        (["none", "add 5", "add 7-8"], "5,7,8"),
        (["remove 1-4000"], "4001-4094"),
        (["except 1-4090"], "4091-4094"),
        (["10", "all"], "1-4094"),
        (["10", "add x"], "10"),
        (["10", "11-10"], "10"),
    ],
)
async def test_allowed_vlans(lines: list[str], allowed: str) -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        await console.configure(
            f"interface {GI1}", *(f"switchport trunk allowed vlan {line}" for line in lines)
        )
        assert format_list(switch.running.ports[GI1].allowed) == allowed
        await console.configure(f"interface {GI1}", "no switchport trunk allowed vlan")
        assert format_list(switch.running.ports[GI1].allowed) == "1-4094"


async def test_a_model_with_isl_wants_an_encapsulation_before_it_trunks() -> None:
    async with catalyst(model="WS-C3560X-24T-S") as switch, logged_in(switch) as console:
        rejected = (
            'Command rejected: An interface whose trunk encapsulation is "Auto" can not be '
            'configured to "trunk" mode.'
        )
        assert await console.configure(f"int {GI1}", "switchport mode trunk") == [rejected]
        assert switch.running.ports[GI1].mode == "dynamic auto"
        lines = ["switchport trunk encapsulation dot1q", "switchport mode trunk"]
        assert await console.configure(f"int {GI1}", *lines) == []
        assert await console.run("show running-config interface gi1/0/1 | include switchport") == [
            f" {line}" for line in lines
        ]
    async with catalyst() as switch, logged_in(switch) as console:
        assert INVALID in await console.configure(f"int {GI1}", lines[0])
        assert await console.configure(f"int {GI1}", lines[1]) == []


async def test_nonegotiate_and_dynamic_exclude_each_other() -> None:
    conflict = (
        "Command rejected: Conflict between 'nonegotiate' and 'dynamic' status on this "
        "interface: Gi1/0/1"
    )
    async with catalyst() as switch, logged_in(switch) as console:
        assert await console.configure(f"int {GI1}", "switchport nonegotiate") == [conflict]
        assert await console.configure(
            f"int {GI1}", "sw mo trunk", "sw nonegotiate", "no switchport mode"
        ) == [conflict]
        assert switch.running.ports[GI1].mode == "trunk"


async def test_portfast_warns() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        printed = await console.configure(f"int {GI1}", "spanning-tree portfast")
        assert printed[0].startswith("%Warning: portfast should only be enabled on ports")
        assert f"%Portfast has been configured on {GI1} but will only" in printed
        printed = await console.configure("int range gi1/0/1 - 4", "spanning-tree portfast")
        assert sum(text.startswith("%Warning") for text in printed) == 1
        assert await console.configure(f"int {GI1}", "no spanning-tree portfast") == []


async def test_a_description_may_hold_anything() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        await console.configure(f"int {GI1}", "description  node-1 | nic eth0 ! 100%")
        assert switch.running.ports[GI1].description == "node-1 | nic eth0 ! 100%"
        await console.configure(f"int {GI1}", "no description")
        assert switch.running.ports[GI1].description == ""


# --- showing


async def test_the_running_configuration_shows_what_is_not_default() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        await console.configure(
            "vlan 100", "name blue", "vlan 200-202",
            f"interface {GI1}",
            "description to node-1", "switchport mode access", "switchport access vlan 100",
            "shutdown",
            f"interface {GI2}",
            "switchport trunk native vlan 100", "switchport trunk allowed vlan 100,200,201",
            "switchport mode trunk",
        )  # fmt: skip
        lines = await console.run("show running-config")
        assert lines[:2] == ["Building configuration...", ""]
        size = re.fullmatch(r"Current configuration : (\d+) bytes", lines[2])
        assert size is not None
        assert int(size[1]) == len("\n".join([*lines[3:], ""]))
        assert lines[lines.index("vlan 100") :][:5] == [
            "vlan 100", " name blue", "!", "vlan 200-202", "!"
        ]  # fmt: skip
        assert lines[lines.index(f"interface {GI1}") :][:14] == [
            f"interface {GI1}",
            " description to node-1",
            " switchport access vlan 100",
            " switchport mode access",
            " shutdown",
            "!",
            f"interface {GI2}",
            " switchport trunk native vlan 100",
            " switchport trunk allowed vlan 100,200,201",
            " switchport mode trunk",
            "!",
            f"interface {GI3}",
            "!",
            f"interface {GI4}",
        ]
        assert lines[-2:] == ["end", ""]


async def test_a_long_list_of_allowed_vlans_is_broken_into_lines() -> None:
    vlans = ",".join(str(vlan) for vlan in range(100, 200, 2))
    async with catalyst() as switch, logged_in(switch) as console:
        await console.run("terminal width 0")
        await console.configure(f"int {GI1}", f"switchport trunk allowed vlan {vlans}")
        shown = await console.run(f"show running-config interface {GI1}")
        pieces = [line.split(" vlan ")[1] for line in shown if " allowed vlan " in line]
        assert len(pieces) > 1
        assert all(piece.startswith("add ") for piece in pieces[1:])
        assert ",".join(piece.removeprefix("add ") for piece in pieces) == vlans


async def test_tables_say_what_ports_do() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        await console.configure(
            "vlan 100", f"int {GI1}", "sw mo acc", "sw acc vlan 100",
            f"int {GI2}", "sw mo trunk", "sw trunk allowed vlan 100,300",
            f"int {GI3}", "shutdown",
        )  # fmt: skip
        switch.plug(GI4, plugged=False)
        brief = await console.run("show vlan brief")
        assert "1    default                          active    Gi1/0/3, Gi1/0/4" in brief
        assert "100  VLAN0100                         active    Gi1/0/1" in brief
        status = [line.split()[1:3] for line in await console.run("show interfaces status")][2:]
        assert status == [
            ["connected", "100"], ["connected", "trunk"], ["disabled", "1"], ["notconnect", "1"]
        ]  # fmt: skip
        trunk = await console.run("show interfaces trunk")
        assert [line.split() for line in trunk if line.startswith("Gi")] == [
            ["Gi1/0/2", "on", "802.1q", "trunking", "1"],
            ["Gi1/0/2", "100,300"],
            ["Gi1/0/2", "100"],
            ["Gi1/0/2", "100"],
        ]
        detail = await console.run("show interfaces gi1/0/2 switchport")
        assert detail[0] == "Name: Gi1/0/2"
        assert "Administrative Mode: trunk" in detail
        assert "Trunking VLANs Enabled: 100,300" in detail
        detail = await console.run("show interfaces gi1/0/3 switchport")
        assert "Administrative Mode: dynamic auto" in detail
        assert "Operational Mode: down" in detail
        assert "Trunking VLANs Enabled: ALL" in detail
        assert any("WS-C2960S" in line for line in await console.run("show version"))
        assert any("haas" in line for line in await console.run("show users"))


# --- saving and reloading


@pytest.mark.parametrize("how", ["write memory", "wr", "copy running-config startup-config\r"])
async def test_only_what_was_saved_survives_a_reload(how: str) -> None:
    async with catalyst() as switch:
        async with logged_in(switch) as console:
            await console.configure("vlan 100", f"int {GI1}", "shutdown")
            console.send(f"{how}\r")
            assert "Building configuration...\n[OK]\nsw1#" in await console.until(r"\]\nsw1#$")
            await console.configure("vlan 101", f"int {GI1}", "no shutdown")
            console.send("reload\r")
            await console.until(r"Save\? \[yes/no\]: $")
            console.send("no\r")
            await console.until(r"Proceed with reload\? \[confirm\]$")
            console.send("\r")
            await console.hung_up()
        assert switch.running.ports[GI1].shutdown
        assert 100 in switch.running.vlans
        assert 101 not in switch.running.vlans
        assert (switch.counters.saves, switch.counters.reloads) == (1, 1)


async def test_another_destination_file_saves_nothing_that_boots() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        await console.configure("vlan 100", "exit")
        console.send("copy run start\ry\r")
        await console.until(r"\[OK\]\nsw1#$")
        assert switch.modified


async def test_a_reload_that_is_not_confirmed_does_not_happen() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        console.send("reload\rn")
        await console.until(r"\[confirm\]\nsw1#$")
        assert switch.counters.reloads == 0


# --- what ports carry


async def test_a_fresh_port_carries_vlan_1_and_a_fresh_trunk_everything() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        assert switch.carried(GI1) == Carried(1)
        await console.configure("vlan 100,200", f"int {GI1}", "switchport mode trunk")
        assert switch.carried(GI1) == Carried(1, frozenset({100, 200}))


async def test_ports_carry_only_vlans_that_exist() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        await console.configure(f"int {GI1}", "sw mo acc", "sw acc vlan 100", "no vlan 100")
        assert switch.running.ports[GI1].access_vlan == 100
        assert switch.carried(GI1) == Carried()
        await console.configure(
            f"int {GI2}", "sw mo trunk", "sw trunk allowed vlan 100,200", "sw trunk native vlan 200"
        )
        assert switch.carried(GI2) == Carried()
        await console.configure("vlan 100,200", "exit")
        assert switch.carried(GI1) == Carried(100)
        assert switch.carried(GI2) == Carried(200, frozenset({100}))
        await console.configure(f"int {GI2}", "shutdown")
        assert switch.carried(GI2) == Carried()


async def test_changes_are_told_and_kept_line_by_line() -> None:
    told: list[frozenset[str]] = []
    switch = catalyst(history=True, on_change=lambda _switch, ports: told.append(ports))
    async with switch, logged_in(switch) as console:
        await console.configure(
            "vlan 100",
            "int range gi1/0/1 - 2",
            "switchport access vlan 100",
            "switchport access vlan 100",
            "description nothing changes",
            f"int {GI1}",
            "shutdown",
        )
        assert told == [frozenset({GI1, GI2}), frozenset({GI1})]
        assert [(entry.line.text, dict(entry.changed)) for entry in switch.history] == [
            ("switchport access vlan 100", {GI1: Carried(100), GI2: Carried(100)}),
            ("shutdown", {GI1: Carried()}),
        ]


# --- messages of the system


async def test_messages_come_only_to_a_monitoring_terminal_and_after_the_prompt() -> None:
    async with catalyst() as switch, logged_in(switch) as quiet, logged_in(switch) as monitor:
        await monitor.run("terminal monitor")
        await quiet.configure(f"int {GI1}", "shutdown")
        said = await monitor.until(r"CONFIG_I[^\n]*\n$")
        assert f"%LINK-5-CHANGED: Interface {GI1}, changed state to administratively down" in said
        assert "%SYS-5-CONFIG_I: Configured from console by haas on vty0 (127.0.0.1)" in said
        assert "%" not in "".join(await quiet.run("terminal length 0"))
        monitor.send("conf t\rend\r")
        assert re.search(r"sw1#\n\*Mar  1 .*CONFIG_I", await monitor.until(r"CONFIG_I[^\n]*\n$"))


async def test_a_test_may_announce_anything_to_everybody() -> None:
    async with catalyst() as switch, logged_in(switch) as one, connected(switch) as other:
        await other.until("Username: $")
        switch.announce("%ENV-0: it burns")
        for console in (one, other):
            assert "\n%ENV-0: it burns\n" in await console.until("burns\n$")


async def test_a_message_in_the_middle_of_a_line_waits_for_its_prompt() -> None:
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


async def test_a_line_can_be_refused() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        switch.faults.refuse["access vlan 1.."] = "Command rejected: no room in hardware"
        assert await console.configure(f"int {GI1}", "switchport access vlan 100") == [
            "Command rejected: no room in hardware"
        ]
        assert 100 not in switch.running.vlans


async def test_a_session_can_be_cut_before_or_after_a_line_is_carried_out() -> None:
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


async def test_a_stalled_session_answers_nothing_but_others_live() -> None:
    async with catalyst() as switch, logged_in(switch) as stuck:
        switch.faults.stall_at = "write"
        stuck.send("write memory\rshow clock\r")
        assert (await stuck.until("write memory\n$")).endswith("memory\n")
        async with logged_in(switch) as other:
            assert await other.run("show clock")
        assert stuck.reader._buffer == b""  # type: ignore[attr-defined]
        assert switch.counters.saves == 0


async def test_a_line_takes_as_long_as_it_is_told_to() -> None:
    async with catalyst(line_delay=0.02) as switch, logged_in(switch) as console:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        console.send("show clock\r" * 5 + "exit\r")
        await console.hung_up()
        assert loop.time() - begun >= 6 * 0.02


async def test_a_save_can_fail() -> None:
    async with catalyst() as switch, logged_in(switch) as console:
        switch.faults.save_error = NVRAM_BUSY
        assert await console.run("write memory") == [NVRAM_BUSY]
        assert (switch.counters.saves, switch.counters.failed_saves) == (0, 1)


async def test_connections_can_be_refused() -> None:
    async with catalyst() as switch:
        switch.faults.refuse_connections = True
        async with connected(switch) as console:
            assert await console.hung_up() == ""
        switch.faults.refuse_connections = False
        async with logged_in(switch):
            assert switch.counters.logins == 1


# --- life


async def test_it_stops_in_the_middle_of_everything_and_leaves_nothing_behind() -> None:
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


async def test_a_client_that_does_not_read_is_waited_for() -> None:
    async with catalyst(ports=gigabit(48)) as switch, logged_in(switch) as console:
        console.writer.transport.pause_reading()  # type: ignore[attr-defined]
        console.send("show interfaces switchport\r" * 200)
        console.send("exit\r")
        async with logged_in(switch) as other:
            assert await other.run("show clock")
        assert not any(line.text == "exit" for line in switch.lines)
        console.writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert (await console.hung_up()).count("Appliance trust") == 200 * 48


async def test_the_records_can_be_kept_short() -> None:
    async with catalyst(keep_lines=10) as switch, logged_in(switch) as console:
        console.send("show clock\r" * 100 + "exit\r")
        await console.hung_up()
        assert len(switch.lines) <= 20
        assert switch.lines[-1].text == "exit"
        assert switch.counters.lines == 104


def test_lists_of_vlans_are_written_as_ios_writes_them() -> None:
    assert format_list([10, 11, 20, 21, 22]) == "10,11,20-22"
    assert format_list([]) == "none"
    assert parse("10,11,20-22") == {10, 11, 20, 21, 22}
    for wrong in ("", "0", "4095", "5-5", "1,", "1-2-3", "a", "1 2"):
        with pytest.raises(ValueError, match="Command rejected: Bad VLAN list"):
            parse(wrong)
