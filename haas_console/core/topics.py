"""What ``help`` explains besides commands: dialects, states and exit codes.

The man page takes these texts as well. Tests compare them with the daemon's dialects and with the
types of the protocol.
"""

from __future__ import annotations

from typing import NamedTuple


class Topic(NamedTuple):
    """A text of help: a title, rows of two columns, and a last remark."""

    title: str
    rows: tuple[tuple[str, str], ...]
    remark: str = ""


TOPICS: dict[str, Topic] = {
    "dialects": Topic(
        "Dialects: how families of switches are spoken to",
        (
            ("arista_eos", "Arista EOS"),
            ("brocade_fastiron", "Brocade and Ruckus FastIron (ICX)"),
            ("cisco_ios", "Cisco IOS and IOS XE (Catalyst)"),
            ("cisco_nxos", "Cisco NX-OS (Nexus)"),
            ("cumulus_nvue", "Cumulus Linux 5 (NVUE)"),
            ("dell_os10", "Dell SmartFabric OS10"),
            ("dell_os6", "Dell N-Series (OS6)"),
            ("dell_os9", "Dell OS9 (Force10 FTOS)"),
            ("dell_powerconnect", "Dell PowerConnect 55xx"),
            ("hp_procurve", "HP ProCurve and ArubaOS-Switch"),
            ("hpe_comware", "HPE and H3C Comware"),
            ("juniper_junos", "Juniper EX and QFX (ELS)"),
            ("linux_bridge", "a Linux bridge that filters VLANs"),
            ("openvswitch", "Open vSwitch"),
            ("sonic", "SONiC"),
        ),
        "A daemon may have more: `system info` lists them. docs/switches.md says how each names its"
        " ports, and its options.",
    ),
    "states": Topic(
        "States",
        (
            ("desired", "what is staged: connect, allocate, create and so on change only this"),
            ("applied", "what a device last confirmed; apply changes it"),
            ("observed", "what a device says now; where that differs from applied, it is drift"),
            ("node unconfirmed", "its ports are not known to be parked: it can't be allocated"),
            ("node free", "all its ports are parked, and the switches have saved that"),
            ("node allocated", "a project holds it"),
            ("node releasing", "it is being parked, and free once that is confirmed and saved"),
            ("nic applied", "its port carries what is staged"),
            ("nic staged", "an apply would change its port"),
            ("nic unconfirmed", "what its port carries is not known"),
            ("nic unwired", "no port of a switch is registered for it"),
            ("job queued", "it waits for another job of its project"),
            ("job running", "it is under way"),
            ("job succeeded", "devices have confirmed every step"),
            ("job failed", "at least one step was not confirmed; `job show` says which, and why"),
            ("job cancelled", "it was stopped; what was not sent is still staged"),
        ),
        "A parked port is shut and carries nothing.",
    ),
    "exit-codes": Topic(
        "Exit codes of haas-console",
        (
            ("0", "done"),
            ("1", "a command failed"),
            ("2", "wrong usage or syntax; of  plan --exit-code: there is something to do"),
            ("3", "no daemon answers"),
            ("4", "denied, or --readonly forbids it"),
            ("5", "an apply failed"),
            ("130", "interrupted"),
        ),
        "The first error of a script decides.",
    ),
}
