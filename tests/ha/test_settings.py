"""What is wrong with ``[ha]`` is said before anything is started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from haas_rpcd import configfiles
from haas_rpcd.config import ConfigError

GOOD = 'etcd = ["https://a:2379"]\nreplica = "file:///srv/haas"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('etcd = ["https://a:2379"]\n', "[ha] replica: say where commits are copied to"),
        ('etcd = ["a:2379"]\nreplica = "file:///x"\n', "a:2379 is not a URL"),
        (GOOD + 'etcd_cert = "/x"\n', "etcd_cert and etcd_key go together"),
        (GOOD + 'address = "10.0.0.5/24"\n', "address and interface go together"),
        (GOOD + 'address = "10.0.0.500/24"\ninterface = "eth0"\n', "[ha] address: '10.0.0.500/24'"),
        (GOOD + "ttl = 1\n", "[ha] ttl"),
        (GOOD + "refresh = 90\n", "[ha] refresh"),
        ('replica = "file:///x"\n[store]\npath = ":memory:"\n', "[ha] wants a database in a file"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "haas.toml"
    file.write_text(f"[ha]\n{text}")
    with pytest.raises(ConfigError) as wrong:
        configfiles.load(file)
    assert said in str(wrong.value)


def test_nobody_stands_by_for_a_master_that_is_alone(tmp_path: Path) -> None:
    file = tmp_path / "haas.toml"
    file.write_text(f'[store]\npath = "{tmp_path}/haas.db"\n')
    done = subprocess.run(
        [sys.executable, "-m", "haas_rpcd", "--config", str(file), "standby"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "nobody is there to stand by for" in done.stderr


MOVES = """
import asyncio, subprocess
from haas_rpcd.ha.address import drop_address, held_address
from haas_rpcd.hasettings import HaSettings

settings = HaSettings(address="10.9.8.7/24", interface="lo")

def there():
    text = subprocess.check_output(["ip", "-o", "address", "show", "dev", "lo"], text=True)
    return "10.9.8.7/24" in text

async def main():
    await drop_address(settings)
    assert not there()
    async with held_address(settings):
        assert there()
        async with held_address(settings):  # a former daemon has left it
            assert there()
    assert not there()

asyncio.run(main())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces want root")
def test_the_address_comes_and_goes_with_the_master() -> None:
    subprocess.run(["unshare", "--net", sys.executable, "-c", MOVES], check=True)
