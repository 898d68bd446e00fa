"""Plans as the engine makes them: read the scope, plan, and render the very lines."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from haas_rpcd.drivers import Driver, OneByOne, SingleDriver
from haas_rpcd.errors import StalePlanError, UnavailableError
from haas_rpcd.model import (
    LIBVIRT,
    MASTER,
    Phase,
    Plan,
    PortConfig,
    RegisteredSwitch,
    SetPort,
    Step,
)
from haas_rpcd.planner import plan
from haas_rpcd.store import ports, scope, switches
from haas_rpcd.store.database import Tx
from haas_rpcd.store.scope import Scope, TraitsLookup

SwitchDriver = Callable[[RegisteredSwitch], Driver]
"""Makes the driver of a switch; no I/O."""

_REMEMBERED = 256
"""Plans whose steps are kept in memory, to name what changed when one of them has become stale."""


class Planning:
    """Makes plans, and remembers those that were shown."""

    def __init__(
        self,
        pool: Sequence[int],
        traits: TraitsLookup,
        switch_driver: SwitchDriver,
        master_driver: Callable[[], SingleDriver] | None,
        libvirt_driver: Callable[[], SingleDriver] | None,
    ) -> None:
        self.pool = tuple(pool)
        self.traits = traits
        self.switch_driver = switch_driver
        self._master = {MASTER: master_driver, LIBVIRT: libvirt_driver}
        self._shown: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    def plan(self, tx: Tx, wanted: Scope) -> Plan:
        """Plan a scope as it stands in this transaction."""
        return plan(*scope.load(tx, wanted, self.pool, self.traits))

    def own_devices(self) -> list[str]:
        """Name the master's own devices, where there is a ``[master]``."""
        return [device for device, make in self._master.items() if make is not None]

    def driver(self, tx: Tx, device: str) -> Driver:
        """Make the driver of a device; no I/O. Raises UnavailableError without ``[master]``."""
        if device in self._master:
            make = self._master[device]
            if make is None:
                raise UnavailableError(
                    "haas.toml has no [master] table, so this daemon makes no bridges and no"
                    " headnodes: an admin adds it and restarts haas-rpcd."
                )
            return OneByOne(make())
        row = switches.find(tx, device)
        if row is None:
            raise UnavailableError(f"The switch {device} is not registered any more.")
        return self.switch_driver(row.registered)

    def rendered(self, tx: Tx, steps: Sequence[Step]) -> list[tuple[Step, list[str]]]:
        """Give each step with the lines that will be sent for it.

        Steps of a phase are sent to their device together, and lines that serve several of them
        stand at the last: the steps' lines in order are what a device is sent.
        """
        batches: dict[tuple[str, Phase], list[int]] = {}
        for number, step in enumerate(steps):
            batches.setdefault((step.device, step.phase), []).append(number)
        drivers: dict[str, Driver] = {}
        carried: dict[str, dict[str, PortConfig]] = {}  # by then: steps before these are done
        there: dict[str, set[int]] = {}
        lines: list[list[str]] = [[] for _ in steps]
        for (device, _), numbers in batches.items():
            if device not in drivers:
                drivers[device] = self.driver(tx, device)
                carried[device] = ports.confirmed(tx, device)
                there[device] = _vlans(carried[device])
            changes = [steps[number].change for number in numbers]
            previews = drivers[device].preview(changes, carried[device], frozenset(there[device]))
            set_here = {each.port: each.config for each in changes if isinstance(each, SetPort)}
            carried[device] |= set_here
            there[device] |= _vlans(set_here)
            for number, shown in zip(numbers, previews, strict=True):
                lines[number] = shown
        return list(zip(steps, lines, strict=True))

    # --- digests ----------------------------------------------------------------------------------

    def remember(self, planned: Plan) -> None:
        """Keep what a plan that is shown says."""
        self._shown[planned.digest] = _sentences(planned)
        self._shown.move_to_end(planned.digest)
        while len(self._shown) > _REMEMBERED:
            self._shown.popitem(last=False)

    def check(self, digest: str | None, planned: Plan) -> None:
        """Raise StalePlanError, naming what changed, unless ``planned`` has this digest."""
        if digest is None or digest == planned.digest:
            return
        now = _sentences(planned)
        then = self._shown.get(digest)
        if then is None:
            raise StalePlanError(
                f"The plan {digest} is not the plan any more; look at the new one with  plan  and"
                f" apply that ({planned.digest}).",
                digest=planned.digest,
                added=list(now),
                removed=[],
            )
        added = [sentence for sentence in now if sentence not in then]
        removed = [sentence for sentence in then if sentence not in now]
        changes = "; ".join([f"new: {s}" for s in added] + [f"gone: {s}" for s in removed])
        raise StalePlanError(
            f"The plan has changed since it was shown ({changes or 'only its order'}); look at the"
            f" new one with  plan  and apply that ({planned.digest}).",
            digest=planned.digest,
            added=added,
            removed=removed,
        )


def _vlans(ports: Mapping[str, PortConfig]) -> set[int]:
    return {vlan for config in ports.values() for vlan in config.vlans}


def _sentences(planned: Plan) -> tuple[str, ...]:
    return tuple(f"{step.device}: {step.summary}" for step in planned.steps)
