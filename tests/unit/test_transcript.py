"""The record of a session: what was typed, what came back, and never too much of it."""

from __future__ import annotations

from haas_rpcd.drivers.switch.transcript import HEAD, TAIL, Transcript


def test_lines_are_marked_and_taken_once() -> None:
    record = Transcript()
    record.sent("s3cret\r\n")
    record.on = True
    record.sent("show vlan\r\nexit\r\n")
    record.received("VLAN 1\r\n")
    assert record.take() == "> show vlan\n\n> exit\nVLAN 1"
    assert record.take() == ""


def test_the_beginning_and_the_end_of_a_long_one_are_kept() -> None:
    record = Transcript()
    record.on = True
    record.received("begin" + "x" * 3 * HEAD)
    for _ in range(100):
        record.received("y" * 10_000)
    record.received("z" * 10 * TAIL + "end")
    text = record.take()
    assert text.startswith("begin")
    assert text.endswith("zend")
    assert "characters are left out" in text
    assert len(text) < HEAD + 2 * TAIL + 100
