"""The lab's switch as an Open vSwitch in user space: of the kernel it needs only raw sockets.

It forwards in a process of its own, so what has passed the kernel's queue may still be on its way.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
from pathlib import Path

from .topology import Lab, ip, run

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
RUN = Path("/run/openvswitch")
"""Where its programs look for it, all by themselves: the lab's own /run, in memory."""

ITERATIONS = 8
"""Turns of the daemon's loop in which it surely takes all that is waiting: it takes up to 32 frames
of each port in one, and a matrix has each nic send no more than some hundred."""


class OpenVSwitch:
    """The daemons, in the switch's namespace, with all its ports on one bridge."""

    def __init__(self, lab: Lab) -> None:
        self._switch = lab.switch

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

    def forwarded(self) -> None:
        """Wait until it has sent on all that has come in."""
        (control,) = RUN.glob("ovs-vswitchd.*.ctl")
        with socket.socket(socket.AF_UNIX) as daemon:
            daemon.connect(str(control))
            for number in range(ITERATIONS):  # it answers once in each turn of its loop
                request = {"method": "version", "params": [], "id": number}
                daemon.sendall(json.dumps(request).encode())
                while not daemon.recv(4096).rstrip().endswith(b"}"):
                    pass

    def _inside(self, *command: str) -> None:
        run("ip", "netns", "exec", self._switch.name, *command)


_DAEMON = ("--detach", "--pidfile", "--log-file=/dev/null", "-vconsole:off")
