"""The commands and files in the README and examples/ work."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from haas_rpcd import configfiles
from haas_rpcd.config import Settings
from haas_rpcd.drivers.switch.dialect import Dialect
from haas_rpcd.drivers.switch.dialects import DIALECTS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def console(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "haas_console", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("script", sorted(path.name for path in EXAMPLES.glob("*.haas")))
def test_an_example_script_runs_in_the_demo(script: str) -> None:
    done = console("--demo", "--script", f"examples/{script}")
    assert done.returncode == 0, done.stderr


def test_the_rehearsal_joins_nodes_of_three_dialects_to_one_network() -> None:
    folder = "examples/rehearsal"
    done = console("--demo", "--site", f"{folder}/site.toml", "--script", f"{folder}/change.haas")
    assert done.returncode == 0, done.stderr
    for line in ("switchport access vlan 100", "vlan members 100", "nothing drifted; 5 devices"):
        assert line in done.stdout + done.stderr


def test_a_site_file_with_a_mistake_is_refused_with_the_daemons_message(
    tmp_path: Path,
) -> None:
    site = tmp_path / "site.toml"
    site.write_text('[switches.sw1]\nhost = "sw1"\ndialect = "cisco_iox"\n')
    done = console("--demo", "--site", str(site), "-c", "switch list")
    assert done.returncode == 2
    assert f"{site}:3: switches.sw1: dialect: there is no dialect cisco_iox" in done.stderr
    assert console("--site", str(site), "-c", "switch list").returncode == 2


def test_the_two_tenants_example_moves_the_node_to_the_other_project() -> None:
    done = console("--demo", "--json", "--script", "examples/two-tenants.haas")
    nodes = {node["node"]: node for node in json.loads(done.stdout.splitlines()[-1])["items"]}
    assert nodes["node-08"]["project"] == "bio"
    nic = next(nic for nic in nodes["node-08"]["nics"] if nic["nic"] == "primary-nic")
    assert [network["network"] for network in nic["applied"]] == ["private"]


def test_the_example_site_can_be_imported_and_exported() -> None:
    done = console("--demo", "-c", "site import examples/site.toml", "-c", "site export")
    assert done.returncode == 0, done.stderr
    assert '[nodes.r2-n1.nics.primary-nic]\nswitch = "rack2"\nport = "swp1"' in done.stdout


def test_the_example_configuration_is_valid_and_shows_the_defaults() -> None:
    settings = configfiles.load(EXAMPLES / "master/haas.toml")
    assert msgspec.structs.replace(settings, master=None) == Settings()


def test_the_systemd_unit_grants_only_the_capability_that_is_needed() -> None:
    unit = (EXAMPLES / "master/haas-rpcd.service").read_text()
    assert "User=haas" in unit
    assert "AmbientCapabilities=CAP_NET_ADMIN\nCapabilityBoundingSet=CAP_NET_ADMIN\n" in unit
    # without the second line, the settings of bridges would be read-only
    assert "\nProtectKernelTunables=yes\n" in unit
    assert "\nReadWritePaths=/proc/sys/net\n" in unit


def test_the_readme_starts_with_the_two_most_important_commands() -> None:
    first_block = (ROOT / "README.md").read_text().split("```")[1]
    assert [line.split("  ")[0] for line in first_block.splitlines()[1:]] == [
        "make demo",
        "make test",
    ]


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda dialect: str(dialect.name))
def test_every_dialect_and_its_options_are_documented(dialect: Dialect) -> None:
    rows = [
        line
        for line in (ROOT / "docs/switches.md").read_text(encoding="utf-8").splitlines()
        if line.startswith(f"| `{dialect.name}` |")
    ]
    assert len(rows) == 1
    for option in dialect.options:
        assert f"`{option}`" in rows[0]


PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("tests/**/*.md")],
    key=lambda page: page.relative_to(ROOT),
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_on_a_page_has_a_target(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target, _, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(#([^)]*))?\)", text):
        linked = (page.parent / target) if target else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.M)
            slugs = {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in headings}
            assert anchor in slugs, f"{target}#{anchor}"
