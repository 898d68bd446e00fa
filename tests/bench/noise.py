"""How long a device that prints a megabyte of noise holds up everybody else's calls."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.driver import SwitchDriver
from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport
from haas_rpcd.errors import DeviceError
from tests.bench.switchyard import CREDENTIAL
from tests.bench.table import Row
from tests.tui.harness.processes import Daemon, Refused

SIZE = 2**20
NOISE = {
    "lines": "a line of noise, as a boot prints it\r\n",
    "one line": "noise without an end of line ",
    "prompts": "sw1#\r\n",
    "returns": "\r",
    "empty lines": "\r\n",
    "colours": "\x1b[1;32mword\x1b[0m ",
    "log messages": "*Mar  1 00:20:01.113: %LINK-3-UPDOWN: Interface Gi1/0/4, changed state\r\n",
    "questions": "Username: \r\n",
}


class NoisyDevice:
    """A telnet server in a thread: noise, a login, and more noise in each answer."""

    def __init__(self, noise: str) -> None:
        self._noise = noise * (SIZE // len(noise))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self.port = 0

    def __enter__(self) -> NoisyDevice:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop)
        self._thread.join()
        self._loop.close()

    def _stop(self) -> None:
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.call_later(0.1, self._loop.stop)

    async def _start(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{self._noise}\r\nUsername: ".encode())
        for answer in ("Password: ", "\r\nsw1#"):
            await reader.readline()
            writer.write(answer.encode())
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while line := await reader.readline():
                writer.write(line + f"{self._noise}\r\nsw1#".encode())
        writer.close()


def measure(folder: Path) -> Iterator[Row]:
    """Probe such a device while another client calls ``system.info`` in a loop."""
    folder.mkdir()
    credentials = folder / "credentials.toml"
    credentials.touch(mode=0o600)
    credentials.write_text(
        "[noisy]\n" + "".join(f'{key} = "{value}"\n' for key, value in CREDENTIAL.items())
    )
    file = folder / "haas.toml"
    file.write_text(f'[store]\npath = "{folder}/haas.db"\n[credentials]\nfile = "{credentials}"\n')
    with Daemon(folder, "--config", str(file)) as daemon:
        quiet = _waits(daemon, lambda: time.sleep(1.0))
        for what, noise in NOISE.items():
            with NoisyDevice(noise) as device:
                waits = _waits(daemon, lambda: _probe(daemon, device.port))
                turn = asyncio.run(_longest_turn(device.port))
            note = f"{len(waits)} calls, median {statistics.median(waits):.1f} ms;"
            note += f" longest without noise {max(quiet):.0f} ms"
            yield Row(
                f"1 MB of noise ({what}): a call beside it",
                max(waits), "ms", 100, asserted=False, note=note,
            )  # fmt: skip
            yield Row("… longest turn of the event loop, CPU", turn, "ms", 100)


def _probe(daemon: Daemon, port: int) -> None:
    with contextlib.suppress(Refused):
        daemon.call(
            "switch.probe", switch="noisy", dialect="cisco_ios", host="127.0.0.1", port=port,
            credential="noisy",
        )  # fmt: skip


async def _longest_turn(port: int) -> float:
    """Return the milliseconds of CPU of the longest turn of the event loop during a probe."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            begun = time.thread_time()
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - begun)

    driver = SwitchDriver(
        "noisy",
        DIALECTS["cisco_ios"],
        connect=lambda: TelnetTransport.connect("noisy", "127.0.0.1", port, 5.0),
        options={},
        credential=lambda: Credential(**CREDENTIAL),
        settings=SwitchSettings(),
    )
    watching = asyncio.create_task(watch())
    with contextlib.suppress(DeviceError):
        await driver.open(lambda line: None)
        await driver.probe()
    await driver.close()
    watching.cancel()
    return longest * 1000


def _waits(daemon: Daemon, work: object) -> list[float]:
    """Return the milliseconds of each call that is made while some work goes on."""
    assert callable(work)
    working = threading.Thread(target=work)
    daemon.post("system.info")
    waits: list[float] = []
    working.start()
    while working.is_alive():
        begun = time.perf_counter()
        daemon.post("system.info")
        waits.append((time.perf_counter() - begun) * 1000)
    return waits
