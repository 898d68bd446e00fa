"""Checks of each registered hypervisor: its login, its network's programs and nic, its libvirt."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from haas_rpcd.config import ConfigError, Settings
from haas_rpcd.configfiles import load_credentials
from haas_rpcd.doctor.files import of_space
from haas_rpcd.doctor.finding import Finding, World, fault, ok, warning
from haas_rpcd.drivers.hypervisor.connecting import load_libvirt
from haas_rpcd.drivers.hypervisor.libvirt import LibvirtDriver
from haas_rpcd.drivers.hypervisor.long_work import Counted, connected, work
from haas_rpcd.drivers.hypervisor.storage import Storage
from haas_rpcd.drivers.hypervisor.worker import Task
from haas_rpcd.drivers.remote.host import RemoteHost
from haas_rpcd.drivers.remote.iproute2 import PREPARE
from haas_rpcd.drivers.remote.network import RemoteNetwork
from haas_rpcd.drivers.switch.transport.known_hosts import KnownHosts
from haas_rpcd.errors import DeviceError, UnavailableError
from haas_rpcd.registered import Capacity, RegisteredHypervisor
from haas_rpcd.store import headnodes, hypervisors, snapshot

AT_ONCE = 16
"""How many hypervisors are looked at at the same time."""

TIMEOUT = 30.0
"""Seconds for each check of a libvirt."""

PROGRAMS = ("ip", "bridge", "tc", "sysctl")
"""What configures a host's network."""


async def every_hypervisor(world: World) -> list[Finding]:
    """Log in to every hypervisor that the database has, and check what headnodes need there."""
    settings = world.settings
    if settings.master is None:
        return []
    try:
        registered = await asyncio.to_thread(snapshot.read, settings.store.path, _registered)
        load_credentials(Path(settings.credentials.file))
    except (FileNotFoundError, sqlite3.Error, ConfigError):
        return []  # other checks report that
    limit = asyncio.Semaphore(AT_ONCE)

    async def limited(row: RegisteredHypervisor, known: set[str]) -> list[Finding]:
        async with limit:
            return await _look_at(settings, row, known)

    if not registered:
        return [ok("No other hypervisor is registered: all headnodes are on the master.")]
    found = await asyncio.gather(*(limited(row, known) for row, known in registered))
    return [finding for each in found for finding in each]


def _registered(tx: snapshot.Tx) -> list[tuple[RegisteredHypervisor, set[str]]]:
    """Return the hypervisors in service, each with the UUIDs of its headnodes."""
    return [
        (row.registered, {one.uuid for one in headnodes.on_hypervisor(tx, row.name)})
        for row in hypervisors.everyone(tx)
        if row.retired is None
    ]


async def _look_at(
    settings: Settings, hypervisor: RegisteredHypervisor, known: set[str]
) -> list[Finding]:
    file = settings.credentials.file
    host = RemoteHost(
        hypervisor,
        KnownHosts(Path(settings.switches.known_hosts)),
        settings.switches,
        lambda: load_credentials(Path(file)),
        file,
    )
    findings: list[Finding] = []
    try:
        for part in (_network(host), _libvirt(host, settings, known)):
            try:
                findings += await part
            except (DeviceError, UnavailableError) as error:
                findings.append(fault(error.message, _mend(hypervisor.name, error)))
    finally:
        await host.close()
    return findings


def _mend(name: str, error: DeviceError | UnavailableError) -> str:
    reason = error.reason if isinstance(error, DeviceError) else ""
    mends = {
        "login": f"correct the entry of {name} in the credentials file; no restart is needed.",
        "host_key": f"compare its fingerprint with the host's own:  hypervisor trust {name}",
    }
    return mends.get(reason, f"mend that on {name}; docs/hypervisors.md says what a host needs.")


