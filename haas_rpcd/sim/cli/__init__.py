"""The parts of which simulated switches with a command line are made: how to write one more.

A simulated switch is strict. It accepts what the vendor's switch accepts, refuses everything else
in the vendor's words, and at every moment its ports carry what the real ports would carry. Write it
from the vendor's manuals and published output, never from HaaS's drivers. It imports nothing of
HaaS outside `haas_rpcd.sim`.

Each family is a package, ``haas_rpcd/sim/FAMILY/``, that `haas_rpcd.sim.personalities` lists, with
tests in ``tests/sim/test_FAMILY.py``. Its modules:

- ``state``: what the switch is configured to do: its ports, its VLANs, what they carry.
- ``modes``: the modes of the command line, with their prompts.
- ``commands`` (and ``ports``, if it gets long): tables of patterns and handlers for each mode.
- ``show``: the commands that print.
- ``switch``: the class: logins, the texts around commands, refusals. ``__init__`` exports it.

`haas_rpcd.sim.eos` is a good one to read first; `haas_rpcd.sim.ioslike` has what several families
share.

1. **Ports** (`Naming`): the kinds of port names, their abbreviations, and how ranges are written.
2. **Modes** (`Mode`): each has a prompt and a parent, to which ``exit`` returns (None: ``exit``
   ends the session). With ``falls_to``, lines that the mode does not know are tried in another
   mode, as some vendors do. A prompt may contain line breaks (Junos's ``[edit]``).
3. **State**: a `Config` whose `Port` s report what they carry. If the VLANs list the ports (OS9,
   ProCurve, FastIron), put dataclasses into ``vlans`` and override `Config.carried`. All fields
   hold immutable values (frozensets), so that copies are independent; otherwise override
   `Config.copy`.
4. **Commands**: ``command_tables`` has a table of patterns and handlers for each mode. For patterns
   see `grammar`: ``"[no] shutdown"``, ``"show interfaces [<ports>] status"``, ``"mode
   how:access|trunk"``. A handler is called with the switch, the session and `Args`, and returns the
   lines that it prints. If the commands depend on the model, override `CliSwitch.tables`.
   `each_port` makes a handler from a function for a single port. `CliSwitch` has handlers that most
   families need (``do_enable``, ``do_exit``, ``do_end``, ``do_length`` and others). The family's
   own kinds of arguments go into ``arguments``.

   - A handler that changes what ports carry calls `Device.touch`, for some ports or for all;
     `each_port` does so itself. Observers are notified after the line.
   - `RejectedError` means "understood, but refused". It ends the command and prints its arguments.
   - `Session.enter` enters a mode. ``ports`` are the selected ports, ``editing`` is anything else.
     State that must survive a change of mode (Junos's private candidate) belongs in a subclass of
     `Session`, which ``session_type`` names.
   - `Session.ask` asks for a line or, with ``key``, for a single key. The handler of the answer
     returns lines or asks again.
   - `Device.save` copies the running configuration to the startup configuration. It returns False
     if a fault prevents that; then print `Device.save_error`. `Device.reload` does the work of
     ``reload``. A family with commits changes a copy and passes it to `Device.adopt`.
   - `CliSwitch.execute_in` is for families that accept the command of another mode in one line.
   - `CliSwitch.log` writes to sessions whose ``monitors`` is set, between their lines.

5. **Refusals**: override ``invalid``, ``incomplete`` and ``ambiguous``; the default texts are those
   of IOS. ``further_keywords`` have no commands; they only make abbreviations ambiguous, as on the
   real switch.
6. **Texts around commands**: `Login` (questions, refusals, number of tries), `Enable`, `Pager`,
   ``full_text`` (all VTYs are taken; if empty, the connection is reset), ``telnet_greeting``,
   ``negation`` (``"undo"``), ``comment``, ``do_word``, ``end_word``, ``width``, ``filters`` (after
   a ``|``). For other dialogues override ``greet`` (telnet only), ``ask_login`` or ``enter`` (every
   login).

A device with a real shell derives from `haas_rpcd.sim.shell` instead. Both kinds have `Device`'s
``carried``, ``is_shut``, ``plug``, ``reload``, ``announce``, ``lines``, ``history``, ``counters``
and ``faults``. They listen for telnet, and with ``ssh=True`` for SSH. The lab carries out on a real
bridge what they are configured to do (``tests/lab/face.py``).

A complete example, short enough for one module; ``tests/sim/test_guide.py`` runs it::

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
            return ["Saved."] if switch.save() else switch.save_error

        session.ask("Overwrite? (y/n) ", answered, key=True, shows_key=True)
        return []

    LEAVING = [("exit", CliSwitch.do_exit), ("end", CliSwitch.do_end)]

    class Acme(CliSwitch[cli.Config]):
        dialect = "acme"
        user_mode, privileged_mode = USER, PRIVILEGED
        naming = cli.Naming({"port ": "p"}, kind="[a-z]+ ?", number=r"\\d*", separator=".")
        login = cli.Login(user="User:", password="Pass:", stars="*", wrong=("No.",))
        pager = cli.Pager(more="--more--", quits="q")

        command_tables = {
            USER: [("enable", CliSwitch.do_enable), ("exit", CliSwitch.do_exit)],
            PRIVILEGED: [("configure", configure), ("save", save), ("exit", CliSwitch.do_exit)],
            CONFIG: [*LEAVING, ("[no] vlan <vlan>", vlan), ("select <ports>", port)],
            PORT: [*LEAVING, ("access <vlan>", access), ("[no] shutdown", shutdown)],
        }

        @classmethod
        def port_names(cls, count: int) -> list[str]:
            return [f"port {number}" for number in range(1, count + 1)]

        def factory(self, hostname: str) -> cli.Config:
            return cli.Config(hostname or "acme", {name: cli.Port() for name in self.port_list})
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
from haas_rpcd.sim.cli.plugging import Announced, Heard, Plugged
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
    "Announced",
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
    "Heard",
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
    "Plugged",
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
