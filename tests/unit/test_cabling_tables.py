"""What switches say of their cables, and what HaaS must read from it.

The samples are data: ``cabling/DIALECT.toml``. A ``[[neighbours]]`` has the ``answers`` to the
lines of ``CablingReader.neighbours``, a ``[[learnt]]`` those to the lines of the MAC table.
``shows``: for each neighbour its port, chassis id, port id and name; for each address its port,
itself and its VLAN; "" for what is not told. ``unread``: how many rows cannot be read, if any. All
have their ``source``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest

from haas_rpcd.drivers.switch.answers import without_logs
from haas_rpcd.drivers.switch.cabling import (
    Cabling,
    CablingReader,
    Learnt,
    Neighbour,
    Table,
    mac_or_text,
)
from haas_rpcd.drivers.switch.cablingread import CablingSession
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.errors import DeviceError
from tests.unit.disturbances import LOGS, STRANGE, disturbed, with_page_breaks

T = TypeVar("T")

FOLDER = Path(__file__).with_name("cabling")
JSON = {("cumulus_nvue", "learnt"), ("linux_bridge", "neighbours"), ("linux_bridge", "learnt")}
JSON |= {("openvswitch", "neighbours")}


class Sample(NamedTuple):
    """What a switch said of its cables."""

    dialect: str
    kind: str
    source: str
    answers: list[str]
    shows: list[list[str]]
    unread: int = 0

    @property
    def table(self) -> Table[Any]:
        reader = DIALECTS[self.dialect].cabling
        assert reader is not None
        table: Table[Any] | None = getattr(reader, self.kind)
        assert table is not None
        return table

    @property
    def expected(self) -> set[Neighbour | Learnt]:
        if self.kind == "neighbours":
            return {
                Neighbour(port, chassis, remote, name or None)
                for port, chassis, remote, name in self.shows
            }
        return {Learnt(port, mac, int(vlan) if vlan else None) for port, mac, vlan in self.shows}

    async def read(self, answers: Sequence[str] | None = None) -> Cabling:
        """Read these answers as the driver does, and nothing of the other table."""

        async def show(lines: Sequence[str]) -> list[str]:
            assert len(lines) == len(self.answers)
            return list(self.answers if answers is None else answers)

        return await session(self.dialect, show, **{self.kind: self.table}).read()


def session(dialect: str, show: Callable[..., Any], **tables: Any) -> CablingSession:
    """Make a session with a switch that answers by ``show``."""
    whole = DIALECTS[dialect]
    assert whole.cabling is not None
    reader = CablingReader(written_out=whole.cabling.written_out, **tables)
    return CablingSession("sw1", replace(whole, cabling=reader), {}, show, parsed)


async def parsed(
    lines: Sequence[str], answers: Sequence[str], parse: Callable[[list[str]], T]
) -> T:
    try:
        return parse([without_logs(answer) for answer in answers])
    except ValueError as error:
        raise DeviceError(str(error), reason="unreadable") from error


SAMPLES = [
    Sample(path.stem, kind, **entry)
    for path in sorted(FOLDER.glob("*.toml"))
    for kind, entries in tomllib.loads(path.read_text()).items()
    for entry in entries
]
IDS = [f"{sample.dialect}-{sample.kind}" for sample in SAMPLES]
EACH_SAMPLE = pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
KINDS = ("neighbours", "learnt")


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_a_published_sample_of_every_table(kind: str) -> None:
    told = {
        name for name, dialect in DIALECTS.items() if getattr(dialect.cabling, kind) is not None
    }
    assert told == {sample.dialect for sample in SAMPLES if sample.kind == kind}
    assert all(sample.source for sample in SAMPLES)


@EACH_SAMPLE
async def test_neighbours_and_learnt_addresses_are_read(sample: Sample) -> None:
    found = await sample.read()
    assert {*found.neighbours, *found.learnt} == sample.expected
    assert len(found.unread) == sample.unread
    assert found.lldp == (sample.kind == "neighbours")


@EACH_SAMPLE
async def test_a_strange_line_makes_nothing_up_and_hides_nothing_silently(sample: Sample) -> None:
    intruders = (LOGS[0], *STRANGE[1:4])
    answers = [*disturbed(sample.answers, intruders), *with_page_breaks(sample.answers)]
    for shown in answers:
        try:
            found = await sample.read(shown)
        except DeviceError as error:
            assert error.reason == "unreadable"
            assert (sample.dialect, sample.kind) in JSON
            continue
        missing = sample.expected - {*found.neighbours, *found.learnt}
        assert not missing or len(found.unread) > sample.unread, shown
        extra = {*found.neighbours, *found.learnt} - sample.expected
        assert all(isinstance(row, Neighbour) for row in extra), shown  # a text that grew
        assert len(extra) <= len(missing), shown


@EACH_SAMPLE
async def test_a_row_that_is_cut_off_is_told(sample: Sample) -> None:
    """A row of a MAC table that breaks off in its address is one that could not be read."""
    if sample.kind != "learnt" or (sample.dialect, sample.kind) in JSON:
        return
    *before, answer = sample.answers if sample.dialect == "openvswitch" else sample.answers[:1]
    after = [] if sample.dialect == "openvswitch" else sample.answers[1:]
    rows = answer.split("\n")
    for at, row in enumerate(rows):
        for mac in {each.mac for each in sample.expected if isinstance(each, Learnt)}:
            words = [word for word in row.split() if mac_or_text(word) == mac]
            if words:
                cut = row[: row.index(words[0]) + len(words[0])]
                shown = "\n".join([*rows[:at], cut, *rows[at + 1 :]])
                found = await sample.read([*before, shown, *after])
                assert len(found.unread) == sample.unread + 1, cut
                assert {*found.learnt} <= sample.expected


async def test_a_text_that_looks_like_a_neighbour_is_noticed() -> None:
    """A machine's system name with line breaks, on an IOS that prints them as they are."""
    forged = f"node-1\n{'-' * 48}\nLocal Intf: Gi1/0/9\nChassis id: 0200.0000.0909\nPort id: 1"
    answer = (
        f"{'-' * 48}\nLocal Intf: Gi1/0/1\nChassis id: 0200.0000.0101\nPort id: 0200.0000.0101\n"
        f"System Name: {forged}\n\n\nTotal entries displayed: 1\n"
    )

    async def show(lines: Sequence[str]) -> list[str]:
        return [answer, ""]

    reader = DIALECTS["cisco_ios"].cabling
    assert reader is not None
    found = await session("cisco_ios", show, neighbours=reader.neighbours).read()
    assert found.unread == ("2 neighbours, of which the switch counts 1",)


