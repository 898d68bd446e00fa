"""Commands of global configuration and of config-vlan mode."""

from __future__ import annotations

import re

from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Handler, Lines, Session
from haas_rpcd.sim.ios import modes
from haas_rpcd.sim.ios.catalyst import Catalyst
from haas_rpcd.sim.ios.state import INVALID, Port, VtpMode
from haas_rpcd.sim.ios.vlanlist import DEFAULT_VLANS, BadVlanListError, parse
from haas_rpcd.sim.ioslike.execute import enter_port, enter_ports


def _hostname(switch: Catalyst, session: Session, args: Args) -> list[str]:
    name = "Switch" if args.no else args.text("word")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,62}", name):
        return ["% Hostname contains one or more illegal characters."]
    switch.running.hostname = name
    return []


def _vlan(switch: Catalyst, session: Session, args: Args) -> list[str]:
    try:
        vlans = sorted(parse(args.text("vlans")))
    except BadVlanListError as error:
        return str(error).splitlines()
    if args.no:
        switch.delete_vlans(vlan for vlan in vlans if vlan not in DEFAULT_VLANS)
        return [f"%Default VLAN {v} may not be deleted." for v in vlans if v in DEFAULT_VLANS]
    session.enter(modes.VLAN, editing=dict.fromkeys(vlans))
    return []


def _vlan_name(switch: Catalyst, session: Session, args: Args) -> list[str]:
    """Name the edited VLAN. The name takes effect when config-vlan mode is left."""
    if len(session.editing) > 1:
        return ["% Name cannot be configured for a range of VLANs."]
    (vlan,) = session.editing
    if vlan in DEFAULT_VLANS:
        return [f"Default VLAN {vlan} may not have its name changed."]
    session.editing[vlan] = "" if args.no else args.text("vlan-name")
    return []


_ENTER_PORT = enter_port(modes.INTERFACE)


def _interface(switch: Catalyst, session: Session, args: Args) -> Lines:
    """``interface <port>``: makes a port-channel that is not there yet, in its factory state."""
    name = args.text("port")
    if switch.names.is_channel(name):
        switch.running.ports.setdefault(name, Port())
    return _ENTER_PORT(switch, session, args) or []


def _no_interface(switch: Catalyst, session: Session, args: Args) -> Lines:
    """Remove a port-channel. Its members are in no channel then.

    "Switch shuts down all physical ports […] to avoid loop" (http://ccie.lmd.in.ua/tag/pagp). As
    no manual says so, they stay here as they are, with the channel's VLANs, which is worse.
    """
    name = args.text("port")
    if not switch.names.is_channel(name):
        return ["% Removal of physical interfaces is not permitted"]
    if name not in switch.running.ports:
        return INVALID
    for member in switch.running.members(name):
        switch.running.ports[member].channel = None
        switch.touch(member)
    del switch.running.ports[name]
    return []


def _vtp_mode(mode: VtpMode) -> Handler:
    def run(switch: Catalyst, session: Session, args: Args) -> list[str]:
        title = mode.capitalize()
        if switch.running.vtp_mode == mode:
            return [f"Device mode already VTP {title} for VLANS."]
        switch.running.vtp_mode = mode
        return [f"Setting device to VTP {title} mode for VLANS."]

    return run


GLOBAL: Commands = [
    ("hostname <word>", _hostname),
    ("no hostname [<word>]", _hostname),
    ("interface <port>", _interface),
    ("no interface <port>", _no_interface),
    ("interface range <ports>", enter_ports(modes.RANGE)),
    ("[no] vlan <vlans>", _vlan),
    ("vtp mode transparent", _vtp_mode("transparent")),
    ("vtp mode server", _vtp_mode("server")),
    ("no ip domain-lookup", CliSwitch.do_nothing),
    ("spanning-tree mode pvst", CliSwitch.do_nothing),
]

VLAN: Commands = [
    ("name <vlan-name>", _vlan_name),
    ("no name [<vlan-name>]", _vlan_name),
    ("state active", CliSwitch.do_nothing),
    ("no shutdown", CliSwitch.do_nothing),
]

RESERVED = {
    "": "aaa access-list alias archive arp authentication auto banner boot buffers call-home cdp "
    "cisp class-map clock cluster config-register configuration crypto default default-value "
    "define device-sensor diagnostic dot1x downgrade dying-gasp eap enable energywise "
    "epm errdisable event exception file help identity ip ipv6 kerberos key "
    "kron l2 lacp ldap license line lldp location logging login macro memory "
    "memory-size menu mls monitor netconf network-policy nmsp no ntp odm pagp parameter-map "
    "parser password policy-map port-channel power printer priority-queue privilege process "
    "psp radius radius-server regexp rep resource rmon rsakeypair scheduler sdm security "
    "service setup shell snmp snmp-server stack-mac standby stcapp subscriber switch system "
    "tacacs-server template tftp-server time-range track transceiver udld upgrade username "
    "vmps wsma",
    "interface": "vlan",
    "vlan": "access-log access-map accounting configuration dot1q filter group internal",
    "vtp": "domain file interface password pruning version",
    "vtp mode": "client off",
}
"""Further keywords, so that abbreviations are ambiguous as on the device."""

RESERVED_VLAN = {
    "": "are backupcrf bridge exit media mtu no parent private-vlan remote-span ring said shutdown "
    "ste stp tb-vlan1 tb-vlan2",
    "state": "suspend",
}
