"""``haas-rpcd --demo``: a daemon whose devices are all simulated. Nothing else imports it."""

from haas_rpcd.demo.embedded import demo, run_demo
from haas_rpcd.demo.rehearsal import rehearsal, run_rehearsal

__all__ = ["demo", "rehearsal", "run_demo", "run_rehearsal"]
