"""Open vSwitch, on a model of a port after the table "Port" of ovs-vswitchd.conf.db(5).

The lab uses the real one (``tests/lab/inside/test_openvswitch.py``).
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.model import PARKED, PortConfig, SetPort
from haas_rpcd.vlanranges import parse_vlan_ranges
from tests.laws import law
from tests.unit.dialects.harness import CONFIGS, POOL, Ignoring

OVS = DIALECTS["openvswitch"]
NO_TAG = 0
NOWHERE = 4095
ALL = frozenset(range(4096))

some = st.frozensets(st.sampled_from((NO_TAG, 7, *POOL)))


@dataclass
class OvsPort:
    """A row of the table, and its link. A fresh port is up and carries everything."""

    vlan_mode: str | None = None
    tag: int | None = None
    trunks: frozenset[int] = field(default_factory=frozenset)
    protected: bool = False
    up: bool = True

    def run(self, line: str) -> None:
        """Carry out one command; fail on an unknown one."""
        if match := re.fullmatch(
            r"ip link set dev p1 (up|down)"
            r"|ovs-ofctl -O OpenFlow10\S* mod-port br0 p1 (up|down)",
            line,
        ):
            self.up = "up" in match.groups()
        elif match := re.fullmatch(r"ovs-vsctl --timeout=10 add port p1 trunks (\S+)", line):
            self.trunks |= set(parse_vlan_ranges(match[1]))
        else:
            match = re.fullmatch(r"ovs-vsctl --timeout=10 set port p1 (.+)", line)
            assert match, line
            for column in match[1].split():
                self._set(*column.split("="))

    def _set(self, column: str, text: str) -> None:
        if column == "vlan_mode":
            assert text in ("access", "trunk", "native-untagged")
            self.vlan_mode = text
        elif column == "tag":
            self.tag = None if text == "[]" else int(text)
        elif column == "trunks":
            vlans = "" if text == "[]" else text
            self.trunks = frozenset({NOWHERE} if vlans == "4095" else _vlans(vlans))
        else:
            assert column == "protected"
            self.protected = text == "true"

    def described(self) -> frozenset[int]:
        """Return what the port carries by its row; 0 stands for untagged frames."""
        tag = NO_TAG if self.tag is None else self.tag
        mode = self.vlan_mode or ("trunk" if self.tag is None else "access")
        if mode == "access":
            return frozenset({tag})
        if mode == "trunk":
            return self.trunks or ALL
        return (self.trunks or ALL) | {tag}

    def carried(self) -> frozenset[int]:
        return self.described() if self.up else frozenset()

    def shown(self) -> list[str]:
        """Return the output of ``ovs-vsctl --format=json list port`` and ``ip -json link show``."""
        row = [
            "p1",
            self.vlan_mode or ["set", []],
            ["set", []] if self.tag is None else self.tag,
            min(self.trunks) if len(self.trunks) == 1 else ["set", sorted(self.trunks)],
            self.protected,
        ]
        others = ["br0", ["set", []], ["set", []], ["set", []], False]
        columns = ["name", "vlan_mode", "tag", "trunks", "protected"]
        flags = ["BROADCAST", "MULTICAST", *(["UP", "LOWER_UP"] if self.up else [])]
        return [
            json.dumps({"data": [others, row], "headings": columns}),
            json.dumps([{"ifname": "lo", "flags": ["UP"]}, {"ifname": "p1", "flags": flags}]),
        ]


def _vlans(text: str) -> tuple[int, ...]:
    return parse_vlan_ranges(text) if text else ()


def lines(config: PortConfig, **options: Any) -> list[str]:
    return [line.text for line in OVS.writer.script([SetPort("p1", config)], options)]


@law(200)
@given(
    st.builds(
        OvsPort,
        st.sampled_from((None, "access", "trunk", "native-untagged", "native-tagged")),
        st.none() | st.sampled_from((7, *POOL)),
        some,
        st.booleans(),
        st.booleans(),
    ),
    st.lists(CONFIGS, min_size=1, max_size=4),
    st.sampled_from(({}, {"bridge": "br0"})),
)
def test_no_line_opens_a_foreign_vlan_from_any_state(
    port: OvsPort, wanted: list[PortConfig], options: dict[str, Any]
) -> None:
    for config in wanted:
        before = port.carried()
        for line in lines(config, **options):
            port.run(line)
            assert port.carried() <= before | config.vlans, line
        assert port.carried() == config.vlans
        assert port.protected == config.parked
        assert OVS.reader.parse_ports(port.shown(), {})["p1"].carries == config


@law(150)
@given(
    st.builds(
        OvsPort, st.sampled_from((None, "access", "trunk")), st.sampled_from((7, *POOL)), some,
        up=st.booleans(),
    ),
    st.lists(CONFIGS, min_size=1, max_size=4),
    st.integers(0, 2),
)  # fmt: skip
def test_whichever_line_is_ignored_no_port_is_on_a_foreign_vlan(
    port: OvsPort, wanted: list[PortConfig], ignored: int
) -> None:
    """On its VLAN a parked port reaches no other, even if it is open."""
    for config in wanted:
        asyncio.run(Ignoring("openvswitch", port, config, ignored, NOWHERE).apply())


def test_a_parked_port_carries_nothing_even_if_its_link_comes_up() -> None:
    """As after a restart, because the link's state is not in the database."""
    port = OvsPort()
    for line in lines(PARKED):
        port.run(line)
    port.up = True
    assert port.carried() == {NOWHERE}
    assert port.protected
    assert OVS.reader.parse_ports(port.shown(), {})["p1"] == PortState(PARKED, open=True)


