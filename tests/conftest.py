"""What all tests share."""

from __future__ import annotations

import gc
import signal
from typing import Any

import pytest

# Whoever starts the tests in the background of a script has them ignore Ctrl-C, and so would every
# program that they start, as nohup(1) wants it: but some of them are to be interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Keep modules and tests out of the full garbage collections of a run: they outlive them."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give one worker all the lab's tests, as it boots the lab once (``lab/conftest.py``).

    The other tests go to whichever worker is free, one at a time. pytest-xdist 3.8's own way of
    grouping tests does nothing with pytest 9.2, as it changes an attribute that is gone.
    """
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class LabFirst(LoadScopeScheduling):  # it starts with the largest group
        def _split_scope(self, nodeid: str) -> str:
            return "lab" if nodeid.startswith("tests/lab/inside/") else nodeid

    return LabFirst(config, log)