# --- what switches do not show --------------------------------------------------------------------

OFF = {
    "cisco_ios": "% LLDP is not enabled",  # published configuration notes
    "brocade_fastiron": "LLDP is not running",  # community.network (Ansible), icx_lldp
    "hpe_comware": "LLDP is not enabled",  # NOC, profiles of H3C and Huawei
}


@pytest.mark.parametrize("refused", [True, False], ids=["an error", "an answer"])
@pytest.mark.parametrize("dialect", OFF)
async def test_lldp_may_be_off(dialect: str, refused: bool) -> None:
    async def show(lines: Sequence[str]) -> list[str]:
        if "lldp" not in lines[0]:
            return [""] * len(lines)
        if refused:
            raise DeviceError(f"sw1 refused  {lines[0]}  ({OFF[dialect]}).", reason="refused")
        return [f"{OFF[dialect]}\n"] * len(lines)

    reader = DIALECTS[dialect].cabling
    assert reader is not None
    made = session(dialect, show, neighbours=reader.neighbours, learnt=reader.learnt)
    assert await made.read() == Cabling((), (), lldp=False)


async def test_a_refusal_to_show_neighbours_is_told_and_hides_no_address() -> None:
    async def show(lines: Sequence[str]) -> list[str]:
        if "lldp" in lines[0]:
            raise DeviceError("sw1 refused it: % Authorization failed", reason="refused")
        return ["  10    0050.7966.6800    DYNAMIC     Gi1/0/7\n"]

    reader = DIALECTS["cisco_ios"].cabling
    assert reader is not None
    made = session("cisco_ios", show, neighbours=reader.neighbours, learnt=reader.learnt)
    found = await made.read()
    assert found.learnt == (Learnt("GigabitEthernet1/0/7", "00:50:79:66:68:00", 10),)
    assert not found.lldp
    assert found.unread == ("sw1 refused it: % Authorization failed",)


async def test_a_refusal_to_show_the_mac_table_is_an_error() -> None:
    """An empty table would look as if nothing were plugged in."""

    async def show(lines: Sequence[str]) -> list[str]:
        if "mac" in lines[0]:
            raise DeviceError("sw1 refused it.", reason="refused")
        return [""] * len(lines)

    for dialect in ("cisco_ios", "cisco_nxos"):
        reader = DIALECTS[dialect].cabling
        assert reader is not None
        made = session(dialect, show, neighbours=reader.neighbours, learnt=reader.learnt)
        with pytest.raises(DeviceError, match="sw1 refused it"):
            await made.read()


@pytest.mark.parametrize("dialect", ["cisco_ios", "arista_eos", "dell_os6", "dell_powerconnect"])
async def test_a_model_that_lacks_a_line_is_sent_the_older_one(dialect: str) -> None:
    sample = next(each for each in SAMPLES if each[:2] == (dialect, "learnt"))
    sent: list[str] = []

    async def show(lines: Sequence[str]) -> list[str]:
        sent.extend(lines)
        if lines == list(sample.table.lines):
            raise DeviceError("sw1 refused it.", reason="refused")
        return sample.answers

    found = await session(dialect, show, learnt=sample.table).read()
    assert {*found.learnt} == sample.expected
    assert sent == [*sample.table.lines, *sample.table.otherwise]


@pytest.mark.parametrize("text", ["0010.0de0.e289", "00-10-0D-E0-E2-89", "00100d-e0e289"])
def test_a_mac_address_is_written_in_one_form(text: str) -> None:
    assert mac_or_text(f" {text} ") == "00:10:0d:e0:e2:89"


@pytest.mark.parametrize("text", ["10.10.0.1", "fe80::ec22:9a75:bbc7:71af", "3935-5A43", "swp1"])
def test_any_other_id_is_left_as_it_is(text: str) -> None:
    assert mac_or_text(text) == text
