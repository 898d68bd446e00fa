"""The network of another host, read and changed by ``ip``, ``bridge`` and ``tc`` over SSH."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from haas_rpcd.drivers.hostnet import sysctls
from haas_rpcd.drivers.hostnet.filters import Filter
from haas_rpcd.drivers.hostnet.link import Link
from haas_rpcd.drivers.hostnet.network import (
    HostName,
    HostNetwork,
    PortVlan,
    admit_line,
    expel_line,
)
from haas_rpcd.drivers.remote import ipjson
from haas_rpcd.drivers.remote.shell import Ran, RemoteShell
from haas_rpcd.drivers.remote.tcfilters import holding, read_filters
from haas_rpcd.errors import DeviceError

T = TypeVar("T")

PREPARE = (
    "export LC_ALL=C PATH=/usr/sbin:/sbin:/usr/bin:/bin:$PATH; haas_sudo='sudo -n';"
    " while read -r key value rest; do case $key in CapEff:)"
    ' [ $(( 0x${value#????????} >> 12 & 1 )) = 1 ] && haas_sudo="" ;; esac;'
    " done </proc/self/status"
)
"""Lines that find out whether the shell has CAP_NET_ADMIN, bit 12 of its capabilities; without it,
changes are made by ``sudo``. The mask's upper half is cut off: some shells count in 32 bits.
"""

_SAFE = re.compile(r"[A-Za-z0-9 ._:/@=+-]+")
"""The lines that are sent to ``ip -batch`` and its like: nothing in them is special there."""


class Iproute2(HostNetwork):
    """A session with the network of another host, in a shell that :data:`PREPARE` was run in.

    What is read is kept until something is changed, or :meth:`refresh`.
    """

    def __init__(self, shell: RemoteShell, host: HostName) -> None:
        self._shell = shell
        self.host = host
        self._links: dict[str, Link] | None = None
        self._addresses: dict[int, list[str]] | None = None
        self._vlans: dict[str, list[PortVlan]] | None = None
        self._filters: dict[str, list[Filter]] = {}
        self._sysctls: dict[str, dict[str, str]] = {}
        self._ipv6: bool | None = None

    def _forget(self, program: str) -> None:
        """Read again what a program may have changed."""
        if program == "tc":
            self._filters = {}
        elif program == "bridge":
            self._vlans = None
        else:  # an interface that goes takes all with it
            self.refresh()

    def refresh(self) -> None:
        """Read everything again when it is asked for."""
        self._links = self._addresses = self._vlans = None
        self._filters, self._sysctls = {}, {}

    async def read_all(self, names: Iterable[str]) -> None:
        """Read the filters and settings of many interfaces at once."""
        names = list(names)
        there = await self._all()
        await self._read_filters([name for name in names if name in there])
        await self.read_settings(names)

    async def read_settings(self, names: Iterable[str]) -> None:
        """Read the settings of many interfaces at once."""
        there = await self._all()
        await self._read_sysctls([name for name in names if name in there])

    # --- reading ----------------------------------------------------------------------------------

    async def links(self) -> dict[str, Link]:
        """Return all interfaces, by name."""
        return await self._all()

    async def _all(self) -> dict[str, Link]:
        if self._links is None:
            self._links = await self._read("ip -json -details link show", ipjson.links)
        return self._links

    async def find(self, name: str) -> Link | None:
        """Return the interface of that name, or None."""
        return (await self._all()).get(name)

    async def find_index(self, index: int) -> Link | None:
        """Return the interface with that index, or None."""
        return next((one for one in (await self._all()).values() if one.index == index), None)

    async def ports(self, bridge: Link) -> list[Link]:
        """Return the ports of a bridge, in the order of their names."""
        found = [one for one in (await self._all()).values() if one.master == bridge.index]
        return sorted(found, key=lambda port: port.name)

    async def find_vlan(self, trunk: Link, vlan: int) -> Link | None:
        """Return the 802.1Q interface with this id on the trunk nic, under any name."""
        for link in (await self._all()).values():
            if link.kind == "vlan" and link.link == trunk.index and link.vlan == vlan:
                return link
        return None

    async def taps_without_bridge(self) -> list[Link]:
        """Return the taps that are in no bridge."""
        return [one for one in (await self._all()).values() if one.is_tap and one.master is None]

    async def addresses(self) -> dict[int, list[str]]:
        """Return the addresses of all interfaces, by index: ``10.0.0.1/24``, ``fe80::1/64``."""
        if self._addresses is None:
            self._addresses = await self._read("ip -json address show", ipjson.addresses)
        return self._addresses

    async def port_vlans(self) -> dict[int, list[PortVlan]]:
        """Return the VLANs of all bridge ports, and of bridges themselves, by their indexes."""
        if self._vlans is None:
            self._vlans = await self._read("bridge -json vlan show", ipjson.port_vlans)
        links = await self._all()
        return {links[name].index: vlans for name, vlans in self._vlans.items() if name in links}

    async def filters(self, link: Link) -> list[Filter]:
        """Return the filters of an interface, in the order in which they are tried."""
        if link.name not in self._filters:
            await self._read_filters([link.name])
        return self._filters[link.name]

    async def _read_filters(self, names: Sequence[str]) -> None:
        if not names:
            return
        holders = holding((await self._run("tc qdisc show")).output)
        self._filters |= await read_filters(names, holders, self._shell.run)

    async def has_ipv6(self) -> bool:
        """Return whether the kernel has IPv6."""
        if self._ipv6 is None:
            found = await self._shell.run("[ -d /proc/sys/net/ipv6 ]")
            self._ipv6 = found.status == 0
        return self._ipv6

    async def wrong_sysctls(
        self, name: str, settings: Mapping[str, str] = sysctls.NO_IP
    ) -> list[tuple[str, str]]:
        """Return the settings of an interface that are not as given, with their present values."""
        if name not in self._sysctls:
            await self._read_sysctls([name])
        present = self._sysctls[name]
        return [
            (template, present[template])
            for template, value in settings.items()
            if template in present and present[template] != value
        ]

    async def _read_sysctls(self, names: Sequence[str]) -> None:
        if not names:
            return
        files = {
            f"/proc/sys/net/{template.format(name)}": (template, name)
            for template in sysctls.NO_IP
            for name in names
        }
        # One process for all; builtins of the shell read a byte at a time, of which these files
        # give only the first.
        script = f"grep -Hs '' {' '.join(map(shlex.quote, files))}"
        for name in names:
            self._sysctls[name] = {}
        for line in (await self._run(script, any_status=True)).output.splitlines():
            path, _, value = line.rpartition(":")
            template, name = files[path]
            self._sysctls[name][template] = value

    async def boot_id(self) -> str:
        """Return what identifies the host's present boot."""
        return (await self._run("cat /proc/sys/kernel/random/boot_id")).output.strip()

    # --- changing ---------------------------------------------------------------------------------

    async def change(self, line: str, command: str, **settings: Any) -> None:
        """Run a line of ``ip``; what else is given is the same for netlink."""
        await self._batch(line)

    async def remove_address(self, link: Link, address: str) -> None:
        """Remove an address."""
        if address in (await self.addresses()).get(link.index, []):  # it may go with another
            await self._batch(f"ip address delete {address} dev {link.name}")

    async def admit(self, link: Link) -> None:
        """Let a bridge's port carry untagged frames."""
        await self._batch(admit_line(link.name))

    async def expel(self, link: Link, vlan: int) -> None:
        """Remove a bridge's port, or the bridge itself, from a VLAN inside the bridge."""
        await self._batch(expel_line(link, vlan))

    async def set_filters(self, link: Link, wanted: Sequence[Filter]) -> list[str]:
        """Make an interface have exactly these filters; return the lines of what was changed."""
        present = await self.filters(link)
        lines = [
            f"tc filter delete dev {link.name} {one.hook} prio {one.prio}"
            for one in present
            if one not in wanted
        ]
        lacking = [one for one in wanted if one not in present]
        if lacking and not present:
            lines += await self._clsact(link)
        lines += [one.line(link.name) for one in lacking]
        await self._batch(*lines)
        return lines

    async def _clsact(self, link: Link) -> list[str]:
        """Return the lines that put clsact on an interface, in the place of ``ingress``."""
        shown = await self._run(f"tc qdisc show dev {shlex.quote(link.name)}")
        kinds = {line.split()[1] for line in shown.output.splitlines() if line.startswith("qdisc ")}
        if "clsact" in kinds:
            return []
        add = f"tc qdisc add dev {link.name} clsact"
        return [f"tc qdisc delete dev {link.name} ingress", add] if "ingress" in kinds else [add]

    async def keep_ip_off(
        self, name: str, settings: Mapping[str, str] = sysctls.NO_IP
    ) -> list[str]:
        """Make these settings of an interface; return the lines of what was changed."""
        lines = [
            sysctls.line(template, name, settings[template])
            for template, _ in await self.wrong_sysctls(name, settings)
        ]
        for line in lines:
            self._check(line)
        if lines:
            given = " ".join(line.removeprefix("sysctl -w ") for line in lines)
            ran = await self._shell.run(f"$haas_sudo sysctl -w {given} >/dev/null")
            self._raise_if_failed(lines[0], ran)
            self._sysctls.pop(name, None)
        return lines

    async def _batch(self, *lines: str) -> None:
        """Run lines of one program. The first that fails ends it; those before it stay done."""
        if not lines:
            return
        program = lines[0].split(" ", 1)[0]
        for line in lines:
            self._check(line)
        given = "\n".join(line.removeprefix(f"{program} ") for line in lines)
        ran = await self._shell.run(f"$haas_sudo {program} -batch -", given)
        self._forget(program)
        failed = re.search(r"Command failed -:(\d+)", ran.errors)
        at = min(int(failed[1]), len(lines)) - 1 if failed else 0
        self._raise_if_failed(lines[at], ran)

    def _check(self, line: str) -> None:
        if not _SAFE.fullmatch(line):
            raise DeviceError(
                f'"{line}" is not sent to {self.host.phrase}: an interface there has a name with'
                " signs that HaaS does not send. Rename it.",
                reason="refused",
            )

    async def _run(self, script: str, *, any_status: bool = False) -> Ran:
        ran = await self._shell.run(script)
        if not any_status:
            self._raise_if_failed(script, ran)
        return ran

    async def _read(self, command: str, parse: Callable[[str], T]) -> T:
        output = (await self._run(command)).output
        try:
            return parse(output)
        except (ValueError, KeyError, TypeError) as error:
            raise DeviceError(
                f'What "{command}" prints on {self.host.phrase} is not understood ({error}):'
                " HaaS knows that of iproute2 5.10 and later.",
                reason="unreadable",
            ) from None

    def _raise_if_failed(self, line: str, ran: Ran) -> None:
        if ran.status == 0:
            return
        said = " ".join(ran.errors.split()) or f"exit status {ran.status}"
        said = re.sub(r"\s*Command failed -:\d+$", "", said)
        raise DeviceError(
            f'"{line}" was refused on {self.host.phrase}. {_advice(said, ran)}', reason="refused"
        )


def _advice(said: str, ran: Ran) -> str:
    if "Operation not permitted" in said or said.startswith("sudo:") or "Permission denied" in said:
        return (
            "HaaS's account there needs CAP_NET_ADMIN, or sudo without a password for ip, bridge,"
            f" tc and sysctl (see docs/hypervisors.md). It says: {said}."
        )
    if ran.status == 127 or "command not found" in said:
        return f"Install iproute2 and procps there. It says: {said}."
    if "not supported" in said or "Unknown device type" in said:
        return f"Load its modules with  modprobe -a 8021q bridge  . It says: {said}."
    return f"It says: {said}."
