"""Simulated switches whose command line is a Linux shell: a real bash behind telnet and SSH.

Echo, ``$?``, quoting, type-ahead, job control and ``PS1`` are bash's own. Only the vendor's
programs are simulated. For each name in `ShellSwitch.programs`, a small client comes first in PATH;
it sends its arguments to the device over a Unix socket and prints the answer.

A personality derives from `ShellSwitch`. It defines ``dialect``, ``port_names`` and ``factory`` as
described in `haas_rpcd.sim.cli`, then ``programs`` and ``run``::

    class Acme(ShellSwitch[cli.Config]):
        dialect = "acme"
        programs = ("acmectl",)

        async def run(self, call: Call) -> int:
            if call.words[:2] == ["acmectl", "vlan"] and not call.root:
                call.error("Root privileges are required for this operation")
                return 1
            if not (await call.ask("Sure? [y/N]: ")).lower().startswith("y"):
                return 1
            self.running.vlans[int(call.words[2])] = ""
            self.touch()
            return 0

``sudo`` asks for no password and sets ``call.root``; ``reboot`` reloads the switch. Only the
vendor's commands are recorded, with the mode ``shell``. `Faults` apply to them; ``line_delay`` is
the time that each takes.

A user who logs in gets a shell with the rights of this process, so listen only on the loopback
interface or in a lab.
"""

from haas_rpcd.sim.shell.call import Call
from haas_rpcd.sim.shell.switch import ShellSwitch

__all__ = ["Call", "ShellSwitch"]