@pytest.mark.parametrize(
    ("port", "config"),
    [
        (OvsPort(), PortConfig(NO_TAG, tuple(range(1, 4096)))),
        (OvsPort(tag=104), PortConfig(104)),
        (OvsPort(tag=104, trunks=frozenset({105})), PortConfig(104)),
        (OvsPort("access"), PortConfig(NO_TAG)),
        (OvsPort("trunk", 104), PortConfig(NO_TAG, tuple(range(1, 4096)))),
        (OvsPort("trunk", 104, frozenset({105})), PortConfig(None, (105,))),
        (OvsPort("trunk", None, frozenset({NO_TAG, 105})), PortConfig(NO_TAG, (105,))),
        (OvsPort("trunk", None, frozenset({NOWHERE})), PortConfig(None, (NOWHERE,))),
        (OvsPort("native-untagged", 104, frozenset({105})), PortConfig(104, (105,))),
    ],
)
def test_a_port_is_read_as_open_vswitch_treats_it(port: OvsPort, config: PortConfig) -> None:
    """The trap first: a port without any column carries everything."""
    assert OVS.reader.parse_ports(port.shown(), {})["p1"] == PortState(config, open=True)


@pytest.mark.parametrize("mode", ["native-tagged", "dot1q-tunnel"])
def test_a_port_in_a_mode_that_we_never_set_counts_as_carrying_anything(mode: str) -> None:
    port = OvsPort(mode, 104, frozenset({105}))
    found = OVS.reader.parse_ports(port.shown(), {})["p1"].config
    assert found.vlans == ALL


def test_a_long_list_of_vlans_is_split_into_lines() -> None:
    """A terminal takes lines of 4095 characters. No piece admits an unwanted VLAN."""
    port, wanted = OvsPort("access", 7), PortConfig(None, tuple(range(2, 4095, 2)))
    sent = lines(wanted)
    assert max(map(len, sent)) < 1200
    for line in sent:
        port.run(line)
        assert port.carried() <= {7} | wanted.vlans
    assert port.carried() == wanted.vlans
    assert len(sent) > 5


def test_ports_unknown_to_the_kernel_are_read_through_their_bridge() -> None:
    table = OvsPort("access", 104).shown()[0]
    ports = (
        "OFPT_FEATURES_REPLY (xid=0x2): dpid:00001254b624284a\r\n"
        " 1(p1): addr:42:62:a7:f7:ce:91\r\n     config:     {}\r\n     state:      0\r\n"
        " LOCAL(br0): addr:12:54:b6:24:28:4a\r\n     config:     PORT_DOWN\r\n"
    )
    for config, is_open in (("0", True), ("PORT_DOWN", False), ("NO_FLOOD", True)):
        found = OVS.reader.parse_ports([table, ports.format(config)], {"bridge": "br0"})
        assert found["p1"] == PortState(PortConfig(104), is_open)
        assert not found["br0"].open


def test_commands_run_as_root_if_the_login_is_not_root() -> None:
    asked = OVS.reader.read_ports([], {"sudo": True})
    sent = lines(PortConfig(100, (101,)), sudo=True)
    assert all(line.startswith("sudo -n ") for line in [*asked, *sent])


def test_model_and_version_are_read() -> None:
    answers = ["ovs-vsctl (Open vSwitch) 3.1.0\nDB Schema 8.3.1", "Linux 6.1.0-28-amd64"]
    assert OVS.about.identity(answers) == ("Open vSwitch", "3.1.0")