async def _network(host: RemoteHost) -> list[Finding]:
    """Check that its network can be configured, and that the trunk nic is as it should be."""
    name, nic = host.name, host.registered.trunk_nic
    async with host.shell() as shell:
        await shell.run(PREPARE)
        lacking = [
            program
            for program in PROGRAMS
            if (await shell.run(f"command -v {program} >/dev/null")).status
        ]
        may_change = (await shell.run("$haas_sudo ip -V >/dev/null 2>&1")).status == 0
    findings = []
    if lacking:
        findings.append(
            fault(
                f"{name} lacks {', '.join(lacking)}: its network can't be configured.",
                "apt-get install iproute2 procps  there.",
            )
        )
    elif not may_change:
        findings.append(
            fault(
                f"Our login on {name} has neither CAP_NET_ADMIN nor sudo without a password.",
                "give it one of them: docs/hypervisors.md has the lines.",
            )
        )
    findings += await _trunk_nic(host)
    if not findings:
        findings.append(ok(f"{name} takes our login, and its network can be configured ({nic})."))
    return findings


async def _trunk_nic(host: RemoteHost) -> list[Finding]:
    name, nic = host.name, host.registered.trunk_nic
    async with RemoteNetwork(host).session() as session:
        trunk = await session.find(nic)
        addresses = await session.addresses()
    if trunk is None:
        return [
            fault(
                f"{name} has no nic {nic}, which is registered as its trunk nic.",
                "plug it in, or register the hypervisor with the right one.",
            )
        ]
    findings = []
    if not trunk.up:
        findings.append(
            warning(f"The trunk nic {nic} of {name} is down.", f"ip link set {nic} up  there.")
        )
    if own := addresses.get(trunk.index, []):
        findings.append(
            warning(
                f"The trunk nic {nic} of {name} has addresses: {', '.join(own)}.",
                f"keep network managers from {nic}, and take them away:  ip address flush dev"
                f" {nic}",
            )
        )
    return findings


async def _libvirt(host: RemoteHost, settings: Settings, known: set[str]) -> list[Finding]:
    """Check its libvirt, the room for copies of images there, and whose machines it has."""
    name, images = host.name, settings.master.images if settings.master is not None else []
    driver = LibvirtDriver(host.registered.uri, reach=host.libvirt_uri, timeout=TIMEOUT)
    try:
        await driver.open()
        capacity = await _capacity(driver, images)
        found = await driver.found_headnodes()
    finally:
        await driver.close()
    uri = await host.libvirt_uri()

    def look(task: Task[Any]) -> tuple[int, str, int]:
        libvirt = load_libvirt()
        with connected(libvirt, uri, host.registered.uri) as connection:
            storage = Storage(libvirt, connection, task.go_on)
            folder = storage.image_folder()
            return connection.getLibVersion(), folder, storage.free_space(folder)

    version, folder, free = await work("doctor", host.registered.uri, look, Counted())
    shown = f"{version // 1_000_000}.{version // 1000 % 1000}.{version % 1000}"
    findings = [
        ok(f"libvirt {shown} on {name} can be used{_has(capacity)}."),
        of_space(f"images and overlays on {name} ({folder})", free),
    ]
    if unknown := [one.headnode for one in found if one.uuid not in known]:
        findings.append(
            warning(
                f"{name} has machines that HaaS made and does not know: {', '.join(unknown)}.",
                "see what is on them, and remove them there:  virsh list --all; virsh undefine …",
            )
        )
    return findings


async def _capacity(driver: LibvirtDriver, images: Sequence[str]) -> Capacity | None:
    """Return what a host has; None if its libvirt does not say that. Raises DeviceError."""
    try:
        return await driver.capacity(images)
    except DeviceError as error:
        if error.reason != "refused":
            raise
        return None


def _has(capacity: Capacity | None) -> str:
    if capacity is None:
        return ""
    images = ", ".join(capacity.image_names) or "no image yet"
    return f"; {capacity.free >> 20} of {capacity.memory >> 20} MiB are free, and it has {images}"
