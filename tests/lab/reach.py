"""The ways in which the daemon reaches the network of a hypervisor."""

from __future__ import annotations

import pytest

OVER_SSH = pytest.mark.parametrize("host", ["ssh"], indirect=True)

EITHER_WAY = pytest.mark.parametrize("host", ["netlink", "ssh"], indirect=True)
"""Runs a test with the driver over netlink, and over iproute2 and SSH. Others use netlink alone:
what is decided is the same code, and a command takes the lab's kernel long."""
