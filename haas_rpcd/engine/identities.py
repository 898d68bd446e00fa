"""Makes sure that the switch which answers is the one that was registered, and no other.

Two names for one switch would be set against each other, and a switch that was replaced or
miscabled has nothing of what was applied. So nothing is sent to such a switch, and its ports are
not believed, until an admin has decided.
"""

from __future__ import annotations

import logging

from haas_rpcd.drivers import Driver
from haas_rpcd.errors import DeviceError
from haas_rpcd.events import Events
from haas_rpcd.registered import SwitchMarks
from haas_rpcd.store import identities
from haas_rpcd.store.database import Store, Tx

log = logging.getLogger(__name__)


class Identities:
    """Compares what switches say of themselves with what they said before."""

    def __init__(self, store: Store, events: Events) -> None:
        self._store = store
        self._events = events

    async def check(self, switch: str, driver: Driver, *, rebooted: bool) -> None:
        """Check a switch in a new session. ``rebooted``: its boot time is not the one known.

        Raises DeviceError ``identity`` if it is another switch than before, or is registered under
        another name already.
        """
        known = await self._store.read(identities.find, switch)
        if known is None:
            return
        marks = driver.marks_at_hand()
        if not marks and (rebooted or known.identity is None or known.stranger is not None):
            marks = await driver.marks()
        if not marks or (marks == known.identity and known.stranger is None):
            return
        refusal = await self._store.write(_compare, switch, marks)
        if refusal is None:
            if known.stranger is not None:
                log.info("%s: the switch that was registered answers again", switch)
                self._changed(switch, "identity-restored")
            return
        if known.stranger is None:
            log.warning("%s", refusal)
            self._changed(switch, "identity-changed")
        raise DeviceError(refusal, reason="identity")

    def _changed(self, switch: str, verb: str) -> None:
        self._events.publish_inventory("switch", verb, switch, admins_only=True)


def _compare(tx: Tx, switch: str, marks: SwitchMarks) -> str | None:
    """Learn a switch's identity; return a sentence if it is not acceptable."""
    known = identities.find(tx, switch)
    if known is None:
        return None
    same = None if known.identity is None else known.identity.same(marks)
    other = identities.same_as(tx, marks, but=switch)
    if same or (same is None and other is None):
        identities.learn(tx, switch, marks)
        return None
    identities.set_stranger(tx, switch, marks)
    return refusal_of(switch, known.identity, marks, other)


def refusal_of(
    switch: str, known: SwitchMarks | None, marks: SwitchMarks, other: str | None
) -> str:
    """Return why nothing is sent to a switch, and what to do.

    ``known``: what the switch said of itself before. ``other``: the switch that says the same.
    """
    if known is None or known.same(marks) is not False:
        return (
            f"{switch} says that it is {marks.describe()}, as {other} does: they are one switch,"
            f" which is registered once. Delete one of them; if they are two all the same, register"
            ' them with the option "identity": false.'
        )
    who = f"That is {other}: check the cabling and the addresses." if other else ""
    who = who or "Nothing is sent to it."
    return (
        f"Another switch answers at the address of {switch}: it says that it is"
        f" {marks.describe()}, and {switch} was {known.describe()}. {who} If {switch} was replaced,"
        f" accept it with  switch probe {switch} --accept true  and park its ports with"
        "  apply --site"
    )
