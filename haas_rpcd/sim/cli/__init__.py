"""The machinery of simulated switches: how to write one more personality.

A personality is strict: it takes what the vendor takes, refuses the rest in the vendor's words, and
its ports carry at every moment what such a switch would carry. It is written from the vendor's
manual and published output, never from HaaS's drivers, and imports nothing of ours outside this
package and its own. One module of 250 to 400 lines, ``haas_rpcd/sim/VENDOR.py``, named in
`haas_rpcd.sim.personalities`, with its tests in ``tests/sim/test_VENDOR.py``. `haas_rpcd.sim.eos`
is the one to read; `haas_rpcd.sim.ios` shows how far strictness can go.

1. **Ports** (`Naming`): the kinds of names, how they are abbreviated, how ranges are written.
2. **Modes** (`Mode`): each has a prompt, a parent (where ``exit`` leads; None ends the session)
   and, where the vendor does that, a mode that is tried for lines it does not know itself
   (``falls_to``). A prompt may hold line breaks (Junos's ``[edit]``).
3. **State**: a `Config` with `Port` s that say what they carry. Where VLANs hold the ports (Dell
   OS9, ProCurve, FastIron), put dataclasses into ``vlans`` and override `Config.carried`. Fields
   hold immutable values (frozensets) so that copies are copies; otherwise override `Config.copy`.
4. **Commands**: a table for each mode, of a pattern and a handler. For patterns see `grammar`:
   ``"[no] shutdown"``, ``"show interfaces [<ports>] status"``, ``"mode how:access|trunk"``. A
   handler gets the switch, the session and `Args`, and returns the lines it prints. `each_port`
   makes one of a function for a single port. `CliSwitch` has the common ones (``do_enable``,
   ``do_exit``, ``do_end``, ``do_length`` and so on). Own arguments go into ``arguments``.

   - A handler that changes what ports carry calls `Device.touch` (with ports, or for all);
     `each_port` does so itself. After the line everybody who watches is told.
   - `RejectedError` ("understood, but no") prints its arguments and ends the command.
   - `Session.enter` goes to a mode; ``ports`` are the selection, ``editing`` anything else. What
     must outlive a change of mode (Junos's private candidate) goes into a subclass of `Session`,
     named by ``session_type``.
   - `Session.ask` asks: for a line, or with ``key`` for a single key. The answer's handler returns
     lines, or asks again.
   - `Device.save` copies running to startup, and is False when a fault forbids it: then print
     ``switch.faults.save_error``. `Device.reload` is the rest of ``reload``. A vendor with commits
     changes a copy and hands it to `Device.adopt`.
   - `CliSwitch.execute_in` is for vendors who take a sub-mode's command in one line.
   - `CliSwitch.log` writes to sessions whose ``monitors`` is on, between their lines.

5. **Refusals**: override ``invalid``, ``incomplete`` and ``ambiguous``; by default they are IOS's.
   ``reserved`` lists keywords that are known only so that abbreviations clash as they should.
6. **What is said around commands**: `Login` (questions, refusals, tries), `Enable`, `Pager`,
   ``full_text`` (when all VTYs are taken; else a reset), ``telnet_greeting``, ``negation``
   (``"undo"``), ``comment``, ``do_word``, ``end_word``, ``width``, ``filters`` (after a ``|``).
   For other dialogues override ``greet`` (telnet only), ``ask_login``, ``enter`` (every login).

A device with a real shell derives from `haas_rpcd.sim.shell` instead. Either kind has `Device`'s
``carried``, ``is_shut``, ``plug``, ``reload``, ``announce``, ``lines``, ``history``, ``counters``
and ``faults``, listens for telnet and with ``ssh=True`` for SSH, and may be carried out on the
lab's bridge (``tests/lab/face.py``).

The shortest that is whole, as ``tests/sim/test_guide.py`` runs it::

    from haas_rpcd.sim import cli
    from haas_rpcd.sim.cli import Args, CliSwitch, Lines, Mode, Session

    USER = Mode("user", "{host}>")
    PRIVILEGED = Mode("privileged", "{host}#")
    CONFIG = Mode("config", "{host}(config)#", PRIVILEGED, configures=True)
    PORT = Mode("port", "{host}(port-{label})#", CONFIG, configures=True, falls_to=CONFIG)

    def configure(switch: "Acme", session: Session, args: Args) -> Lines:
        session.enter(CONFIG)
        return ["Configuring from terminal"]

    def port(switch: "Acme", session: Session, args: Args) -> Lines:
        ports = args.ports("ports")
        session.enter(PORT, switch.naming.short(ports[0]), ports=ports)
        return []

    def vlan(switch: "Acme", session: Session, args: Args) -> Lines:
        if args.no and args.number("vlan") == 1:
            raise cli.RejectedError("VLAN 1 stays")
        if args.no:
            switch.running.vlans.pop(args.number("vlan"), None)
        else:
            switch.running.vlans[args.number("vlan")] = ""
        switch.touch()
        return []

    @cli.each_port
    def access(switch: "Acme", name: str, port: cli.Port, args: Args) -> Lines:
        port.access_vlan = args.number("vlan")
        return []

    @cli.each_port
    def shutdown(switch: "Acme", name: str, port: cli.Port, args: Args) -> Lines:
        port.shutdown = not args.no
        return []

    def save(switch: "Acme", session: Session, args: Args) -> Lines:
        def answered(key: str) -> Lines:
            if key.lower() != "y":
                return ["Not saved."]
            return ["Saved."] if switch.save() else [switch.faults.save_error or ""]

        session.ask("Overwrite? (y/n) ", answered, key=True, shows_key=True)
        return []

    class Acme(CliSwitch[cli.Config]):
        dialect = "acme"
        user_mode, privileged_mode = USER, PRIVILEGED
        naming = cli.Naming({"port ": "p"}, kind="[a-z]+ ?", number=r"\\d*", separator=".")
        login = cli.Login(user="User:", password="Pass:", stars="*", wrong=("No.",))
        pager = cli.Pager(more="--more--", quits="q")

        @classmethod
        def port_names(cls, count: int) -> list[str]:
            return [f"port {number}" for number in range(1, count + 1)]

        def factory(self, hostname: str) -> cli.Config:
            return cli.Config(hostname or "acme", {name: cli.Port() for name in self.port_list})

        def tables(self):
            leaving = [("exit", CliSwitch.do_exit), ("end", CliSwitch.do_end)]
            return {
                USER: [("enable", CliSwitch.do_enable), ("exit", CliSwitch.do_exit)],
                PRIVILEGED: [("configure", configure), ("save", save), ("exit", CliSwitch.do_exit)],
                CONFIG: [*leaving, ("[no] vlan <vlan>", vlan), ("select <ports>", port)],
                PORT: [*leaving, ("access <vlan>", access), ("[no] shutdown", shutdown)],
            }
"""

