"""Checks whether nics are plugged in where they are registered, by what the switches see.

Reads the switches' MAC tables and LLDP neighbours, each in its worker's turn, and changes nothing.
A nic that is seen elsewhere is an alarm: isolation rests on the cabling.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from haas_rpcd.cabling import Cabling
from haas_rpcd.clock import Clock
from haas_rpcd.drivers import Driver
from haas_rpcd.engine.device_reads import Answers, read_all
from haas_rpcd.engine.worker import Worker
from haas_rpcd.events import Events
from haas_rpcd.model import PortRef
from haas_rpcd.planner import cabling
from haas_rpcd.planner.cabling import (
    CabledNic,
    CablingRow,
    CablingVerdict,
    LinkRow,
    LldpNeighbour,
    ProposalRow,
    Seen,
    SwitchView,
    as_mac,
)
from haas_rpcd.planner.links import LinkVerdict
from haas_rpcd.store import cabling as store_cabling
from haas_rpcd.store import switches
from haas_rpcd.store.cabling import AlarmRow, Inventory
from haas_rpcd.store.database import Store, Tx
from haas_rpcd.store.trunks import TrunkEndRow
from haas_rpcd.tasks import every

log = logging.getLogger(__name__)

CanonicalPort = Callable[[str, str], str]
"""Returns a port's canonical name, given a dialect and any of its names. Raises ValueError."""


@dataclass
class CablingCheck:
    """The result of a check.

    ``unreachable``: why a switch could not be read. ``nics``: the labels of those that it was
    about. ``without_lldp``: the switches whose LLDP is off. ``unread``: the lines of a switch that
    could not be read, so that something may be missing.
    """

    checked: list[str] = field(default_factory=list)
    unreachable: dict[str, str] = field(default_factory=dict)
    without_lldp: list[str] = field(default_factory=list)
    unread: dict[str, tuple[str, ...]] = field(default_factory=dict)
    nics: list[str] = field(default_factory=list)
    proposals: tuple[ProposalRow, ...] = ()
    link_proposals: tuple[tuple[PortRef, PortRef], ...] = ()


class Heard(NamedTuple):
    """The verdict on one nic, and what switches' tables showed of its port and MAC address."""

    row: CablingRow
    said: tuple[str, ...]


