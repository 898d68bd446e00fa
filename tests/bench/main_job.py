"""What examples/main-job.haas costs the switches: ``python tests/bench/main_job.py``.

Counts the lines, logins and saves of each switch in the demo. What it takes to park the site
beforehand does not count.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from haas_rpcd.demo import demo

SCRIPT = Path(__file__).parents[2] / "examples" / "main-job.haas"
COUNTED = ("lines", "logins", "saves")


async def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/rpcd.sock"
        async with demo(socket) as (_, centre):
            before = {name: asdict(switch.counters) for name, switch in centre.switches.items()}
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "haas_console", "--socket", socket, "--quiet",
                "--script", str(SCRIPT), stdout=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            code = await process.wait()
            print(f"{'switch':8}" + "".join(f"{what:>8}" for what in COUNTED))
            for name, switch in centre.switches.items():
                after = asdict(switch.counters)
                counts = [after[what] - before[name][what] for what in COUNTED]
                print(f"{name:8}" + "".join(f"{count:8}" for count in counts))
    return code


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
