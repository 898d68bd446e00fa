"""What trunk ports lead to, in a site file."""

from __future__ import annotations

from collections.abc import Mapping

from haas_rpcd.errors import InvalidParamsError
from haas_rpcd.methods import linking
from haas_rpcd.methods.access import find_port
from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.site_tenants import Note, Where
from haas_rpcd.nicplug import Place
from haas_rpcd.site import SiteEnd, SiteSwitch
from haas_rpcd.store import trunks
from haas_rpcd.store.database import Tx
from haas_rpcd.store.trunks import TrunkEndRow


def import_(
    call: TxCall,
    switches: Mapping[str, SiteSwitch],
    note: Note,
    step: Where,
) -> None:
    """Declare what the trunk ports of a site file lead to; all switches are registered already."""
    for name, switch in switches.items():
        for port, end in switch.links.items():
            with step(f"switches.{name}.links.{port}"):
                _declare(call, name, port, end, note)


def _declare(call: TxCall, switch: str, port: str, end: SiteEnd, note: Note) -> None:
    row = find_port(call.tx, switch, port)
    known = trunks.of_port(call.tx, row.id)
    if known is not None and _end(known) == end:
        note(f"link {switch} {port}")
        return
    note(f"link {switch} {port}", created=known is None, changed=known is not None)
    linking.declare(call, row, _place(end), end.hypervisor)


def _place(end: SiteEnd) -> Place | None:
    if (end.switch is None) != (end.port is None) or (end.switch is None) == (
        end.hypervisor is None
    ):
        raise InvalidParamsError(
            "A trunk port leads to a switch and a port of it, or to a hypervisor: give either.",
            field="hypervisor",
        )
    if end.switch is None or end.port is None:
        return None
    return Place(end.switch, end.port)


def export(tx: Tx, switch_id: int) -> dict[str, SiteEnd]:
    """Return what a switch's trunk ports lead to. A cable is listed at the first of its ends."""
    return {
        row.port: _end(row)
        for row in trunks.of_switch(tx, switch_id)
        if row.peer is None or row.ref < row.peer
    }


def _end(row: TrunkEndRow) -> SiteEnd:
    return SiteEnd(row.peer_switch, row.peer_port, row.hypervisor)
