"""The script for several changes: contexts, barriers, and under which change a line is listed."""

from __future__ import annotations

from haas_rpcd.drivers.switch.script import Block, Line, script

PORT_1 = Block((0,), ("shutdown",), "interface 1", "exit")
PORT_2 = Block((1,), ("shutdown",), "interface 2", "exit")


def test_a_context_is_left_before_the_next_is_entered() -> None:
    assert [line.text for line in script([[PORT_1, PORT_2]])] == [
        "interface 1", "shutdown", "exit", "interface 2", "shutdown", "exit",
    ]  # fmt: skip


def test_the_next_stage_continues_in_the_same_context() -> None:
    opened = PORT_1._replace(lines=("no shutdown",))
    assert [line.text for line in script([[PORT_1], [opened]])] == [
        "interface 1", "shutdown", "no shutdown", "exit",
    ]  # fmt: skip


def test_the_first_line_of_each_stage_has_a_barrier() -> None:
    lines = script([[PORT_1, PORT_2], [PORT_2._replace(lines=("no shutdown",)), PORT_1]])
    assert [line.text for line in lines if line.barrier] == ["interface 1", "no shutdown"]
    lines = script([[PORT_1], [PORT_2]])
    assert [(at, line.text) for at, line in enumerate(lines) if line.barrier] == [
        (0, "interface 1"),
        (2, "exit"),  # leaving the old context belongs to the new stage
    ]


def test_lines_are_listed_so_that_the_changes_in_order_give_the_script() -> None:
    both = Block((0, 1), ("commit",))
    lines = script([[PORT_2, PORT_1], [both]])
    assert [line.changes for line in lines] == [(1,)] * 3 + [(0,)] * 3 + [(0, 1)]
    assert [line.shown_at for line in lines] == sorted(line.shown_at for line in lines)
    assert lines[-1] == Line("commit", (0, 1), 1, barrier=False)


def test_lines_without_a_context_stand_alone() -> None:
    assert [line.text for line in script([[Block((0,), ("a", "b")), Block((1,), ("c",))]])] == [
        "a", "b", "c",
    ]  # fmt: skip


def test_no_context_is_open_while_ports_are_read() -> None:
    """They are read after a stage that shuts some, and before one that opens some."""
    shut, settings = PORT_1._replace(effect="shuts"), PORT_1._replace(lines=("vlan 1",))
    opening = PORT_1._replace(lines=("no shutdown",), effect="opens")
    lines = script([[shut], [settings], [opening]])
    assert [line.text for line in lines] == [
        "interface 1", "shutdown", "exit",
        "interface 1", "vlan 1", "exit",
        "interface 1", "no shutdown", "exit",
    ]  # fmt: skip
    assert [at for at, line in enumerate(lines) if line.barrier] == [0, 3, 6]
