"""A rehearsal: a simulated copy of a site, on which nothing real is ever connected to."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from haas_rpcd import demo
from haas_rpcd.__main__ import main
from haas_rpcd.auth import DAEMON
from haas_rpcd.config import ConfigError, Settings, Vlans
from haas_rpcd.daemon import Daemon
from haas_rpcd.demo.sitecopy import SiteCopy
from haas_rpcd.demo.sitefile import read
from haas_rpcd.errors import HaasError
from haas_rpcd.methods.call import Call
from haas_rpcd.methods.invoke import invoke
from haas_rpcd.sim.cli import Carried
from haas_rpcd.sim.personalities import dialects
from haas_rpcd.site import parse
from tests.rpc.one_switch import KINDS, ports_of

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "examples/rehearsal/site.toml"


class Rehearsal:
    """A running rehearsal, and the API as the master's admin has it."""

    def __init__(self, daemon: Daemon, copy: SiteCopy) -> None:
        self.daemon = daemon
        self.copy = copy

    async def call(self, method: str, **params: Any) -> Any:
        return await invoke(Call(context=self.daemon.context, caller=DAEMON), method, params)

    async def applied(self, **scope: str) -> dict[str, Any]:
        started = await self.call("apply.start", **scope)
        job: dict[str, Any] = await self.call("job.wait", job=started["job"], timeout=30)
        assert job["state"] == "succeeded", job
        return job


@asynccontextmanager
async def rehearse(
    folder: Path, site: str | Path, given: Settings | None = None
) -> AsyncIterator[Rehearsal]:
    if isinstance(site, str):
        (folder / "site.toml").write_text(site)
        site = folder / "site.toml"
    async with demo.rehearse(str(folder / "rpcd.sock"), read(site), given) as (daemon, copy):
        yield Rehearsal(daemon, copy)


def one_switch(dialect: str, ports: list[str], more: str = "") -> str:
    *access, trunk = ports
    return (
        f'[switches.sw1]\ndialect = "{dialect}"\nhost = "192.0.2.1"\n{more}\n'
        f'access = {access}\ntrunk = ["{trunk}"]\n[switches.sw1.options]\n'
        "[projects.red]\n"
        f'[nodes.n1.nics]\neth0 = {{ switch = "sw1", port = "{ports[0]}" }}\n'
    ).replace("'", '"')


async def test_three_dialects_are_rehearsed_and_the_switches_do_what_was_planned(
    tmp_path: Path,
) -> None:
    async with rehearse(tmp_path, EXAMPLE) as on:
        assert (await on.call("system.info"))["demo"] is True
        for node in ("r1-n1", "r2-n1", "r3-n1"):
            await on.call("node.allocate", project="physics", node=node)
        await on.call("network.create", project="physics", network="lab", vlan=150)
        for node in ("r1-n1", "r2-n1", "r3-n1"):
            await on.call("nic.connect", node=node, nic="primary-nic", network="lab")
        await on.applied(project="physics")
        carried = {
            name: device.carried(device.port_list[1]) for name, device in on.copy.devices.items()
        }
        assert carried == dict.fromkeys(("rack1", "rack2", "rack3"), Carried(150))
        assert not (await on.call("drift.check"))["items"]


async def test_every_switch_is_on_loopback_and_listens_by_its_own_transport(tmp_path: Path) -> None:
    async with rehearse(tmp_path, EXAMPLE) as on:
        listed = (await on.call("switch.list"))["items"]
        assert {switch["switch"]: switch["transport"] for switch in listed} == {
            "rack1": "telnet", "rack2": "ssh", "rack3": "ssh",
        }  # fmt: skip
        assert {switch["host"] for switch in listed} == {"127.0.0.1"}
        shown = await on.call("switch.trust", switch="rack2")
        assert shown["state"] == "known"


