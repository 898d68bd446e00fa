"""`SonicSwitch`: a SONiC switch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from haas_rpcd.sim.cli.plugging import Heard
from haas_rpcd.sim.shell import Call, ShellSwitch
from haas_rpcd.sim.sonic import cabling, commands, show
from haas_rpcd.sim.sonic.state import CHANNEL, Config, Port

SAVED_FILE = "/etc/sonic/config_db.json"


class SonicSwitch(ShellSwitch[Config]):
    """A simulated SONiC switch. Options: see `haas_rpcd.sim.cli.device.Options`."""

    dialect = "sonic"
    programs = ("config", "show", "sonic-cfggen", "sonic-db-cli")
    ps1 = "{user}@{host}:\\w$ "
    needs_mode = False
    """Whether a port needs a switchport mode before it can join a VLAN, as in newer releases."""

    def __init__(self, hostname: str = "sonic", **options: Any) -> None:
        options.setdefault("motd", show.BANNER)
        super().__init__(hostname, **options)

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``Ethernet0``, ``Ethernet4``, and so on: ports are named after their first lane."""
        return [f"Ethernet{show.LANES * number}" for number in range(count)]

    def factory(self, hostname: str) -> Config:
        """Return the configuration of a new switch, which has no VLAN."""
        return Config(hostname or "sonic", {name: Port() for name in self.port_list})

    def heard(self) -> Iterator[Heard]:
        """Yield the dynamic lines of the MAC table; what a member hears is its channel's."""
        for line in super().heard():
            channel = self.running.ports[line.port].channel
            yield line._replace(port=f"{CHANNEL}{channel[0]}") if channel else line

    async def run(self, call: Call) -> int:
        """Carry out ``config``, ``show``, ``sonic-cfggen`` or ``sonic-db-cli``."""
        match call.words:
            case ["config", *words]:
                return await self._config(call, words)
            case ["sonic-cfggen", "-d", "--print-data"] | ["show", "runningconfiguration", "all"]:
                call.print(show.database(self.running))
                return 0
            case ["show", "version"]:
                call.print(*show.VERSION.format(serial=self.serial).splitlines())
                return 0
            case ["show", "vlan", "config"]:
                call.print(*show.vlan_config(self.running))
                return 0
            case ["show", "lldp", "neighbors"]:
                call.print(*cabling.neighbors(self))
                return 0
            case ["show", "mac"]:
                call.print(*cabling.macs(self))
                return 0
            case ["sonic-db-cli", "STATE_DB", "KEYS", "VLAN_MEMBER_TABLE|*"]:
                call.print(*show.vlan_members(self.running, self.assigned))
                return 0
        call.error(f"Usage: {call.words[0]} [OPTIONS] COMMAND [ARGS]...", "")
        call.error(f'Error: No such command "{" ".join(call.words[1:])}".')
        return 2

    async def _config(self, call: Call, words: Sequence[str]) -> int:
        if not call.root:
            call.print("Root privileges are required for this operation")
            return 1
        if words[:1] == ["save"]:
            return await self._save(call, words[1:])
        table = commands.COMMANDS_WITH_MODE if self.needs_mode else commands.COMMANDS
        try:
            printed = commands.run(table, self.running, words)
        except commands.RefusedError as error:
            call.error(*error.lines)
            return 2
        self.touch()
        call.print(*printed)
        return 0

    async def _save(self, call: Call, flags: Sequence[str]) -> int:
        if list(flags) != ["-y"]:
            answer = await call.ask("Existing files will be overwritten, continue? [y/N]: ")
            if answer.lower() not in ("y", "yes"):
                call.print("Aborted!")
                return 1
        call.print(f"Running command: /usr/local/bin/sonic-cfggen -d --print-data > {SAVED_FILE}")
        if not self.save():
            call.error(*self.save_error)
            return 1
        return 0
