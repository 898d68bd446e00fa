"""Junos: a private candidate, and one commit that applies all of it or nothing."""

from __future__ import annotations

import asyncio

import pytest

from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PARKED, PortConfig, PresenceSeen, SetPort, SetVlan, SwitchChange
from haas_rpcd.sim.cli import NOTHING, Carried
from haas_rpcd.sim.junos import JunosSwitch
from haas_rpcd.sim.junos.state import Port, Vlan
from tests.unit.dialects.harness import Recorder, driving, observe, send, states
from tests.unit.dialects.kinds import KINDS

ex4300 = KINDS["juniper_junos"].switch

JUNOS = DIALECTS["juniper_junos"]


class Cancelling(Recorder):
    """Cancels once a line with this start is sent."""

    def __init__(self, stops_at: str) -> None:
        super().__init__()
        self._stops_at = stops_at

    def cancelled(self) -> bool:
        return any(line.startswith(self._stops_at) for line in self.lines)


class Waiting(Recorder):
    """Notices when the driver waits for another session."""

    def __init__(self) -> None:
        super().__init__()
        self.waited = asyncio.Event()

    def line_sent(self, change: int, line: str) -> None:
        super().line_sent(change, line)
        if line.startswith("# somebody else"):
            self.waited.set()


def commands(switch: JunosSwitch) -> list[str]:
    """Return the lines that were sent after the login."""
    texts = [record.text for record in switch.lines]
    return texts[texts.index("set cli screen-width 0") + 1 :]


# --- isolation ------------------------------------------------------------------------------------


REFUSABLE = (
    "delete interfaces ge-0/0/1 native-vlan-id",
    "interface-mode access",
    "vlan members",
    "delete interfaces ge-0/0/1 disable",
    "^set vlans",
    "^commit$",
)


async def test_ports_are_set_one_by_one_if_ranges_are_refused() -> None:
    switch = ex4300()
    async with driving(switch) as driver:
        switch.faults.refuse = {"^wildcard range set": "error: permission denied"}
        await send(driver, SetPort("ge-0/0/2", PARKED), SetPort("ge-0/0/3", PARKED))
        assert "set interfaces ge-0/0/3 disable" in commands(switch)


@pytest.mark.parametrize("line", REFUSABLE)
async def test_nothing_of_a_refused_change_takes_effect(line: str) -> None:
    """Neither the lines sent ahead take effect, nor does a later commit apply them."""
    switch = ex4300()
    async with driving(switch) as driver:
        switch.faults.refuse = {line: "error: permission denied"}
        changes: list[SwitchChange] = [
            SetVlan(104, True),
            SetPort("ge-0/0/1", PortConfig(100)),
            SetPort("ge-0/0/2", PARKED),
            SetPort("ge-0/0/3", PARKED),
        ]
        outcomes = await driver.send(changes, Recorder())
        refused = [outcome.state != "sent" for outcome in outcomes]
        assert any(refused)
        at = commands(switch).index("rollback 0")
        assert commands(switch)[at + 1] == "exit configuration-mode"
        switch.faults.refuse = {}
        await send(driver, SetVlan(100, True))
        assert ("haas-104" not in switch.running.vlans) == refused[0]
        assert (switch.carried("ge-0/0/1") == Carried(100)) != refused[1]
        assert [switch.is_shut(f"ge-0/0/{port}") for port in (2, 3)] == [not r for r in refused[2:]]
        await send(driver, *changes)
        assert switch.carried("ge-0/0/1") == Carried(100)
        assert switch.carried("ge-0/0/2") == NOTHING


async def test_nothing_is_committed_that_is_not_in_the_candidate() -> None:
    """A line that was accepted, but not carried out, would open the port on the VLAN default."""
    switch = ex4300()
    async with driving(switch) as driver:
        await send(driver, SetPort("ge-0/0/1", PARKED), SetPort("ge-0/0/2", PortConfig(100)))
        switch.faults.refuse = {"ge-0/0/[12] unit .* vlan members": ""}
        changes = [SetPort("ge-0/0/1", PortConfig(100)), SetPort("ge-0/0/2", PortConfig(101))]
        outcomes = await driver.send(changes, Recorder())
        assert states(outcomes) == ["refused", "refused"]
        assert str(outcomes[0].error).startswith(
            "sw1 accepted the VLANs of ge-0/0/1, but HaaS did not commit it: ge-0/0/1 reads back as"
        )
        assert switch.carried("ge-0/0/2") == Carried(100)
        switch.faults.refuse = {"disable": ""}
        with pytest.raises(DeviceError, match="ge-0/0/2 is still open"):
            await send(driver, SetPort("ge-0/0/2", PARKED))
        assert switch.carried("ge-0/0/2") == Carried(100)
        switch.faults.refuse = {}
        await send(driver, *changes)
        assert switch.carried("ge-0/0/1") == Carried(100)


