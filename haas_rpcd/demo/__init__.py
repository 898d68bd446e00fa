"""``haas-rpcd --demo``: a daemon whose devices are all simulated. Nothing else imports it."""

from haas_rpcd.demo.embedded import demo, run_demo
from haas_rpcd.demo.rehearsal import check_site, rehearse, run_rehearsal

__all__ = ["check_site", "demo", "rehearse", "run_demo", "run_rehearsal"]
