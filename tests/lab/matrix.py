"""Who heard whom: the record, its comparison with what the networks say, and its printed form."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

TRUNK = "trunk"

Tags = tuple[int, ...]
"""The 802.1q tags that a frame bore, outermost first; ``()``: untagged."""

Heard = dict[str, set[Tags]]
"""Place -> the tags of the frames heard there."""


def tagged(nic: str, vlan: int) -> str:
    """Write a nic in the part that it has in a network by tagged frames."""
    return f"{nic} tagged {vlan}"


class Cell(NamedTuple):
    """One thing that was heard: whose frame, where, and with which tags."""

    sender: str
    place: str
    tags: Tags

    def concerns(self, name: str) -> bool:
        """Whether this nic, headnode or bridge has sent or heard it."""
        return name in (self.place, self.sender.partition(" tagged ")[0])


@dataclass
class Matrix:
    """For each sender, the places that heard it."""

    places: list[str]
    rows: dict[str, Heard]

    def hearers(self, sender: str) -> set[str]:
        """Return the names of the places that heard the sender."""
        return set(self.rows[sender])

    def cells(self) -> set[Cell]:
        """Return all that was heard, for comparing."""
        return {
            Cell(sender, place, each)
            for sender, heard in self.rows.items()
            for place, tags in heard.items()
            for each in tags
        }

    def differences(self, networks: Mapping[int, Collection[str]]) -> list[str]:
        """Compare with what the networks say; return a sentence for each difference.

        `networks` has, for each VLAN id, who is on it: nics, headnodes, and the master's bridge
        (``br-vlan104``); write nics that are connected tagged with `tagged`. All members of a
        network hear each other, its frames cross the trunk bearing its tag, and nothing else is
        heard anywhere.
        """
        found = []
        for sender, heard in self.rows.items():
            wanted, harmless = _expected(sender, networks)
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
        """Print the matrix, and leave it in the run's folder as ``matrix-<title>.txt``."""
        text = f"{title}\n\n{self}\n"
        print(f"\n{text}")
        folder = Path(os.environ["HAAS_LAB_INSIDE"])
        (folder / f"matrix-{title.replace(' ', '-')}.txt").write_text(text)


def _expected(sender: str, networks: Mapping[int, Collection[str]]) -> tuple[Heard, Heard]:
    """Return where the sender must be heard, and where it may be."""
    nic, _, vlan = sender.partition(" tagged ")
    for network, members in networks.items():
        heard = _members_hear(network, members, besides=nic)
        if sender in members:
            return heard, {}
        # A nic that is on a network untagged may tag a frame with that network's own id: it goes
        # nowhere that the nic's other frames do not.
        if vlan == str(network) and nic in members:
            return {}, heard
    return {}, {}


def _members_hear(network: int, members: Collection[str], besides: str) -> Heard:
    heard: Heard = {TRUNK: {(network,)}}
    for member in members:
        nic, is_tagged, _ = member.partition(" tagged ")
        if nic != besides:
            heard[nic] = {(network,)} if is_tagged else {()}
    return heard


def _with(tags: Tags) -> str:
    return "" if not tags else f" with tag {'.'.join(map(str, tags))}"


def _cell(heard: set[Tags] | None) -> str:
    if not heard:
        return "."
    return ",".join(".".join(map(str, tags)) or "x" for tags in sorted(heard))
