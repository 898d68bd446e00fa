"""Turns states into steps, as pure functions: no I/O, no clock, no database.

- ``plan()`` returns the steps from what was applied to what is desired.
- ``drift()`` returns the differences between what was applied and what was observed; ``repair()``
  returns the steps that undo them, ``lost()`` those that the daemon undoes by itself.
- ``cabling()`` says whether nics are plugged in where they are registered.
- ``shortfall()`` says what a device lacks of a change when it is read back.

The same inputs always give the same plan, so a digest of the steps tells whether a plan that a user
saw still holds. Steps are absolute, so recovery from any interruption is to plan again.

The order of the phases keeps tenants isolated. A port whose state is not known is parked before it
joins; all ports leave before any port joins; a VLAN is created before a port carries it, and is
removed only when nothing that the planner knows of carries it.
"""

from haas_rpcd.planner.cabling import cabling
from haas_rpcd.planner.plans import digest, plan
from haas_rpcd.planner.repairs import drift, lost, repair
from haas_rpcd.planner.steps import describe, shortfall

__all__ = ["cabling", "describe", "digest", "drift", "lost", "plan", "repair", "shortfall"]
