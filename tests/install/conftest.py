"""These tests take minutes and need root, so only ``make test-install`` collects them."""

from __future__ import annotations

import os

collect_ignore_glob = [] if os.environ.get("HAAS_TEST_INSTALL") else ["test_*.py"]