from haas_rpcd.sim.cli.arguments import (
    ARGUMENTS,
    Argument,
    IncompleteError,
    InvalidError,
    Line,
    Number,
    Pattern,
    PortName,
    PortRange,
    Rest,
    Text,
    Vlans,
)
from haas_rpcd.sim.cli.config import Config, Port
from haas_rpcd.sim.cli.device import Device
from haas_rpcd.sim.cli.grammar import Args
from haas_rpcd.sim.cli.options import Options
from haas_rpcd.sim.cli.portname import Naming
from haas_rpcd.sim.cli.records import (
    NOTHING,
    Carried,
    Counters,
    Faults,
    HistoryEntry,
    LineRecord,
)
from haas_rpcd.sim.cli.session import Session
from haas_rpcd.sim.cli.switch import (
    CliSwitch,
    Commands,
    Handler,
    Lines,
    each_port,
)
from haas_rpcd.sim.cli.texts import Enable, Login, Mode, Pager, RejectedError
from haas_rpcd.sim.cli.vlans import ALL_VLANS, format_list, parse_list, wrap_list

__all__ = [
    "ALL_VLANS",
    "ARGUMENTS",
    "NOTHING",
    "Args",
    "Argument",
    "Carried",
    "CliSwitch",
    "Commands",
    "Config",
    "Counters",
    "Device",
    "Enable",
    "Faults",
    "Handler",
    "HistoryEntry",
    "IncompleteError",
    "InvalidError",
    "Line",
    "LineRecord",
    "Lines",
    "Login",
    "Mode",
    "Naming",
    "Number",
    "Options",
    "Pager",
    "Pattern",
    "Port",
    "PortName",
    "PortRange",
    "RejectedError",
    "Rest",
    "Session",
    "Text",
    "Vlans",
    "each_port",
    "format_list",
    "parse_list",
    "wrap_list",
]