async def test_a_connection_leads_to_the_copy_wherever_a_switch_is_registered(
    tmp_path: Path,
) -> None:
    called: list[Any] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.append(writer.get_extra_info("peername"))
        writer.close()

    real = await asyncio.start_server(answer, "127.0.0.1", 0)
    another = await asyncio.start_server(answer, "127.0.0.1", 0)
    port, new_port = (server.sockets[0].getsockname()[1] for server in (real, another))
    site = EXAMPLE.read_text().replace('"192.0.2.11"', f'"127.0.0.1"\nport = {port}')
    async with real, another, rehearse(tmp_path, site) as on:
        await on.call("site.import", site=site)  # as it is: with the real addresses
        assert (await on.call("switch.show", switch="rack1"))["port"] == port
        assert (await on.call("switch.probe", switch="rack1"))["model"].startswith("WS-C2960")
        await on.applied()
        await on.call("switch.register", switch="new", dialect="cisco_ios", host="localhost",
                      port=new_port)  # fmt: skip
        with pytest.raises(HaasError, match="connects to no real switch"):
            await on.call("switch.probe", switch="new")
    assert called == []


async def test_an_export_has_the_real_addresses(tmp_path: Path) -> None:
    """So that a site file from a rehearsal is safe to import into the real daemon."""
    stands_in = '[switches.rack4]\ndialect = "linux_bridge"\nhost = "192.0.2.14"\n'
    async with rehearse(tmp_path, EXAMPLE.read_text() + stands_in) as on:
        exported = parse((await on.call("site.export"))["site"])
        assert exported == read(tmp_path / "site.toml").site
        moved = EXAMPLE.read_text().replace("192.0.2.12", "192.0.2.99")
        await on.call("site.import", site=moved)
        exported = parse((await on.call("site.export"))["site"])
        assert exported.switches["rack2"].host == "192.0.2.99"


@pytest.mark.parametrize("dialect", dialects())
async def test_every_dialect_comes_up_with_its_ports_parked(tmp_path: Path, dialect: str) -> None:
    first, *others = ports_of(dialect)[:4]
    number = first[re.search(r"\d", first).start() :]  # type: ignore[union-attr]
    ports = [KINDS[dialect][2].format(number), *others]  # the first by its short name
    async with rehearse(tmp_path, one_switch(dialect, ports)) as on:
        assert on.copy.stands_in == {}
        nodes = (await on.call("node.list", free=True))["items"]
        assert [node["node"] for node in nodes] == ["n1"]
        assert on.copy.devices["sw1"].is_shut(first)


@pytest.mark.parametrize(
    ("dialect", "ports"),
    [
        ("arista_eos", ["Et1", "Po10"]),
        ("cisco_ios", ["Te1/0/1", "Hu1/1/1", "TwentyFiveGigE1/0/3", "Port-channel1"]),
        ("cisco_nxos", ["Eth1/1", "port-channel10"]),
        ("dell_os9", ["gi0/1", "fo0/48", "hundredGigE 1/49"]),
        ("hpe_comware", ["GE1/0/1", "FortyGigE1/0/53", "BAGG1"]),
        ("juniper_junos", ["ge-0/0/1", "et-0/1/0"]),
    ],
)
async def test_ports_of_other_speeds_and_aggregated_ones_are_simulated(
    tmp_path: Path, dialect: str, ports: list[str]
) -> None:
    async with rehearse(tmp_path, one_switch(dialect, ports)) as on:
        assert on.copy.stands_in == {}
        assert not (await on.call("drift.check"))["items"]


@pytest.mark.parametrize(
    ("dialect", "ports", "options"),
    [
        ("linux_bridge", ["swp1", "swp2"], ""),
        ("openvswitch", ["p1", "p2"], 'bridge = "br0"'),
        ("hp_procurve", ["A1", "A2"], ""),
        ("cisco_ios", ["Gi1/0/1", "TwoHundredGigE1/0/1"], ""),
        ("dell_os9", ["te0/1", "te0/2"], "default_vlan = 4000"),
    ],
)
async def test_what_can_t_be_simulated_has_a_stand_in_that_does_as_it_is_told(
    tmp_path: Path, dialect: str, ports: list[str], options: str
) -> None:
    site = one_switch(dialect, ports).replace("options]\n", f"options]\n{options}\n")
    async with rehearse(tmp_path, site) as on:
        assert list(on.copy.stands_in) == ["sw1"]
        assert (await on.call("switch.show", switch="sw1"))["host"] == "sw1.stand-in"
        await on.call("node.allocate", project="red", node="n1")
        await on.call("network.create", project="red", network="lab", vlan=150)
        await on.call("nic.connect", node="n1", nic="eth0", network="lab")
        plan = await on.call("plan.show", project="red")
        assert "150" in " ".join(line for step in plan["steps"] for line in step["lines"])
        await on.applied(project="red")
        probed = await on.call("switch.probe", switch="sw1")
        carried = [port["carries"]["untagged"] for port in probed["ports"]]
        assert carried == [150, None]
        assert not (await on.call("drift.check"))["items"]


