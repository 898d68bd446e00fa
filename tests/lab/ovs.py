"""The lab's switch as an Open vSwitch in user space, which needs only raw sockets of the kernel.

It forwards frames in its own process, so a frame that has left the kernel's queue may still be on
its way.
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
"""The folder where its programs look by default; the lab's /run is its own, in memory."""

TURNS = 8
"""Turns of the daemon's loop that are enough to empty its queues. In one turn it reads up to 32
frames from each port, and for a matrix each nic sends no more than a few hundred."""


class OpenVSwitch:
    """The daemons in the switch's namespace, with all ports on one bridge."""

    def __init__(self, lab: Lab) -> None:
        self._switch = lab.switch
        self._turns = itertools.count()

    def start(self) -> None:
        """Move the ports from the kernel's bridge to a new Open vSwitch."""
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
        """Run ``ovs-vsctl``; return its output."""
        return run("ovs-vsctl", "--timeout=20", *words)

    def follow_links(self, carriers: Mapping[str, bool]) -> None:
        """Wait until the daemon knows which ports have a carrier; it floods frames only to those.

        It learns of a carrier some turns after the kernel does, later on a busy machine.
        """
        for port, carrier in carriers.items():
            self.vsctl("wait-until", "Interface", port, f"link_state={'up' if carrier else 'down'}")
        self.forward_all()

    def forward_all(self) -> None:
        """Wait until the daemon has forwarded all frames that it has received.

        ovs-vsctl returns once the daemon uses the changed configuration, which takes at least one
        turn of its loop (ovs-vsctl(8), --no-wait).
        """
        for _ in range(TURNS):
            turn = f"other_config:turn={next(self._turns)}"
            self.vsctl("set", "bridge", self._switch.bridge, turn)

    def _inside(self, *command: str) -> None:
        run("ip", "netns", "exec", self._switch.name, *command)


_DAEMON = ("--detach", "--pidfile", "--log-file=/dev/null", "-vconsole:off")