async def test_what_a_job_typed_before_it_was_cancelled_is_committed_by_no_other() -> None:
    class Cancelled(Recorder):
        def cancelled(self) -> bool:
            return "delete interfaces ge-0/0/1 disable" in self.lines

    switch = ex4300()
    async with driving(switch) as driver:
        await send(driver, SetPort("ge-0/0/1", PARKED))
        outcomes = await driver.send([SetPort("ge-0/0/1", PortConfig(100))], Cancelled())
        assert states(outcomes) == ["unfinished"]
        await send(driver, SetPort("ge-0/0/2", PortConfig(101)))
        assert switch.carried("ge-0/0/1") == NOTHING


async def test_what_prevents_a_commit_is_reported() -> None:
    switch = ex4300()
    switch.running.ports["ge-0/0/1"] = Port(inet=True)
    async with driving(switch) as driver:
        outcomes = await driver.send(
            [SetPort("ge-0/0/0", PARKED), SetPort("ge-0/0/1", PortConfig(100))], Recorder()
        )
        assert states(outcomes) == ["sent", "refused"]
        assert outcomes[1].error is not None
        assert outcomes[1].error.message.startswith(
            "sw1 accepted the VLANs of ge-0/0/1, but HaaS did not commit it: the configuration of"
            ' ge-0/0/1 has the line "unit 0 family inet", which HaaS does not understand'
        )
        assert switch.running.ports["ge-0/0/1"].inet
        with pytest.raises(DeviceError, match="No vlan matches vlan tag 200"):
            await send(driver, SetPort("ge-0/0/0", PortConfig(200)))
        with pytest.raises(DeviceError, match="Duplicate vlan-id exists"):
            await send(driver, SetVlan(7, True))
        await send(driver, SetPort("ge-0/0/0", PARKED))
        assert switch.is_shut("ge-0/0/0")


@pytest.mark.parametrize("at", ["configure private", "delete interfaces", "set interfaces"])
async def test_a_cancelled_job_commits_nothing(at: str) -> None:
    switch = ex4300()
    async with driving(switch, options={"window": 2}) as driver:
        outcomes = await driver.send([SetPort("ge-0/0/1", PortConfig(100))], Cancelling(at))
        assert states(outcomes)[0] in ("unfinished", "unsent")
        assert "commit" not in commands(switch)
        assert switch.history == []
        await send(driver, SetVlan(100, True))
        assert switch.history == []


@pytest.mark.parametrize("at", ["^configure", "interface-mode", "^delete interfaces .* disable"])
async def test_a_lost_session_commits_nothing(at: str) -> None:
    switch = ex4300()
    async with driving(switch) as driver:
        switch.faults.cut_at = at
        [outcome] = await driver.send([SetPort("ge-0/0/1", PortConfig(100))], Recorder())
        assert outcome.error is not None
        assert outcome.error.reason == "cut"
        assert not await driver.usable()
        await driver.close()
        await driver.open(lambda line: None)
        assert await observe(driver, ["ge-0/0/1"]) == [PortConfig(1)]
        await send(driver, SetVlan(100, True))
        assert switch.history == []


async def test_a_candidate_that_cannot_be_discarded_is_never_committed_later() -> None:
    """Its session is closed, and the candidate with it."""
    switch = ex4300()
    async with driving(switch) as driver:
        switch.faults.refuse = {"^rollback": "error: busy", "vlan members": "error: no"}
        [outcome] = await driver.send([SetPort("ge-0/0/1", PortConfig(100))], Recorder())
        assert outcome.state == "refused"
        switch.faults.refuse = {}
        assert not await driver.usable()
        await driver.close()
        await driver.open(lambda line: None)
        await send(driver, SetVlan(100, True))
        assert switch.history == []


async def test_a_commit_may_take_longer_than_a_line() -> None:
    switch = ex4300()
    switch.faults.slow = {"^commit$": 0.35}
    async with driving(switch, answer_timeout=0.2) as driver:
        await send(driver, SetPort("ge-0/0/1", PortConfig(100)))
        assert switch.carried("ge-0/0/1") == Carried(100)


# --- others who configure -------------------------------------------------------------------------


