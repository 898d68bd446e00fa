"""How many situations a law is tried on: as many as it says, or the few of ``make fast``."""

from __future__ import annotations

import os
import sys
from typing import Any

from hypothesis import settings

MOST = int(os.environ.get("HAAS_TEST_EXAMPLES", sys.maxsize))


def law(examples: int, **more: Any) -> settings:
    """Return the settings of a law that is tried on so many examples, however slow the machine."""
    return settings(deadline=None, max_examples=min(examples, MOST), **more)
