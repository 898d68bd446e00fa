"""The embedded data centre of ``haas-rpcd --demo``: simulated devices that speak real protocols."""