async def test_the_pool_and_the_images_come_from_a_real_configuration(tmp_path: Path) -> None:
    given = Settings(vlans=Vlans(pool="700-709"))
    async with rehearse(tmp_path, EXAMPLE, given) as on:
        made = await on.call("network.create", project="physics", network="lab")
        assert made["vlan"] == 700
        with pytest.raises(HaasError, match=r"vlan: 150 is not in the pool 700-709"):
            await on.call("network.create", project="physics", network="other", vlan=150)
        settings = on.daemon.settings
        assert (settings.store.path, settings.master) == (":memory:", None)


@pytest.mark.parametrize(
    ("site", "says"),
    [
        ("\n[switches.sw1\n", r"site\.toml:2: not TOML: Expected '\]'"),
        ('[switches.sw1]\ndialect = "cisco_ios"\nhosst = "sw1"\n', r"site\.toml:3: .*`hosst`"),
        (
            '[switches.sw1]\ndialect = "cisco_iox"\nhost = "sw1"\n',
            r"site\.toml:2: switches\.sw1: dialect: there is no dialect cisco_iox",
        ),
        (
            '[switches."sw1.dc"]\nhost = "sw1"\ndialect = "cisco_ios"\naccess = ["gi1", "gi2"]\n'
            '[switches.sw2]\nhost = "sw1"\ndialect = "cisco_ios"\n',
            r"site\.toml:5: switches\.sw2: .*sw1\.dc is registered at sw1 port 23 already",
        ),
        (
            '[nodes.n1.nics.eth0]\nswitch = "sw9"\nport = "1"\n',
            r"site\.toml:1: nodes\.n1: nics\.eth0: There is no switch sw9",
        ),
        ('[nodes.n1.nics.eth0]\nkind = "data"\nmac = "zz"\n', r"site\.toml:3: Expected `str`"),
    ],
)
async def test_a_wrong_site_file_is_refused_by_its_line(
    tmp_path: Path, site: str, says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        async with rehearse(tmp_path, site):
            raise AssertionError("it must not be served")
    assert os.listdir(tmp_path) == ["site.toml"]


def test_a_site_file_can_be_checked_without_a_rehearsal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--demo", "--site", str(EXAMPLE), "--check-config"]) == 0
    assert capsys.readouterr().out == f"{EXAMPLE} is right.\n"
    wrong = tmp_path / "site.toml"
    wrong.write_text('[switches.sw1]\nhost = "sw1"\n')
    assert main(["--demo", "--site", str(wrong), "--check-config"]) == 1
    assert f"haas-rpcd: {wrong}:1: " in capsys.readouterr().err


async def test_a_rehearsal_leaves_nothing_behind(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    async with rehearse(tmp_path, EXAMPLE) as on:
        port = on.copy.devices["rack1"].port
    assert os.listdir(tmp_path) == ["rpcd.sock.lock"]
    assert asyncio.all_tasks() == before
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", port)


@pytest.mark.parametrize("what", ["/dev/zero", "pipe"])
def test_only_a_regular_site_file_is_read(tmp_path: Path, what: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="is no regular file"):
        read(tmp_path / what)


async def test_a_reboot_of_the_master_is_rehearsed(tmp_path: Path) -> None:
    """The simulated master can be rebooted while its daemon runs; a real one takes it along."""
    async with rehearse(tmp_path, EXAMPLE) as on:
        project = (await on.call("project.list"))["items"][0]["project"]
        await on.call("network.create", project=project, network="rebooted")
        await on.call("headnode.create", project=project, headnode="login")
        await on.call("headnode.connect", project=project, headnode="login", network="rebooted")
        await on.applied(project=project)
        bridges = set(on.copy.host.bridges)

        on.copy.host.reboot()

        async with asyncio.timeout(10):
            while not on.copy.host.domain(f"{project}/login").running:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert on.copy.host.bridges == bridges
