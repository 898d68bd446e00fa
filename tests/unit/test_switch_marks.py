"""What switches say of themselves that no other switch says: from real answers to ``show version``.

The excerpts are the lines about serial numbers and MAC addresses of ntc-templates' samples
(tests/VENDOR_OS/show_version, hp_procurve/show_system, juniper_junos/show_chassis_hardware,
hp_comware/display_device_manuinfo), with made-up numbers.
"""

from __future__ import annotations

import pytest

from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.registered import SwitchMarks

CATALYST_STACK = """
Processor board ID FCW2233FFG3
Base Ethernet MAC Address          : 70:35:09:dd:20:00
Motherboard Assembly Number        : 73-18271-03
Motherboard Serial Number          : FCW2234G0BE
Model Number                       : C9300-48UXM
System Serial Number               : FCW2233FFG3
Switch 02
---------
Base Ethernet MAC Address          : 0c:d0:f8:cd:b5:80
Motherboard Serial Number          : FOC12340ABC
System Serial Number               : FCW1234F88V
"""
NEXUS = "  Processor Board ID FDO23490570\n"
ARISTA = """
Serial number:       JPE18523609
Hardware MAC address: 985d.82b8.faf5
System MAC address:  985d.82b8.faf5
"""
VEOS = """
Serial number:
System MAC address:  2803.829a.1347
"""
PROCURVE = """
  Software revision  : WB.16.08.0003        Base MAC Addr      : 7446a0-41a56f
  ROM Version        : WB.16.03             Serial Number      : AB12CDE3FG
"""
JUNOS = """
Hardware inventory:
Item             Version  Part number  Serial number     Description
Chassis                                XX123456780000    QFX5100-48S-6Q
Pseudo CB 0
Routing Engine 0          BUILTIN      BUILTIN           QFX Routing Engine
FPC 0            REV 12   650-000000   XX123456780223    QFX5100-48S-6Q
  CPU                     BUILTIN      BUILTIN           FPC CPU
Power Supply 0   REV 01   740-000000   1EDN0000000       JPSU-650W-AC-AFO
"""
COMWARE = """
Slot 1:
DEVICE_NAME          : 5130-24G-4SFP+ EI
DEVICE_SERIAL_NUMBER : CN43GG2001
MAC_ADDRESS          : 1111-2222-3333
Fan 1:
DEVICE_NAME          : LSWM1HFANSC
DEVICE_SERIAL_NUMBER : CN43GG2002
Slot 2:
DEVICE_NAME          : 5130-24G-4SFP+ EI
DEVICE_SERIAL_NUMBER : CN43GG2011
Power 1:
The operation is not supported on the specified power.
"""
FASTIRON_STACK = """
UNIT 1: SL 1: ICX7150-48PF-2X10G_2X1G POE 48-port Management Module
      Serial  #:FEE3816Q018
UNIT 2: SL 1: ICX7150-48PF-2X10G_2X1G POE 48-port Management Module
      Serial  #:FEE3816Q017
"""


def said(dialect: str, answer: str) -> SwitchMarks:
    return DIALECTS[dialect].about.marks([answer])


@pytest.mark.parametrize(
    ("dialect", "answer", "serials", "macs"),
    [
        (
            "cisco_ios",
            CATALYST_STACK,
            ("FCW1234F88V", "FCW2233FFG3"),
            ("0c:d0:f8:cd:b5:80", "70:35:09:dd:20:00"),
        ),
        ("cisco_nxos", NEXUS, ("FDO23490570",), ()),
        ("arista_eos", ARISTA, ("JPE18523609",), ("98:5d:82:b8:fa:f5",)),
        ("arista_eos", VEOS, (), ("28:03:82:9a:13:47",)),
        ("juniper_junos", JUNOS, ("XX123456780000", "XX123456780223"), ()),
        ("hpe_comware", COMWARE, ("CN43GG2001", "CN43GG2011"), ()),
        ("hp_procurve", PROCURVE, ("AB12CDE3FG",), ("74:46:a0:41:a5:6f",)),
        ("brocade_fastiron", FASTIRON_STACK, ("FEE3816Q017", "FEE3816Q018"), ()),
    ],
)
def test_serial_numbers_and_base_macs(
    dialect: str, answer: str, serials: tuple[str, ...], macs: tuple[str, ...]
) -> None:
    assert said(dialect, answer) == SwitchMarks(serials, macs)


@pytest.mark.parametrize("dialect", ["linux_bridge", "openvswitch"])
def test_a_linux_machine_says_nothing_of_itself(dialect: str) -> None:
    assert not said(dialect, "Linux 6.1.0-13-amd64\nbridge utility, iproute2-6.1.0\n")


@pytest.mark.parametrize("serial", ["0", "N/A", "None", "0123456789", "Not Available", "xxxxxxxx"])
def test_a_placeholder_is_no_serial_number(serial: str) -> None:
    assert not said("sonic", f"Serial Number: {serial}\n")


@pytest.mark.parametrize("mac", ["5254.0012.3456", "0000.0000.0000", "ffff.ffff.ffff"])
def test_a_mac_that_no_vendor_gave_to_it_is_none(mac: str) -> None:
    """QEMU's 52:54:00 is locally administered: many virtual switches have the same."""
    assert not said("arista_eos", f"System MAC address:  {mac}\n")


def test_a_stack_stays_the_same_when_a_member_is_replaced_or_another_one_leads() -> None:
    stack = said("cisco_ios", CATALYST_STACK)
    after = said("cisco_ios", CATALYST_STACK.replace("FCW2233FFG3", "FCW9999XYZ9"))
    assert stack.same(after) is True
    assert stack.same(said("cisco_ios", "Processor board ID FCW1234F88V\n")) is True


def test_serial_numbers_decide_before_macs() -> None:
    """Two chassis may be set to the same MAC; a login may be shown less than another."""
    one, other = SwitchMarks(("AAAAA1",), ("00:1c:73:00:00:01",)), SwitchMarks(("BBBBB2",), ())
    assert one.same(other) is False
    assert one.same(SwitchMarks(("BBBBB2",), one.macs)) is False
    assert one.same(SwitchMarks((), one.macs)) is True
    assert other.same(SwitchMarks((), one.macs)) is None
    assert one.same(SwitchMarks()) is None


def test_a_virtual_junos_without_a_serial_number_says_nothing() -> None:
    assert not said("juniper_junos", f"Chassis{'':48}VMX\n")
