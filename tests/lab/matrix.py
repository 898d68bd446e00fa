"""Who heard whom: the record, its comparison with the networks, and its printed form."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

TRUNK = "trunk"
"""The master's trunk. Those of other hypervisors have their names in front: ``hv2:trunk``."""

Tags = tuple[int, ...]
"""The 802.1q tags of a frame, outermost first; ``()``: untagged."""

Heard = dict[str, set[Tags]]
"""Place -> the tags of the frames heard there."""


def tagged(nic: str, vlan: int) -> str:
    """Return the name of a nic as a tagged member of a VLAN."""
    return f"{nic} tagged {vlan}"


class Cell(NamedTuple):
    """One cell of a matrix: a sender, a place that heard it, and the tags of the frame."""

    sender: str
    place: str
    tags: Tags

    def concerns(self, name: str) -> bool:
        """Return whether a nic, headnode or bridge is the sender or the hearer."""
        return name in (self.place, self.sender.partition(" tagged ")[0])


@dataclass
class Matrix:
    """The places that heard each sender."""

    places: list[str]
    rows: dict[str, Heard]

    def hearers(self, sender: str) -> set[str]:
        """Return the names of the places that heard the sender."""
        return set(self.rows[sender])

    def cells(self) -> set[Cell]:
        """Return all cells, for comparison."""
        return {
            Cell(sender, place, each)
            for sender, heard in self.rows.items()
            for place, tags in heard.items()
            for each in tags
        }

    def differences(self, networks: Mapping[int, Collection[str]]) -> list[str]:
        """Compare the matrix with networks; return a sentence for each difference.

        `networks`: the members of each VLAN id, which are nics, headnodes and the hypervisors'
        bridges (``br-vlan104``, ``hv2:br-vlan104``); for nics that are connected tagged, use the
        name that `tagged` returns. All members of a network hear each other, its frames cross the
        trunks with its tag, and nothing else is heard anywhere.
        """
        found = []
        trunks = [place for place in self.places if place.rpartition(":")[2] == TRUNK]
        for sender, heard in self.rows.items():
            wanted, harmless = _expected(sender, networks, trunks)
            for place in self.places:
                tags = heard.get(place, set())
                for each in sorted(tags - wanted.get(place, set()) - harmless.get(place, set())):
                    found.append(f"LEAK: {place} hears {sender}{_with(each)}")
                for each in sorted(wanted.get(place, set()) - tags):
                    found.append(f"DEAF: {place} does not hear {sender}{_with(each)}")
        return found

    def __str__(self) -> str:
        numbers = {place: number for number, place in enumerate(self.places, 1)}
        width = max(map(len, (*self.rows, *self.places)))
        header = "  ".join(f"{number:>4}" for number in numbers.values())
        lines = [f"{'':4}{'sent by':{width}}  heard by", f"{'':4}{'':{width}}  {header}"]
        for sender, heard in self.rows.items():
            cells = (
                f"{'-' if place == sender else _cell(heard.get(place)):>4}" for place in self.places
            )
            lines.append(f"{numbers.get(sender, ''):>3} {sender:{width}}  {'  '.join(cells)}")
        lines += [f"{numbers[place]:>3} {place}" for place in self.places if place not in self.rows]
        return "\n".join(lines)

    def publish(self, title: str) -> None:
        """Print the matrix, and write it to ``matrix-<title>.txt`` in the run's folder."""
        publish(title, str(self))


def publish(title: str, table: str) -> None:
    """Print a table of who heard whom, and write it to ``matrix-<title>.txt``."""
    text = f"{title}\n\n{table}\n"
    print(f"\n{text}")
    folder = Path(os.environ["HAAS_LAB_INSIDE"])
    (folder / f"matrix-{title.replace(' ', '-')}.txt").write_text(text)


def _expected(
    sender: str, networks: Mapping[int, Collection[str]], trunks: Collection[str]
) -> tuple[Heard, Heard]:
    """Return where the sender must be heard, and where it may be heard."""
    nic, _, vlan = sender.partition(" tagged ")
    for network, members in networks.items():
        heard = _members_hear(network, members, trunks, sender=nic)
        if sender in members:
            return heard, {}
        # An untagged member may tag a frame with the id of its own network: the frame gets no
        # further than its other frames do.
        if vlan == str(network) and nic in members:
            return {}, heard
    return {}, {}


def _members_hear(
    network: int, members: Collection[str], trunks: Collection[str], sender: str
) -> Heard:
    heard: Heard = {trunk: {(network,)} for trunk in trunks}
    for member in members:
        nic, is_tagged, _ = member.partition(" tagged ")
        if nic != sender:
            heard[nic] = {(network,)} if is_tagged else {()}
    return heard


def _with(tags: Tags) -> str:
    return "" if not tags else f" with tag {'.'.join(map(str, tags))}"


def _cell(heard: set[Tags] | None) -> str:
    if not heard:
        return "."
    return ",".join(".".join(map(str, tags)) or "x" for tags in sorted(heard))
