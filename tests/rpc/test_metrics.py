"""What Prometheus and load balancers are served, and that the examples ask for what there is."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from haas_rpcd.config import MetricsSettings
from tests.rpc.small_site import DATABASE, Prepared, SmallSite, small_site
from tests.rpc.test_hypervisors import HV2, hv2, known
from tests.rpc.test_reboot import until

EXAMPLES = Path(__file__).parents[2] / "examples/monitoring"


@pytest.fixture
async def measured(tmp_path: Path, prepared: Prepared) -> AsyncIterator[SmallSite]:
    metrics = MetricsSettings(listen="127.0.0.1:0")
    async with small_site(tmp_path, prepared, metrics=metrics) as site:
        yield site


async def get(site: SmallSite, path: str) -> tuple[int, str]:
    assert site.daemon.metrics is not None
    [(host, port)] = site.daemon.metrics.addresses
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"http://{host}:{port}{path}") as response,
    ):
        return response.status, await response.text()


async def scraped(site: SmallSite) -> dict[tuple[str, ...], float]:
    """The samples by name and label values, as Prometheus' own parser reads them."""
    status, text = await get(site, "/metrics")
    assert status == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_an_apply_is_counted_by_device_and_calls_by_method(measured: SmallSite) -> None:
    site = measured
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.succeeds("red")

    found = await scraped(site)

    assert found["haas_steps_total", "sw1", "done"] == 3  # the VLAN, the port, the save
    assert found["haas_lines_total", "sw1"] >= 8
    assert found["haas_step_seconds_count", "sw1"] == 3
    assert found["haas_jobs_total", "succeeded"] == 1
    assert found["haas_rpc_seconds_count", "apply.start"] == 1
    assert found["haas_switch_reachable", "sw1"] == 1
    assert (found["haas_jobs_under_way", "running"], found["haas_drift",]) == (0, 0)
    assert found["haas_healthy",] == 1
    assert found["haas_store_bytes",] > (site.folder / DATABASE).stat().st_size  # also what is new


async def test_hypervisors_are_measured_one_by_one(measured: SmallSite) -> None:
    site = measured
    await site.call("hypervisor.register", **HV2)
    await known(site, "master", "hv2")
    found = await scraped(site)
    assert found["haas_hypervisor_up", "libvirt", "hv2"] == 1
    assert found["haas_hypervisor_images", "hv2"] == 1
    assert found["haas_hypervisor_memory_free_bytes", "hv2"] == hv2(site).memory
    hv2(site).stop_libvirt()

    async def is_silent() -> bool:
        return site.daemon.engine.sees("libvirt:hv2") is False

    await until(is_silent)
    found = await scraped(site)
    assert found["haas_hypervisor_up", "libvirt", "hv2"] == 0
    assert found["haas_hypervisor_up", "network", "hv2"] == 1
    assert found["haas_hypervisor_up", "libvirt", "master"] == 1
    assert found["haas_hypervisor_headnodes", "hv2"] == 0
    assert ("haas_hypervisor_memory_free_bytes", "hv2") not in found, "nobody knows"

    await site.call("hypervisor.retire", hypervisor="hv2", force=True)
    assert ("haas_hypervisor_up", "libvirt", "hv2") not in await scraped(site)


async def test_cables_are_counted_by_what_was_seen(measured: SmallSite) -> None:
    site = measured
    assert not [name for name, *_ in await scraped(site) if "cabling_check" in name]
    await site.call("cabling.check")
    found = await scraped(site)
    states = ("right", "swapped", "unknown", "not_seen")
    assert sum(found["haas_cabling_nics", state] for state in states) == 8
    assert (found["haas_cabling_nics", "right"], found["haas_cabling_alarms",]) == (0, 0)
    assert found["haas_cabling_check_timestamp_seconds", "sw1"] > 1e9


async def test_what_is_served_names_no_tenant(measured: SmallSite) -> None:
    site = measured
    await site.hold_nodes("red", "node-1")
    await site.network("red", "secret-plans")
    await site.connect("node-1", "secret-plans")
    await site.apply("red")
    _, text = await get(site, "/metrics")
    assert not re.search(r"secret-plans|node-1|rita|\bred\b", text)


async def test_a_load_balancer_hears_whether_the_database_works(measured: SmallSite) -> None:
    site = measured
    assert await get(site, "/healthz") == (200, '{"ok": true}')
    await site.daemon.store.write(lambda tx: tx.number("PRAGMA busy_timeout = 1"))
    with site.locked_store():
        assert await get(site, "/healthz") == (503, '{"ok": false}')
        assert (await scraped(site))["haas_healthy",] == 0
    assert (await get(site, "/rpc"))[0] == 404


async def test_the_examples_ask_for_metrics_that_there_are(measured: SmallSite) -> None:
    await measured.apply("red")
    _, text = await get(measured, "/metrics")
    served = set(re.findall(r"^# TYPE (\w+) ", text, re.M))
    served |= {f"{name}_{part}" for name in served for part in ("bucket", "count")}
    rules = yaml.safe_load((EXAMPLES / "alerts.yml").read_text())["groups"][0]["rules"]
    dashboard = json.loads((EXAMPLES / "dashboard.json").read_text())
    queries = [rule["expr"] for rule in rules]
    queries += [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked = {name for query in queries for name in re.findall(r"haas_\w+", query)}
    assert len(asked) > 10
    assert asked <= served
