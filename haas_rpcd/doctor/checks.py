"""All checks, in the order in which they are reported, and how they are run."""

from __future__ import annotations

import inspect

import msgspec

from haas_rpcd.doctor import copies, files, host, hypervisor, hypervisors, switches, unit
from haas_rpcd.doctor.finding import Check, Finding, World, fault

CHECKS: tuple[Check, ...] = (
    Check("configuration", files.configuration, offline=True),
    Check("credentials", files.credentials, offline=True),
    Check("tls", files.tls, offline=True),
    Check("metrics", files.metrics, offline=True),
    Check("copying", copies.programs, offline=True),
    Check("unit", unit.writable, offline=True),
    Check("state", files.state),
    Check("space", files.space),
    Check("daemon", files.daemon),
    Check("copies", copies.copies),
    Check("trunk nic", host.trunk_nic),
    Check("kernel", host.modules),
    Check("bridge netfilter", host.bridge_netfilter),
    Check("clock", host.clock),
    Check("libvirt", hypervisor.hypervisor),
    Check("hypervisors", hypervisors.every_hypervisor),
    Check("switches", switches.every_switch),
)


async def examine(world: World, *, offline: bool = False) -> list[Finding]:
    """Run all checks, or only those that need no network and no master; return their findings."""
    findings: list[Finding] = []
    for check in CHECKS:
        if offline and not check.offline:
            continue
        findings += [
            msgspec.structs.replace(one, check=check.name) for one in await _run(check, world)
        ]
    return findings


async def _run(check: Check, world: World) -> list[Finding]:
    try:
        found = check.run(world)
        return await found if inspect.isawaitable(found) else found
    except Exception as error:  # noqa: BLE001 - one broken check must not hide what others find
        text = f"The check itself failed: {type(error).__name__}: {error}."
        return [fault(text, "look into that by hand, and report it as a fault of HaaS.")]
