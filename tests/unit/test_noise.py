"""A switch that prints a megabyte: what of it is passed on."""

from __future__ import annotations

import pytest

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.driver import SwitchDriver
from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport
from tests.bench.noise import NoisyDevice
from tests.bench.switchyard import CREDENTIAL


@pytest.mark.slow
async def test_a_probe_passes_on_only_the_first_of_what_a_switch_says() -> None:
    with NoisyDevice("a line of noise, as a boot prints it\r\n") as device:
        driver = SwitchDriver(
            "noisy",
            DIALECTS["cisco_ios"],
            connect=lambda: TelnetTransport.connect("noisy", "127.0.0.1", device.port, 5.0),
            options={},
            credential=lambda: Credential(**CREDENTIAL),
            settings=SwitchSettings(),
        )
        await driver.open(lambda line: None)
        probed = await driver.probe()
        await driver.close()
    assert probed.said[0] == "a line of noise, as a boot prints it"
    assert sum(map(len, probed.said)) < 100_000