class Admin:
    """Another user of the same switch."""

    def __init__(self, switch: JunosSwitch) -> None:
        self._switch = switch

    async def __aenter__(self) -> Admin:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._switch.port)
        await self.types("haas", "s3cret")
        return self

    async def __aexit__(self, *why: object) -> None:
        self.writer.close()

    async def types(self, *lines: str) -> None:
        """Type lines, and wait until the switch has carried them out."""
        for line in lines:
            before = self._switch.counters.lines
            self.writer.write(f"{line}\r".encode())
            while self._switch.counters.lines == before:
                await self.reader.read(1024)


async def test_the_driver_waits_for_a_locked_configuration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("haas_rpcd.drivers.switch.waiting.RETRY_DELAYS", (0.01,))
    switch = ex4300()
    async with driving(switch, busy_timeout=5.0) as driver, Admin(switch) as admin:
        await admin.types("configure exclusive")
        progress = Waiting()
        sending = asyncio.create_task(driver.send([SetPort("ge-0/0/1", PortConfig(100))], progress))
        await progress.waited.wait()
        assert switch.history == []
        await admin.types("exit")
        assert states(await sending) == ["sent"]
        assert switch.carried("ge-0/0/1") == Carried(100)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("configure exclusive",), "configuration database locked by: haas terminal p1"),
        (
            ("configure", "set system host-name other"),
            "error: shared configuration database modified",
        ),
    ],
)
async def test_the_error_names_the_holder_of_the_lock(typed: tuple[str, ...], words: str) -> None:
    switch = ex4300()
    async with driving(switch) as driver, Admin(switch) as admin:
        await admin.types(*typed)
        with pytest.raises(DeviceError, match=words):
            await send(driver, SetPort("ge-0/0/1", PortConfig(100)))
        assert switch.history == []


async def test_a_commit_of_another_user_in_between_is_kept() -> None:
    switch = ex4300()
    async with driving(switch) as driver, Admin(switch) as admin:
        await send(driver, SetPort("ge-0/0/1", PortConfig(100)))
        await admin.types("configure private", "set interfaces ge-0/0/2 description mine", "commit")
        await send(driver, SetPort("ge-0/0/1", PARKED))
        assert switch.running.ports["ge-0/0/2"].description == "mine"
        assert switch.is_shut("ge-0/0/1")


# --- lines ----------------------------------------------------------------------------------------


async def test_ports_with_the_same_configuration_are_set_by_a_range() -> None:
    switch = ex4300(ports=48)
    async with driving(switch) as driver:
        changes = [SetPort(name, PortConfig(100)) for name in switch.port_list]
        lines = await send(driver, *changes)
        assert len(lines) == 9  # with entering and committing
        assert lines[1] == "wildcard range delete interfaces ge-0/0/[0-47] native-vlan-id"
        assert await observe(driver, switch.port_list) == [PortConfig(100)] * 48
        [wild] = {line for line in lines if "disable" in line and "unit" not in line}
        assert wild == "wildcard range delete interfaces ge-0/0/[0-47] disable"


async def test_vlans_are_created_without_ports_and_removed() -> None:
    switch = ex4300()
    switch.running.vlans["haas-110"] = Vlan(110, frozenset({"ge-0/0/1.0"}))
    async with driving(switch) as driver:
        await send(driver, SetVlan(110, True), SetVlan(111, True))
        assert switch.running.vlans["haas-110"] == Vlan(110)
        both = [SetVlan(110, True), SetVlan(111, True)]
        assert await driver.observe(both) == [PresenceSeen(True), PresenceSeen(True)]
        await send(driver, SetVlan(110, False))
        await send(driver, SetVlan(110, False))
        assert await driver.observe(both) == [PresenceSeen(False), PresenceSeen(True)]


async def test_a_commit_survives_a_restart_without_a_save() -> None:
    switch = ex4300()
    async with driving(switch) as driver:
        await send(driver, SetPort("ge-0/0/1", PortConfig(100)))
        switch.reload()
        assert switch.carried("ge-0/0/1") == Carried(100)
    assert not JUNOS.saves


async def test_a_commit_that_cannot_be_written_fails() -> None:
    switch = ex4300()
    switch.faults.save_error = "error: could not write configuration: No space left on device"
    async with driving(switch) as driver:
        with pytest.raises(DeviceError, match=r'refused "commit": .*No space left on device'):
            await send(driver, SetPort("ge-0/0/1", PortConfig(100)))
        assert switch.history == []


