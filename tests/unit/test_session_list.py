"""Which sessions of a switch are HaaS's own old ones, by what the switch lists."""

from __future__ import annotations

import pytest

from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.sessionlist import SessionList

IOS = """
    Line       User       Host(s)              Idle       Location
   0 con 0     admin      idle                 00:01:30
   2 vty 0     haas       idle                 00:00:41 192.0.2.10
*  3 vty 1     haas       idle                 00:00:00 192.0.2.10
   4 vty 2     admin      idle                 00:01:25 192.0.2.10

  Interface    User               Mode         Idle     Peer Address

"""
"""``show users`` of a Catalyst, as in Cisco IOS Terminal Services Command Reference."""


NXOS = """
NAME     LINE         TIME         IDLE          PID COMMENT
haas     pts/0        Jan 28 13:44   .          8096 (192.0.2.10)
admin    pts/1        Jan 28 13:44   .          8097 (192.0.2.10)
haas     pts/2        Jan 28 13:44   .          8098 (192.0.2.10) *
"""
"""``show users`` of a Nexus, after genieparser's tests of nxos/show_users."""


@pytest.fixture
def sessions() -> SessionList:
    known = DIALECTS["cisco_ios"].dialogue.sessions
    assert known is not None
    return known


def test_sessions_of_the_same_login_are_ended(sessions: SessionList) -> None:
    assert sessions.ends(IOS) == ["clear line 2"]
    assert not sessions.alone(IOS)


def test_alone_is_who_has_no_other_session(sessions: SessionList) -> None:
    alone = "\n".join(row for row in IOS.splitlines() if " vty 0 " not in row)
    assert sessions.ends(alone) == []
    assert sessions.alone(alone)


def test_a_session_from_elsewhere_is_not_ended_but_counts(sessions: SessionList) -> None:
    elsewhere = IOS.replace("00:00:41 192.0.2.10", "00:00:41 198.51.100.7")
    assert sessions.ends(elsewhere) == []
    assert not sessions.alone(elsewhere)


def test_without_user_names_nobody_is_thrown_out(sessions: SessionList) -> None:
    """With a password of the line alone, anybody may be behind a session."""
    nameless = IOS.replace("haas ", "     ").replace("admin", "     ")
    assert sessions.ends(nameless) == []
    assert not sessions.alone(nameless)


@pytest.mark.parametrize(
    "answer", ["", "% Invalid input", IOS.replace("*", " "), IOS.replace("Host(s)", "Hosts")]
)
def test_an_answer_that_is_no_such_list_proves_nothing(sessions: SessionList, answer: str) -> None:
    assert sessions.ends(answer) == []
    assert not sessions.alone(answer)


def test_the_own_session_may_have_a_longer_number(sessions: SessionList) -> None:
    """As on IOS XE, in genieparser's tests of iosxe/show_session."""
    answer = IOS.replace("*  3 vty 1    ", "*868 vty 0/1/0")
    assert sessions.ends(answer) == ["clear line 2"]


def test_nxos_tells_whether_another_session_is_left() -> None:
    known = DIALECTS["cisco_nxos"].dialogue.sessions
    assert known is not None
    assert known.ends(NXOS) == []
    assert not known.alone(NXOS)
    assert known.alone("\n".join(row for row in NXOS.splitlines() if "pts/0" not in row))
    assert not known.alone(NXOS.replace("*", ""))


OS9 = """
Authorization Mode: role or privilege
    Line        User      Role      Privilege Host(s) Location
  0 console 0   admin     sysadmin  15        idle
 *3 vty 1       haas      sysadmin  15        idle    172.31.1.4
  4 vty 2       haas      sysadmin  15        idle    172.31.1.4
"""
"""``show users`` of an S6000-ON, as in its configuration guide."""


def test_os9_tells_whether_another_session_is_left() -> None:
    known = DIALECTS["dell_os9"].dialogue.sessions
    assert known is not None
    assert known.ends(OS9) == []
    assert not known.alone(OS9)
    assert known.alone("\n".join(row for row in OS9.splitlines() if "vty 2" not in row))
    assert not known.alone(OS9.replace("*", " "))
    assert not known.alone("")


COMWARE = """
  Idx  Line     Idle       Time              Pid     Type
  10   VTY 0    00:10:49   Jun 11 11:27:32   320     TEL
+ 11   VTY 1    00:00:00   Jun 11 11:39:40   334     TEL

Following are more details.
VTY 0   :
        User name: haas
        Location: 192.168.1.26
VTY 1   :
        User name: haas
        Location: 192.168.1.26
 +    : Current operation user.
 F    : Current operation user works in async mode.
"""
"""``display users`` of Comware 7, as in H3C's "Fundamentals Command Reference"."""

COMWARE_5 = """
The user application information of the user interface(s):
  Idx UI      Delay    Type Userlevel
+ 29  VTY 0   00:00:00 SSH  3

Following are more details.
VTY 0   :
        User name: haas
        Location: 192.0.2.53
 +    : Current operation user.
 F    : Current operation user work in async mode.
"""
"""The same of Comware 5, as scripts for it describe it."""


def test_comware_ends_the_other_sessions_of_the_same_login() -> None:
    known = DIALECTS["hpe_comware"].dialogue.sessions
    assert known is not None
    assert known.ends(COMWARE) == ["free line VTY 0"]
    assert not known.alone(COMWARE)
    elsewhere = COMWARE.replace("192.168.1.26", "192.168.1.12", 1)
    assert known.ends(elsewhere) == []
    assert not known.alone(elsewhere)
    other_user = COMWARE.replace("haas", "admin", 1)
    assert known.ends(other_user) == []
    assert known.alone(other_user)
    assert known.alone(COMWARE_5)
    assert not known.alone(COMWARE.replace("        User name: haas\n", ""))
    assert not known.alone(COMWARE.replace("+ 11", "  11"))
