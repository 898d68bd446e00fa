"""The figures of the pulse: what is counted, what is urgent, and what is not claimed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from haas_console.core.contact import unread
from haas_console.core.failures import Failures
from haas_console.core.inventory import Inventory
from haas_console.core.nodecounts import count_nodes
from haas_console.core.pulse import Figure, figures, urgent_first
from haas_console.core.sparkline import in_parts, sparkline
from haas_schemas.drift import DriftItem
from haas_schemas.job import Job
from haas_schemas.system import Pulse
from tests.tui.sites import small_site

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)
PULSE = Pulse(100, 97, True, True, (0,) * 11 + (3,), (0,) * 12)


def stamp(ago: timedelta = timedelta()) -> str:
    return (NOW - ago).isoformat()


def job(number: int, state: str, ago: timedelta, project: str = "astro") -> Job:
    done = 1 if state == "succeeded" else 0
    ended = None if state == "running" else stamp(ago)
    return Job(
        number, project, "apply", state, "rita", done, 1, stamp(ago), stamp(ago), ended,
        "sw1 refused it" if state == "failed" else None, (),
    )  # type: ignore[arg-type]  # fmt: skip


@pytest.fixture
def site() -> Inventory:
    site = small_site()
    site.pulse = PULSE
    site.switches["sw1"] = replace(
        site.switches["sw1"], reachable=True, last_contact=stamp(), checked=stamp()
    )
    return site


def found(site: Inventory, failed: list[Job] | None = None) -> dict[str, Figure]:
    counts = count_nodes(site.nodes.values(), NOW)
    return {figure.name: figure for figure in figures(site, counts, failed or [], NOW)}


def test_a_site_where_all_is_well_has_calm_figures(site: Inventory) -> None:
    site.nodes.pop("node-3")
    shown = found(site)
    assert {figure.look for figure in shown.values()} == {"calm", "warn"}
    assert shown["switches"].text == "1 of 1 switches answer"
    assert shown["hypervisor"].text == "libvirt ✓"
    assert (shown["jobs"].text, shown["jobs"].counted) == ("no job runs", "ended")
    assert shown["drift"].text == "no drift"
    assert shown["VLANs"].text == "97 of 100 VLANs free"
    assert shown["nodes"].text == "0 nodes free"


def test_a_switch_that_does_not_answer_is_named_with_its_last_contact(site: Inventory) -> None:
    known = site.switches["sw1"]
    site.switches["sw1"] = replace(known, reachable=False)
    site.switches["sw2"] = replace(known, switch="sw2", reachable=None, last_contact=None)
    site.switches["sw3"] = replace(known, switch="sw3", reachable=False, retired=stamp())
    figure = found(site)["switches"]
    assert (figure.look, figure.short) == ("bad", "✗ 1 down, switches 0/2 ?1")
    assert figure.text.startswith("✗ 1 down (sw1 last heard ")
    assert [fact.text.split("  ")[0] for fact in figure.facts] == ["sw1", "sw2"]
    assert figure.facts[1].text == "sw2  never reached"


def test_it_is_not_said_that_nothing_drifted_when_a_device_was_not_read(site: Inventory) -> None:
    assert unread(site) == ""
    site.switches["sw1"] = replace(site.switches["sw1"], reachable=False)
    assert found(site)["drift"].text == "no drift known, but sw1 can't be reached"
    site.switches["sw1"] = replace(site.switches["sw1"], reachable=True)
    site.pulse = replace(PULSE, libvirt=False)
    assert unread(site) == "libvirt can't be reached"
    assert found(site)["hypervisor"].look == "bad"
    many = {
        f"sw{n}": replace(site.switches["sw1"], switch=f"sw{n}", checked=None) for n in range(9)
    }
    site.switches, site.pulse = many, PULSE
    assert unread(site) == "sw0, sw1, sw2 and 6 more were never checked"
    site.switches = {}  # a tenant's: it does not know what was read
    assert found(site)["drift"].text == "no drift known"


def test_what_is_urgent_comes_first(site: Inventory) -> None:
    site.drift[("sw1", "Gi1/0/2")] = DriftItem(
        "sw1",
        "port",
        "Gi1/0/2",
        "access 104",
        "access 1",
        "astro",
        None,
        stamp(timedelta(minutes=7)),
    )
    site.jobs[7] = job(7, "running", timedelta())
    order = [figure.name for figure in urgent_first(found(site).values())]
    assert order[:4] == ["drift", "unconfirmed", "nodes", "jobs"]
    assert found(site)["drift"].series == (0,) * 10 + (1, 0)


def test_leases_that_end_today_and_unconfirmed_nodes_are_listed(site: Inventory) -> None:
    later = NOW.astimezone().replace(hour=23, minute=59).isoformat()
    site.nodes["node-1"] = replace(site.nodes["node-1"], until=later)
    site.nodes["node-2"] = replace(
        site.nodes["node-2"], until=(NOW + timedelta(days=2)).isoformat()
    )
    shown = found(site)
    assert shown["leases"].text == "1 lease ends today"
    assert shown["leases"].facts[0].text == "node-1  of astro until 23:59" or "01-31" in (
        shown["leases"].facts[0].text
    )
    assert [fact.text for fact in shown["unconfirmed"].facts] == ["node-3"]


def test_a_job_that_failed_counts_until_it_is_looked_at_or_a_later_one_succeeds() -> None:
    site, failures = small_site(), Failures()
    site.jobs = {
        900001: job(900001, "failed", timedelta(hours=3)),
        100002: job(100002, "failed", timedelta(hours=2), "bio"),
        100003: job(100003, "failed", timedelta(days=2), "bio"),
    }
    assert [each.job for each in failures.of_the_day(site, NOW)] == [900001, 100002]
    figure = found(site, failures.of_the_day(site, NOW))["failed"]
    assert (figure.text, figure.look) == ("✗ 2 jobs failed", "bad")
    site.jobs[5] = job(5, "succeeded", timedelta(hours=1))  # numbers are drawn at random
    assert [each.job for each in failures.of_the_day(site, NOW)] == [100002]
    failures.seen(100002)
    assert failures.of_the_day(site, NOW) == []


def test_the_last_hour_is_drawn_in_twelve_bars() -> None:
    moments = [NOW - timedelta(minutes=m) for m in (0, 1, 2, 14, 59, 61)]
    counts = in_parts(moments, NOW)
    assert counts == (1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 3)
    assert sparkline(counts) == "▃▁▁▁▁▁▁▁▁▃▁█"
    assert sparkline((0, 0)) == "▁▁"
