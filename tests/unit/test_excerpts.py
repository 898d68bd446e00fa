"""What a switch said of a port is quoted from its answers, whatever the family prints."""

from __future__ import annotations

import re

from haas_rpcd.drivers.switch.excerpts import LONGEST, MOST_LINES, excerpts


def canonical(name: str) -> str:
    found = re.fullmatch(r"(?i)gi\w*\s?([0-9/]+)|(ge-[0-9/]+)", name)
    if found is None:
        raise ValueError(name)
    return f"GigabitEthernet{found[1]}" if found[1] else found[2]


IOS = """Building configuration...
interface GigabitEthernet1/0/1
 switchport access vlan 104
 switchport mode access
!
interface GigabitEthernet1/0/11
 shutdown
!
end"""


def test_the_stanza_of_an_interface_is_quoted_by_the_name_it_was_registered_with() -> None:
    found = excerpts([IOS], ["Gi1/0/1", "gi1/0/11", "Gi1/0/2"], canonical)
    assert found["Gi1/0/1"] == (
        "interface GigabitEthernet1/0/1",
        " switchport access vlan 104",
        " switchport mode access",
    )
    assert found["gi1/0/11"] == ("interface GigabitEthernet1/0/11", " shutdown")


def test_set_commands_and_nested_blocks_are_quoted_line_by_line() -> None:
    junos = "set interfaces ge-0/0/1 unit 0 family ethernet-switching\nset vlans red vlan-id 104"
    assert excerpts([junos], ["ge-0/0/1"], canonical)["ge-0/0/1"] == (junos.splitlines()[0],)
    block = "ge-0/0/1 {\n    unit 0;\n    disable;\n}\nge-0/0/2 {\n    unit 0;\n}"
    assert excerpts([block], ["ge-0/0/1"], canonical)["ge-0/0/1"] == (
        "ge-0/0/1 {",
        "    unit 0;",
        "    disable;",
    )


def test_a_short_answer_that_lists_ports_by_vlan_is_quoted_whole_and_a_long_one_not() -> None:
    by_vlan = "vlan 104\n   untagged 1-4\n   exit"
    assert excerpts([by_vlan], ["Gi1/0/9"], canonical)["Gi1/0/9"] == tuple(by_vlan.splitlines())
    assert excerpts([by_vlan * MOST_LINES], ["Gi1/0/9"], canonical) == {"Gi1/0/9": ()}


def test_what_is_quoted_is_bounded() -> None:
    endless = "interface Gi1/0/1\n" + f" description {'x' * 200}\n" * 1000
    said = excerpts([endless], ["Gi1/0/1"], canonical)["Gi1/0/1"]
    assert len(said) == MOST_LINES + 1
    assert said[-1] == "…"
    assert max(map(len, said)) == LONGEST
    assert excerpts(["interface Gi1/0/1\n" * 100_000], ["Gi1/0/1"], canonical) == {}
