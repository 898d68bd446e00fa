"""Simulated switches whose command line is a Linux shell: a real bash behind the same wires.

Echo, ``$?``, quoting, type-ahead, job control and ``PS1`` are bash's own. What is simulated are the
vendor's programs: for each name in `ShellSwitch.programs` a tiny client stands first in PATH, hands
its arguments to the device over a Unix socket, and prints what the device answers.

A personality derives from `ShellSwitch`: ``dialect``, ``port_names`` and ``factory`` as in
`haas_rpcd.sim.cli`, then ``programs`` and `run`::

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

``sudo`` asks for no password and makes ``call.root`` true; ``reboot`` reloads. The records hold the
vendor's commands only, as mode ``shell``; `Faults` apply to them, and ``line_delay`` is what each
takes. Whoever logs in has a shell with the rights of this process: never listen beyond the
loopback or a lab.
"""

from haas_rpcd.sim.shell.call import Call
from haas_rpcd.sim.shell.switch import ShellSwitch

__all__ = ["Call", "ShellSwitch"]
