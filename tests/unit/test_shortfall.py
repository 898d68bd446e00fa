"""shortfall(): a change is done only if everything it sets reads back as wanted."""

from __future__ import annotations

import pytest

from haas_rpcd.model import (
    PARKED,
    BridgeSeen,
    Change,
    DefineHeadnode,
    DeleteHeadnode,
    HeadnodeNic,
    HeadnodeSeen,
    PortConfig,
    PortSeen,
    PresenceSeen,
    SaveConfig,
    Seen,
    SetBridge,
    SetHeadnodeNics,
    SetHeadnodePower,
    SetPort,
    SetVlan,
)
from haas_rpcd.planner import shortfall

NICS = (HeadnodeNic("n1", "52:54:00:00:00:01", 100), HeadnodeNic("n2", "52:54:00:00:00:02", 101))


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (DefineHeadnode("a", "u", "base", NICS), HeadnodeSeen(True, False, NICS)),
        (DefineHeadnode("a", "u", "base", NICS[::-1]), HeadnodeSeen(True, False, NICS)),
        (SetHeadnodeNics("a", "u", NICS[::-1]), HeadnodeSeen(True, True, NICS)),
        (SetHeadnodePower("a", "u", True), HeadnodeSeen(True, True)),
        (DeleteHeadnode("a", "u"), HeadnodeSeen(False)),
        (SetPort("p1", PARKED), PortSeen(PARKED)),
        (SetPort("p1", PortConfig(100)), PortSeen(PortConfig(100))),
        (SetVlan(100, True), PresenceSeen(True)),
        (SetBridge(100, False), BridgeSeen(False)),
        (SaveConfig(), PresenceSeen(True)),
    ],
)
def test_a_change_that_reads_back_as_wanted_is_done(change: Change, seen: Seen) -> None:
    assert shortfall(change, seen) is None


@pytest.mark.parametrize(
    ("change", "seen", "said"),
    [
        (
            DefineHeadnode("a", "u", "base", NICS),
            HeadnodeSeen(False),
            "headnode a is not there when read back",
        ),
        (
            DefineHeadnode("a", "u", "base", NICS),
            HeadnodeSeen(True, False, NICS[:1]),
            "headnode a has other nics than wanted when read back",
        ),
        (
            SetHeadnodeNics("a", "u", ()),
            HeadnodeSeen(True, False, NICS),
            "headnode a has other nics than wanted when read back",
        ),
        (
            SetHeadnodePower("a", "u", True),
            HeadnodeSeen(True, False),
            "headnode a is not running still",
        ),
        (
            SetHeadnodePower("a", "u", False),
            HeadnodeSeen(True, True),
            "headnode a is running still",
        ),
        (
            DeleteHeadnode("a", "u"),
            HeadnodeSeen(True),
            "headnode a is still there when read back",
        ),
        (
            SetPort("p1", PARKED),
            PortSeen(PortConfig(100)),
            "p1 reads back as access 100 instead of parked",
        ),
        (
            SetPort("p1", PortConfig(100)),
            PortSeen(PortConfig(100, (101,))),
            "p1 reads back as untagged 100, tagged 101 instead of access 100",
        ),
        (SetVlan(100, True), PresenceSeen(False), "100 is not there when read back"),
        (SetVlan(100, False), PresenceSeen(True), "100 is still there when read back"),
        (SetBridge(100, True), BridgeSeen(False), "br-vlan100 is not there when read back"),
        (
            SetBridge(100, True),
            BridgeSeen(True, ("uplink is in it, which HaaS did not put there",)),
            "br-vlan100 is not as it was set when read back: uplink is in it, which HaaS did not"
            " put there",
        ),
        (
            SaveConfig(),
            PresenceSeen(False),
            "the switch did not confirm that it saved its configuration",
        ),
    ],
)
def test_a_change_that_reads_back_differently_is_not_done(
    change: Change, seen: Seen, said: str
) -> None:
    assert shortfall(change, seen) == said


def test_a_driver_that_answers_about_something_else_is_refused() -> None:
    with pytest.raises(TypeError, match="PresenceSeen does not answer SetPort"):
        shortfall(SetPort("p1", PARKED), PresenceSeen(True))