# --- logging in, reading --------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["haas", "root", "haas@tacacs.example"])
async def test_every_login_ends_at_the_operational_prompt(user: str) -> None:
    """Root logs in to a shell."""
    async with driving(ex4300(username=user), Credential(username=user, password="s3cret")) as it:
        probed = await it.probe()
        assert probed.prompt == f"{user}@sw1>"
        assert (probed.model, probed.version) == ("ex4300-24t", "18.4R2.7")


@pytest.mark.parametrize(
    ("shown", "days"),
    [("26w3d 17:59", 185.75), ("2d 22:16", 2.93), ("05:30:10", 0.23), ("00:05", 0.003)],
)
def test_the_uptime_is_read(shown: str, days: float) -> None:
    up = JUNOS.about.uptime(f"System booted: 2021-02-26 18:30:12 MSK ({shown} ago)")
    assert up is not None
    assert up.seconds / 86400 == pytest.approx(days, abs=0.01)


def test_two_spellings_of_a_port_are_one_port() -> None:
    assert JUNOS.canonical_port("GE-0/0/1.0") == JUNOS.canonical_port("ge-0/0/01") == "ge-0/0/1"
    with pytest.raises(ValueError, match="register the port itself"):
        JUNOS.canonical_port("ge-0/0/1.100")


CONFIGURED = {
    "ge-0/0/0": PortState(PortConfig(1)),
    "ge-0/0/1": PortState(PortConfig(100), open=False),
    "ge-0/0/2": PortState(PortConfig(100, (101, 104))),
    "ge-0/0/3": PortState(PARKED),
    "ge-0/0/4": PortState(PortConfig(101)),
    "ge-0/0/5": PortState(PARKED),
    "xe-0/1/0": PortState(PortConfig(None, (1, 100, 101, 104))),
    "ge-0/0/6": PortState(PortConfig(104), open=True),
}


def test_every_way_to_put_a_port_into_a_vlan_is_read() -> None:
    """By id, range, name or ``all``, and from the VLAN's side; without deactivated statements."""
    switching = "unit 0 family ethernet-switching"
    interfaces = f"""
set interfaces interface-range staff member ge-0/0/0
set interfaces ge-0/0/0 {switching}
set interfaces ge-0/0/1 disable
set interfaces ge-0/0/1 {switching} vlan members haas-100
set interfaces ge-0/0/2 native-vlan-id 100
set interfaces ge-0/0/2 {switching} interface-mode trunk
set interfaces ge-0/0/2 {switching} vlan members 100-101
set interfaces ge-0/0/2 {switching} vlan members haas-104
set interfaces ge-0/0/3 {switching} vlan members 100
deactivate interfaces ge-0/0/3 unit 0
set interfaces ge-0/0/4 {switching} interface-mode access
set interfaces ge-0/0/6 disable
deactivate interfaces ge-0/0/6 disable
set interfaces ge-0/0/6 {switching} vlan members 104
set interfaces xe-0/1/0 {switching} interface-mode trunk
set interfaces xe-0/1/0 {switching} vlan members all
set interfaces irb unit 100 family inet address 10.0.0.1/24
"""
    vlans = """
set vlans default vlan-id 1
set vlans haas-100 vlan-id 100
set vlans haas-101 vlan-id 101
set vlans haas-101 interface ge-0/0/4.0
set vlans haas-104 vlan-id 104
"""
    terse = "Interface  Admin Link Proto\nge-0/0/4   up    up\nge-0/0/4.0 up    up   eth-switch\n"
    terse += "ge-0/0/3   up    up\nge-0/0/5   up    down\nvme        up    down\n"
    answers = [text.replace("\n", "\r\n") for text in (interfaces, vlans, terse)]
    assert JUNOS.reader.parse_ports(answers, {}) == CONFIGURED


async def test_a_model_without_voice_vlans_is_configured_all_the_same() -> None:
    """It answers the line that removes one with a syntax error, which is no refusal."""
    switch = ex4300()
    switch.faults.refuse = {
        "^(?:wildcard range )?delete switch-options": "        ^\nsyntax error."
    }
    async with driving(switch) as driver:
        await send(driver, SetVlan(100, True))
        await send(
            driver, SetPort("ge-0/0/1", PortConfig(100)), SetPort("ge-0/0/2", PortConfig(100))
        )
        assert switch.carried("ge-0/0/1") == Carried(100)
    typed = commands(switch)
    assert any("delete switch-options voip interface" in line for line in typed)
    assert "rollback 0" not in typed
