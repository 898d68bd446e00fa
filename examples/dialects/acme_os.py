"""A site's own dialect: copy it to /etc/haas/dialects, change it, and restart haas-rpcd.

This one is for an imagined family that resembles Cisco IOS, as most do. So it defines only what is
different: how ports are named, how the configuration is saved, and which messages are harmless. See
`haas_rpcd.drivers.switch.dialect.Dialect` for everything that can be defined, and for the one rule
that matters: after each line, a port carries no VLAN that is in neither its old nor its new
configuration.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from haas_rpcd.drivers.switch.ioslike import IosLike, range_with_blanks
from haas_rpcd.drivers.switch.portnames import Span


class AcmeOs(IosLike):
    """``acme_os``: Acme's switches."""

    name = "acme_os"
    title = "Acme OS"
    types = ("GigabitEthernet", "TenGigabitEthernet")
    setup = ("terminal length 0", "terminal width 511")
    save = ("write memory",)
    max_ranges = 4  # of ports in one `interface range`
    window = 8  # lines that may be sent ahead
    benign = (*IosLike.benign, r"% port is now in vlan \d+")
    shows_default_mode = "dynamic"
    model = re.compile(r"^Model number\s*: *(\S+)", re.M)
    version = re.compile(r"Version ([^,\s]+)")

    def enter_range(self, spans: Sequence[Span]) -> str:
        """Acme OS wants blanks around dash and comma."""
        return f"interface range {range_with_blanks(spans)}"

    def saved(self, answer: str) -> bool:
        """Acme OS ends a successful save with ``[OK]``."""
        return "[OK]" in answer
