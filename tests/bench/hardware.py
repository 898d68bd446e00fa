"""``python -m tests.bench.hardware power|dialects``: what is done with BMCs and cables, as a table.

``power``: each action on a node, by each protocol, while its BMC fails in each way. ``dialects``:
what each dialect tells of cables, and how it bundles ports, with the published transcripts that its
readers are tested with. How a bond behaves with a leg cut is in the lab's ``test_bonds``.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
import tomllib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from haas_rpcd.bmc import BmcSettings
from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.sim.personalities import CLASSES
from tests.rpc.bmcs import PASSWORD, USER, Emulator, IpmiSim, ipmi_sim, redfish_emulator
from tests.rpc.small_site import RpcError, SmallSite, prepare, small_site

SETTINGS = BmcSettings(answer_timeout=3.0, settle_timeout=3.0, off_time=0.2)
SAMPLES = Path(__file__).parents[1] / "unit/cabling"
ACTIONS = ("status", "on", "reset", "cycle", "off")

Bmc = IpmiSim | Emulator


def _lies(bmc: Bmc, site: SmallSite) -> None:
    if isinstance(bmc, IpmiSim):
        bmc.lie()


def _silent(bmc: Bmc, site: SmallSite) -> None:
    bmc.process.send_signal(signal.SIGSTOP)


def _dead(bmc: Bmc, site: SmallSite) -> None:
    bmc.process.kill()
    bmc.process.wait()


def _wrong_password(bmc: Bmc, site: SmallSite) -> None:
    site.credentials["bmcs"] = Credential(username=USER, password="wrong")


FAULTS: dict[str, Callable[[Bmc, SmallSite], None]] = {
    "none": lambda bmc, site: None,
    "accepts, does nothing": _lies,
    "wrong password": _wrong_password,
    "silent": _silent,
    "dead": _dead,
}


@asynccontextmanager
async def _bmc(protocol: str, folder: Path) -> AsyncIterator[Bmc]:
    made = ipmi_sim(folder) if protocol == "ipmi" else redfish_emulator(folder)
    async with made as bmc:
        yield bmc


async def power(folder: Path) -> list[Sequence[str]]:
    """Carry out every action with every fault; return what came of it, in rows."""
    prepared = await asyncio.to_thread(prepare, folder)
    rows: list[Sequence[str]] = [("protocol", "BMC", *ACTIONS)]
    for protocol in ("ipmi", "redfish"):
        for number, (fault, hurt) in enumerate(FAULTS.items()):
            if (protocol, fault) == ("redfish", "accepts, does nothing"):
                continue  # the emulator always obeys; tests/rpc/test_power_redfish.py has a stub
            here = folder / f"{protocol}-{number}"
            here.mkdir()
            async with (
                _bmc(protocol, here / "bmc") as bmc,
                small_site(here, prepared, bmc=SETTINGS) as site,
            ):
                site.credentials["bmcs"] = Credential(username=USER, password=PASSWORD)
                await site.call("bmc.set", node="node-1", credential="bmcs", **bmc.params)
                hurt(bmc, site)
                cells = [await _act(site, action) for action in ACTIONS]
                bmc.process.send_signal(signal.SIGCONT)
            rows.append((protocol, fault, *cells))
            print(*rows[-1], sep=" | ", file=sys.stderr)
    return rows


async def _act(site: SmallSite, action: str) -> str:
    begun = time.monotonic()
    try:
        said = await site.call("node.power", node="node-1", action=action)
        came: str = said["power"]
    except RpcError as error:
        came = f"refused: {error.data.get('reason', error.kind)}"
    return f"{came}, {time.monotonic() - begun:.1f} s"


def dialects() -> Iterator[Sequence[str]]:
    """Yield what each dialect tells of cables, and how it bundles ports."""
    yield ("dialect", "LLDP", "MAC table", "transcripts", "bond", "simulated")
    for name, dialect in sorted(DIALECTS.items()):
        tables = (dialect.cabling.neighbours, dialect.cabling.learnt) if dialect.cabling else ()
        lldp, macs = (", ".join(table.lines) if table else "-" for table in tables or (None,) * 2)
        samples = tomllib.loads((SAMPLES / f"{name}.toml").read_text())
        count = sum(len(each) for each in samples.values())
        modes = ", ".join(dialect.channels.modes) if dialect.channels else "active-backup only"
        yield (name, lldp, macs, str(count), modes, "yes" if name in CLASSES else "the lab's own")


def show(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a table in Markdown; the first one has the titles."""
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        f"| {' | '.join(cell.ljust(size) for cell, size in zip(row, wide, strict=True))} |"
        for row in rows
    ]
    return "\n".join([lines[0], f"|{'|'.join('-' * (size + 2) for size in wide)}|", *lines[1:]])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.hardware", description=__doc__)
    parser.add_argument("table", choices=["power", "dialects"])
    rows: list[Any]
    if parser.parse_args().table == "dialects":
        rows = list(dialects())
    else:
        with tempfile.TemporaryDirectory(prefix="haas-bmcs-") as folder:
            rows = asyncio.run(power(Path(folder)))
    print(show(rows))


if __name__ == "__main__":
    main()
