"""Names of ports: their canonical spelling, and the spans that one line can name."""

from __future__ import annotations

import pytest

from haas_rpcd.drivers.switch.portnames import Span, grouped, joined, spans, written_out

TYPES = ("Ethernet", "GigabitEthernet", "TenGigabitEthernet", "TwoGigabitEthernet", "Ten")
SHORT = {"xge": "TenGigabitEthernet"}


@pytest.mark.parametrize(
    ("port", "name"),
    [
        ("GigabitEthernet1/0/1", "GigabitEthernet1/0/1"),
        ("gigabitethernet1/0/01", "GigabitEthernet1/0/1"),
        ("gi1/0/1", "GigabitEthernet1/0/1"),
        ("Gi 1/0/1", "GigabitEthernet1/0/1"),
        ("e0/10", "Ethernet0/10"),
        ("ten1", "Ten1"),  # a whole type wins over the beginning of another
        ("Vlan100", "vlan100"),
        ("Trk", "trk"),
    ],
)
def test_types_are_written_in_full_and_numbers_plainly(port: str, name: str) -> None:
    assert written_out(port, TYPES) == name


def test_an_ambiguous_type_is_refused() -> None:
    with pytest.raises(ValueError, match="t1 may be TenGigabitEthernet or TwoGigabitEthernet or"):
        written_out("t1", TYPES)


def test_a_short_form_is_no_beginning_of_its_type() -> None:
    assert written_out("XGE1/0/49", TYPES, SHORT) == "TenGigabitEthernet1/0/49"
    assert written_out("gi1/0/1", TYPES, SHORT) == "GigabitEthernet1/0/1"


@pytest.mark.parametrize(
    ("ports", "found"),
    [
        ([], []),
        (["Gi1"], [Span("Gi", 1, 1)]),
        (["Gi3", "Gi1", "Gi2"], [Span("Gi", 1, 3)]),
        (["Gi1", "Gi3", "Gi4"], [Span("Gi", 1, 1), Span("Gi", 3, 4)]),
        (["Gi0/9", "Gi0/10", "Gi1/11"], [Span("Gi0/", 9, 10), Span("Gi1/", 11, 11)]),
        (["Gi0", "Gi1"], [Span("Gi", 0, 1)]),
        (["Gi01", "Gi02"], [Span("Gi0", 1, 2)]),
        (["mgmt", "Gi1"], [Span("mgmt", -1, -1), Span("Gi", 1, 1)]),
    ],
)
def test_consecutive_ports_form_a_span(ports: list[str], found: list[Span]) -> None:
    assert list(spans(ports)) == found
    assert {name for span in found for name in span.names} == set(ports)


def test_spans_are_taken_in_groups() -> None:
    ports = ["Gi1", "Gi3", "Gi4", "Gi6"]
    assert [joined(group) for group in grouped(ports, 2)] == ["Gi1,Gi3-4", "Gi6"]


def test_a_span_names_its_ports() -> None:
    many, one, odd = Span("Gi1/", 3, 5), Span("Gi1/", 7, 7), Span("mgmt", -1, -1)
    assert many.names == ("Gi1/3", "Gi1/4", "Gi1/5")
    assert [span.ends for span in (many, one, odd)] == [("Gi1/3", "Gi1/5"), ("Gi1/7",), ("mgmt",)]
    assert [span.numbers for span in (many, one)] == ["3-5", "7"]
    assert [span.text(" - ") for span in (many, one, odd)] == ["Gi1/3 - 5", "Gi1/7", "mgmt"]
