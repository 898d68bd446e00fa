"""The face of the lab's switch: a simulated vendor's command line in front of its bridge.

A command that the simulator accepts is applied to the bridge before the prompt returns. So after
each line the nodes hear exactly what the vendor's configuration says.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from typing import Any

from haas_rpcd.sim.cli import Carried, Device
from haas_rpcd.sim.ios import IosSwitch

from .credentials import PASSWORD, USER
from .topology import Lab, bridge, ip
from .wire import inside

ENABLE = "lab-enable"


class SwitchFace:
    """The face. It runs in a thread of its own, so that a test can wait for the switch.

    It listens on the address of the switch, with telnet or SSH. `switch` is the simulator; any
    thread may read its records and counters and set its faults.
    """

    def __init__(
        self, lab: Lab, personality: type[Device[Any]] = IosSwitch, *, ssh: bool = False
    ) -> None:
        """Make the face of a lab that was built with ``telnet=False``."""
        self._lab = lab
        names = personality.port_names(len(lab.switch.ports))
        self.ports = dict(zip(lab.switch.ports, names, strict=True))
        """The bridge's port -> the vendor's name: ``p1`` -> ``GigabitEthernet1/0/1``."""
        self._bridge_ports = {name: port for port, name in self.ports.items()}
        self.switch = personality(
            lab.switch.name,
            ports=names,
            username=USER,
            password=PASSWORD,
            enable=ENABLE,
            on_change=self._apply,
            telnet=not ssh,
            ssh=ssh,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=personality.dialect)

    def start(self) -> None:
        """Set the bridge to what a new switch carries, then listen."""
        self._apply(self.switch, self.ports.values())
        self._thread.start()
        started = self.switch.start(self._lab.switch.address, 23, 22)
        asyncio.run_coroutine_threadsafe(started, self._loop).result()

    def carried(self, port: str) -> Carried:
        """Return what a port of the bridge carries according to the vendor's configuration."""
        return self.switch.carried(self.ports[port])

    def stop(self) -> None:
        """Cut all sessions and end the thread; the bridge stays as it is."""
        asyncio.run_coroutine_threadsafe(self.switch.stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        with inside(self._lab.switch.name):
            self._loop.run_forever()

    def _apply(self, switch: Device[Any], changed: Iterable[str]) -> None:
        # This blocks the simulator on purpose: its prompt must wait for the bridge.
        vlans, links = [], []
        for name in changed:
            port, carried = self._bridge_ports[name], switch.carried(name)
            vlans.append(f"vlan del dev {port} vid 1-4094")
            vlans += [f"vlan add dev {port} vid {vlan}" for vlan in _ranges(carried.tagged)]
            if carried.untagged is not None:
                vlans.append(f"vlan add dev {port} vid {carried.untagged} pvid untagged")
            state = "down" if switch.is_shut(name) else "up"
            links.append(f"link set dev {port} {state}")
        bridge(self._lab.switch.name, *vlans)
        ip(self._lab.switch.name, *links)


def _ranges(vlans: Iterable[int]) -> list[str]:
    """Write VLAN ids as ranges, ``100-104``, because a trunk may carry all 4094."""
    spans: list[list[int]] = []
    for vlan in sorted(vlans):
        if spans and vlan == spans[-1][1] + 1:
            spans[-1][1] = vlan
        else:
            spans.append([vlan, vlan])
    return [f"{first}-{last}" if last > first else str(first) for first, last in spans]
