"""A site's own dialect, loaded from a file."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from haas_rpcd.config import ConfigError, Settings
from haas_rpcd.drivers.switch.factory import SwitchFactory
from haas_rpcd.sim.cli import Carried
from tests.rpc.small_site import SmallSite

README = Path(__file__).parents[2] / "README.md"
TAKEN = "from haas_rpcd.drivers.switch.dialects.cisco_ios import DIALECT\n"


def folder(tmp_path: Path, text: str | None = None) -> Path:
    """Return a directory of dialects, with the README's example or with this text."""
    made = tmp_path / "dialects"
    made.mkdir(mode=0o755)
    file = made / "own.py"
    if text is None:
        [text] = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.M | re.S)
    file.write_text(text)
    file.chmod(0o644)
    return made


def settings_with(settings: Settings, dialects: Path) -> Settings:
    switches = msgspec.structs.replace(settings.switches, dialects=str(dialects))
    return msgspec.structs.replace(settings, switches=switches)


async def test_the_dialect_in_the_readme_sets_ports_of_a_switch(
    empty_site: SmallSite, tmp_path: Path
) -> None:
    site = empty_site
    site.settings = settings_with(site.settings, folder(tmp_path))
    await site.restart()
    await site.call(
        "switch.register", switch="sw1", dialect="acme_os", host="127.0.0.1",
        port=site.wires["sw1"].port, credential="lab",
    )  # fmt: skip
    await site.call("port.register", switch="sw1", ports=["gi1/0/2", "Gi1/0/3"])
    await site.call("node.register", node="n", nics=[
        {"nic": "a", "switch": "sw1", "port": "gi1/0/2"},
        {"nic": "b", "switch": "sw1", "port": "Gi1/0/3"},
    ])  # fmt: skip
    await site.succeeds()
    await site.call("project.create", project="red")
    await site.hold_nodes("red", "n")
    vlan = await site.network("red", "net")
    for nic in ("a", "b"):
        await site.connect("n", "net", nic=nic)
    await site.succeeds("red")
    for port in ("GigabitEthernet1/0/2", "GigabitEthernet1/0/3"):
        assert site.switches["sw1"].carried(port) == Carried(vlan)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import nothing_of_this_name\n", "can't be loaded: ModuleNotFoundError"),
        ("x = 1\n", "has no DIALECT: see docs/switches"),
        (TAKEN, "a dialect cisco_ios already"),
    ],
)
def test_a_file_that_is_not_a_dialect_is_named_at_start(
    tmp_path: Path, text: str, says: str
) -> None:
    settings = settings_with(Settings(), folder(tmp_path, text))
    with pytest.raises(ConfigError, match=says) as caught:
        SwitchFactory(settings, dict)
    assert "own.py" in str(caught.value)


def test_a_dialect_that_others_may_write_is_not_loaded(tmp_path: Path) -> None:
    """Its code would run as the daemon."""
    dialects = folder(tmp_path, "raise SystemExit\n")
    (dialects / "own.py").chmod(0o666)
    with pytest.raises(ConfigError, match=r"own\.py can be written by others: run  chmod go-w"):
        SwitchFactory(settings_with(Settings(), dialects), dict)
