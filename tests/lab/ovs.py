"""The lab's switch as an Open vSwitch in user space: of the kernel it needs only raw sockets.

It forwards in a process of its own, so what has passed the kernel's queue may still be on its way.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
from collections.abc import Mapping
from pathlib import Path

from .topology import Lab, ip, run

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
RUN = Path("/run/openvswitch")
"""Where its programs look for it, all by themselves: the lab's own /run, in memory."""

TURNS = 8
"""Turns of the daemon's loop that empty its queues: it takes up to 32 frames of each port in one,
and a matrix has each nic send no more than a few hundred."""


class OpenVSwitch:
    """The daemons, in the switch's namespace, with all its ports on one bridge."""

    def __init__(self, lab: Lab) -> None:
        self._switch = lab.switch
        self._turns = itertools.count()

    def start(self) -> None:
        """Take the ports off the kernel's bridge, and give them to a fresh Open vSwitch."""
        switch, database = self._switch, RUN / "conf.db"
        ip(switch.name, f"link delete {switch.bridge}")
        RUN.mkdir()
        run("ovsdb-tool", "create", str(database), SCHEMA)
        remote = f"unix:{RUN}/db.sock"
        self._inside("ovsdb-server", str(database), f"--remote=p{remote}", *_DAEMON)
        self.vsctl("--no-wait", "init")
        self._inside("ovs-vswitchd", remote, *_DAEMON)
        ports = [word for port in switch.ports for word in ("--", "add-port", switch.bridge, port)]
        self.vsctl(
            *("add-br", switch.bridge, "--", "set", "bridge", switch.bridge),
            *("datapath_type=netdev", *ports),
        )

    def stop(self) -> None:
        """End the daemons."""
        for file in RUN.glob("*.pid"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(file.read_text()), signal.SIGKILL)

    def vsctl(self, *words: str) -> str:
        """Run ``ovs-vsctl``; return what it printed."""
        return run("ovs-vsctl", "--timeout=20", *words)

    def follow_links(self, carriers: Mapping[str, bool]) -> None:
        """Wait until the daemon knows which ports have a carrier: it floods no frame to the others.

        It hears of a carrier some turns after the kernel has it, and the later the busier the
        machine is.
        """
        for port, carrier in carriers.items():
            self.vsctl("wait-until", "Interface", port, f"link_state={'up' if carrier else 'down'}")
        self.forward_all()

    def forward_all(self) -> None:
        """Wait until the daemon has forwarded every frame that has arrived at it.

        ovs-vsctl returns once the daemon has taken over the changed configuration, which takes at
        least one turn of its loop (ovs-vsctl(8), --no-wait).
        """
        for _ in range(TURNS):
            turn = f"other_config:turn={next(self._turns)}"
            self.vsctl("set", "bridge", self._switch.bridge, turn)

    def _inside(self, *command: str) -> None:
        run("ip", "netns", "exec", self._switch.name, *command)


_DAEMON = ("--detach", "--pidfile", "--log-file=/dev/null", "-vconsole:off")