class CablingWatch:
    """Reads what switches see, and compares it with what is registered."""

    def __init__(
        self,
        store: Store,
        events: Events,
        worker: Callable[[str], Worker],
        canonical: CanonicalPort,
        clock: Clock,
    ) -> None:
        self._store = store
        self._events = events
        self._worker = worker
        self._canonical = canonical
        self._clock = clock

    async def check(self, switch: str | None = None) -> CablingCheck:
        """Read one switch, or all in service; store the verdicts and publish what is new."""
        wanted = [switch] if switch is not None else await self._store.read(switches.in_service)
        answers = await self.read(wanted)
        views = answers.read
        result = CablingCheck(unreachable=answers.unreachable)
        result.checked = sorted(views)
        result.unread = {name: seen.unread for name, seen in views.items() if seen.unread}
        result.without_lldp = sorted(name for name, seen in views.items() if not seen.lldp)

        def compare(tx: Tx) -> tuple[Inventory, CablingVerdict, LinkVerdict]:
            known = store_cabling.inventory(tx)
            found = cabling(
                known.nics,
                {name: self._view(name, seen, known) for name, seen in views.items()},
                switches=known.switches,
                unread=result.unreachable,
                before=known.before,
            )
            links = tuple(self._with_registered_peer(link, known) for link in found.links)
            found = msgspec.structs.replace(found, links=links)
            return known, found, store_cabling.judge_links(tx, links, known)

        known, verdict, links = await self._store.read(compare)
        result.nics = [row.nic.label for row in verdict.rows]
        result.proposals, result.link_proposals = verdict.proposals, links.proposals
        new, ended = await self._store.write(
            store_cabling.record, verdict, known.ids, result.checked, self._clock.wall()
        )
        wrong, right = await self._store.write(store_cabling.record_links, links)
        self._publish(new, ended, result.checked)
        self._publish_links(wrong, right)
        return result

    def _with_registered_peer(self, link: LinkRow, known: Inventory) -> LinkRow:
        """Return a link with the registered name of the port at its other end."""
        dialect = known.dialects.get(link.peer, "")
        port = self._registered(link.peer, dialect, link.peer_port, known.names)
        return msgspec.structs.replace(link, peer_port=port)

    def _publish_links(self, wrong: list[TrunkEndRow], right: list[TrunkEndRow]) -> None:
        for row in wrong:
            log.warning(
                "cabling: %s %s is declared to lead to %s, but %s",
                row.switch,
                row.port,
                row.leads_to,
                row.wrong,
            )
        for verb, rows in (("alarm", wrong), ("ended", right)):
            for row in rows:
                self._events.publish_inventory(
                    "cabling", verb, f"{row.switch} {row.port}", admins_only=True
                )

    async def check_regularly(self, interval: float) -> None:
        """Check all switches every ``interval`` seconds, for ever."""
        await every(interval, self.check, "a regular check of the cabling failed")

    async def known(self) -> Inventory:
        """Return what is registered, for :meth:`hear`."""
        return await self._store.read(store_cabling.inventory)

    async def hear(
        self, known: Inventory, nic: str, port: PortRef, *, vlan: int, everywhere: bool = False
    ) -> Heard:
        """Read the port's switch, or all in service, and judge one nic of whose ports it is open.

        Of the nic's ports only this one counts, and what it shows on ``vlan``: an older entry may
        be left. Where the nic is seen is kept as in a check, and raises an alarm likewise.
        """
        wanted = [port.switch]
        if everywhere:
            wanted = await self._store.read(switches.in_service)
        answers = await self.read(wanted)
        views = {name: self._view(name, seen, known) for name, seen in answers.read.items()}
        [target] = [each for each in known.nics if each.label == nic]
        views = {name: _fresh(view, target, port, vlan) for name, view in views.items()}
        verdict = await asyncio.to_thread(
            cabling, known.nics, views, switches=known.switches, unread=answers.unreachable
        )
        [row] = [each for each in verdict.rows if each.nic.label == nic]
        certain = tuple(
            each
            for each in verdict.rows
            if each.state == "swapped" or (each.state == "right" and each.nic.label == nic)
        )
        if certain:
            only = CablingVerdict(certain, (), (), ())
            new, ended = await self._store.write(
                store_cabling.record, only, known.ids, (), self._clock.wall()
            )
            self._publish(new, ended, [])
        return Heard(row, tuple(_quotes(views, target)))

    async def read(self, wanted: list[str]) -> Answers[Cabling]:
        """Return what switches see, and which could not be read."""
        return await read_all(self._worker, wanted, _read, "checked for its cabling")

    def _view(self, switch: str, seen: Cabling, known: Inventory) -> SwitchView:
        """Return what a switch sees in the terms of the inventory."""
        dialect = known.dialects.get(switch, "")

        def place(port: str) -> PortRef:
            return PortRef(switch, self._registered(switch, dialect, port, known.names))

        learnt = [(each, as_mac(each.mac)) for each in seen.learnt]
        return SwitchView(
            neighbours=tuple(
                LldpNeighbour(place(near.port), near.chassis, near.remote_port, near.name)
                for near in seen.neighbours
            ),
            learnt=tuple(
                Seen(place(each.port), mac, each.vlan) for each, mac in learnt if mac is not None
            ),
            lldp=seen.lldp,
        )

    def _registered(
        self, switch: str, dialect: str, port: str, names: Mapping[tuple[str, str], str]
    ) -> str:
        """Return the name by which a port is registered, or else the switch's own."""
        try:
            canonical = self._canonical(dialect, port)
        except (ValueError, KeyError):
            return port
        return names.get((switch, canonical), port)

    def _publish(self, new: list[AlarmRow], ended: list[AlarmRow], checked: list[str]) -> None:
        for row in new:
            log.warning("cabling: %s:%s: %s", row.node, row.nic, row.why)
            self._publish_alarm("alarm", row)
        for row in ended:
            log.info("cabling: the alarm of %s:%s has ended", row.node, row.nic)
            self._publish_alarm("ended", row)
        for name in checked:
            self._events.publish_inventory("cabling", "checked", name, admins_only=True)

    def _publish_alarm(self, verb: str, row: AlarmRow) -> None:
        """Publish an alarm, to the project that holds the node as well."""
        self._events.publish_inventory(
            "cabling", verb, f"{row.node}:{row.nic}", row.project, admins_only=row.project is None
        )


def _fresh(view: SwitchView, nic: CabledNic, port: PortRef, vlan: int) -> SwitchView:
    """Return what a switch sees, without what is left of a nic's ports from before.

    They are parked but for one, so what is still shown of the others, or of another VLAN, is old.
    """
    parked = [place for place in nic.places if place != port]
    return msgspec.structs.replace(
        view,
        neighbours=tuple(near for near in view.neighbours if near.place not in parked),
        learnt=tuple(
            seen
            for seen in view.learnt
            if seen.place not in parked and (seen.place != port or seen.vlan in (None, vlan))
        ),
    )


def _quotes(views: Mapping[str, SwitchView], nic: CabledNic) -> Iterator[str]:
    """Say what switches' tables show of a nic's port, and of its MAC address elsewhere."""
    for name, view in sorted(views.items()):
        for near in view.neighbours:
            if near.place in nic.places or as_mac(near.remote_port) == nic.mac is not None:
                yield f"{name} LLDP: {near.place.port} has {near.describe()}"
        for seen in view.learnt:
            if seen.place in nic.places or seen.mac == nic.mac:
                vlan = f" on VLAN {seen.vlan}" if seen.vlan is not None else ""
                yield f"{name} MAC table: {seen.mac} at {seen.place.port}{vlan}"


async def _read(switch: str, driver: Driver) -> Cabling:
    return await driver.read_cabling()
