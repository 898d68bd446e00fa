"""The machinery of simulated switches with a command line."""

from haas_rpcd.sim.cli.device import Config, Device, Options, Port
from haas_rpcd.sim.cli.grammar import (
    Args,
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
    ARGUMENTS,
    CliSwitch,
    Commands,
    Handler,
    Lines,
    RejectedError,
    each_port,
)
from haas_rpcd.sim.cli.texts import Enable, Login, Mode, Pager
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
