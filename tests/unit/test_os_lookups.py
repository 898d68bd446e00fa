"""A look-up of OS users that fails for want of a descriptor is no answer about the user."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from haas_rpcd.auth.peer import groups_of, os_user

ROOT = Path(__file__).parents[2]

OUT_OF_DESCRIPTORS = """
import os, resource, sys
from haas_rpcd.auth import peer
from haas_rpcd.errors import UnavailableError

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
held = []
while True:
    try:
        held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        break
for look_up in (lambda: peer.os_user(54321), lambda: peer.groups_of("nobody-here")):
    try:
        print("said", look_up())
    except UnavailableError as error:
        print(error.message)
"""


def test_without_a_descriptor_nobody_is_called_unknown() -> None:
    done = subprocess.run(
        (sys.executable, "-c", OUT_OF_DESCRIPTORS), cwd=ROOT, capture_output=True, text=True
    )
    told = "The users of this system cannot be looked up at the moment: try again."
    assert (done.stdout.splitlines(), done.stderr) == ([told, told], "")


def test_a_user_who_does_not_exist_is_unknown() -> None:
    assert os_user(54321) == ""
    assert groups_of("nobody-here") is None
