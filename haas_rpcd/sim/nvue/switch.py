"""`NvueSwitch`: a Cumulus Linux switch."""

from __future__ import annotations

import json
from typing import Any

from haas_rpcd.sim.nvue import cabling, show
from haas_rpcd.sim.nvue.commands import Nv
from haas_rpcd.sim.nvue.state import Config, Port
from haas_rpcd.sim.shell import Call, ShellSwitch


class NvueSwitch(ShellSwitch[Config]):
    """A simulated Cumulus Linux switch. Options: see `haas_rpcd.sim.cli.device.Options`."""

    dialect = "cumulus_nvue"
    programs = ("nv", "bridge", "ip")
    ps1 = "{user}@{host}:mgmt:\\w$ "

    def __init__(self, hostname: str = "cumulus", **options: Any) -> None:
        self.nv = Nv(self)
        options.setdefault("motd", show.BANNER.format(host=hostname, kernel=show.KERNEL))
        super().__init__(hostname, **options)

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``swp1`` onwards."""
        return [f"swp{number}" for number in range(1, count + 1)]

    def factory(self, hostname: str) -> Config:
        """Return the configuration of a new switch, which mentions no port."""
        return Config(hostname or "cumulus", {name: Port() for name in self.port_list})

    def reload(self) -> None:
        """Restart; this drops all candidates."""
        self.nv.candidates.clear()
        super().reload()

    async def run(self, call: Call) -> int:
        """Carry out ``nv``, ``bridge`` or ``ip``."""
        match call.words:
            case ["bridge", "-json" | "-j", "-compressvlans", "vlan", "show"]:
                return self._print_json(call, list(show.bridge_vlans(self.running)))
            case ["ip", "-json" | "-j", "-details" | "-d", "link", "show"]:
                return self._print_json(call, list(show.links(self.running, self.unplugged)))
            case ["bridge", "-json" | "-j", "fdb", "show"]:
                return self._print_json(call, list(cabling.fdb(self)))
            case ["bridge" as program, word, *_] | ["ip" as program, "-json" | "-j", word, *_]:
                call.error(f'Object "{word}" is unknown, try "{program} help".')
                return 255
            case ["nv", *_]:
                return await self.nv.run(call)
        call.error("Error: Invalid parameter")
        return 1

    @staticmethod
    def _print_json(call: Call, items: list[dict[str, Any]]) -> int:
        call.print(json.dumps(items, separators=(",", ":")))
        return 0
