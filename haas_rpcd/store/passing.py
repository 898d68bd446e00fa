"""Whether frames of a VLAN may pass a switch between its places, as things are at this moment.

A plan knows that, too. But between planning and sending, another job may have added a place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from functools import cached_property

import msgspec

from haas_rpcd.devicenames import hypervisor_of
from haas_rpcd.model import (
    Change,
    CopyHeadnode,
    DefineHeadnode,
    PortRef,
    SetHeadnodeNics,
    SetPort,
    Step,
)
from haas_rpcd.planner.spread import Spread
from haas_rpcd.store import trunks, vlans
from haas_rpcd.store.database import Tx
from haas_rpcd.store.rows import Json, Row


class OwnSteps(msgspec.Struct, frozen=True):
    """What a job's own steps set, and the devices on which they put each VLAN to use."""

    ports: frozenset[PortRef] = frozenset()
    headnodes: frozenset[str] = frozenset()
    uses: tuple[tuple[int, str], ...] = ()


def own_steps(steps: Iterable[Step], trunk_ports: Set[PortRef]) -> OwnSteps:
    """Return what a job's steps set. Trunk ports carry the whole pool, so they use no VLAN."""
    ports, headnodes = set(), set()
    uses: list[tuple[int, str]] = []
    for step in steps:
        match step.change:
            case SetPort(port=port):
                ports.add(ref := PortRef(step.device, port))
                if ref in trunk_ports:
                    continue
            case DefineHeadnode(uuid=uuid) | SetHeadnodeNics(uuid=uuid) | CopyHeadnode(uuid=uuid):
                headnodes.add(uuid)
        uses += _uses(step.device, step.change)
    return OwnSteps(frozenset(ports), frozenset(headnodes), tuple(uses))


def _uses(device: str, change: Change) -> Iterator[tuple[int, str]]:
    """Yield the VLANs that a change puts to use, each with the switch or the hypervisor."""
    match change:
        case SetPort(config=config):
            for vlan in config.vlans:
                yield vlan, device
        case DefineHeadnode(nics=nics) | SetHeadnodeNics(nics=nics) | CopyHeadnode(nics=nics):
            for nic in nics:
                yield nic.vlan, hypervisor_of(device)


class _StepRow(Row, frozen=True):
    device: str
    change: Json[Change]


class Passing:
    """Tells, within one transaction, whether frames of VLANs may pass switches.

    ``own`` is what the job itself sets: whether its ports leave the VLAN is known from its plan.
    """

    def __init__(self, tx: Tx, job_id: int, own: OwnSteps) -> None:
        self._tx = tx
        self._job_id = job_id
        self._own = own

    def may_pass(self, switch: str, vlan: int) -> bool:
        """Return whether a VLAN's frames may pass a switch. Always false if nothing is declared."""
        if self._spread is None:
            return False
        return switch in self._spread.switches({*self._applied(vlan), *self._used(vlan)})

    @cached_property
    def _spread(self) -> Spread | None:
        fabric = trunks.fabric(self._tx)
        return None if fabric is None else Spread(trunks.counts(self._tx), fabric)

    def _applied(self, vlan: int) -> Iterator[str]:
        """Yield the places that carry, or may carry, a VLAN, but for those that the job sets."""
        for port in vlans.ports_on(self._tx, [vlan]):
            if PortRef(port.switch, port.port) not in self._own.ports:
                yield port.switch
        for headnode in vlans.headnodes_on(self._tx, [vlan]):
            if headnode.uuid not in self._own.headnodes:
                yield headnode.hypervisor

    def _used(self, vlan: int) -> Iterator[str]:
        """Yield the places where steps of this job, or steps still to come of others, use it."""
        for used, place in (*self._own.uses, *self._others):
            if used == vlan:
                yield place

    @cached_property
    def _others(self) -> list[tuple[int, str]]:
        rows = self._tx.query(
            _StepRow,
            "SELECT step.device, step.change FROM job JOIN step ON job.id = step.job_id"
            " WHERE job.state = 'running' AND job.id <> ?"
            " AND step.state IN ('pending', 'sending', 'sent')"
            " AND step.kind IN"
            " ('port.set', 'headnode.define', 'headnode.connect', 'headnode.copy')"
            " AND NOT EXISTS (SELECT 1 FROM port JOIN switch ON switch.id = port.switch_id"
            " WHERE switch.name = step.device AND port.name = step.target AND role = 'trunk')",
            (self._job_id,),
        )
        return [use for row in rows for use in _uses(row.device, row.change)]
