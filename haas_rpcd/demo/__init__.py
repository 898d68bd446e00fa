"""``haas-rpcd --demo``: a daemon whose devices are all simulated. Nothing else imports it."""

from haas_rpcd.demo.embedded import demo, run_demo

__all__ = ["demo", "run_demo"]
