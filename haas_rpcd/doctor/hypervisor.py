"""Checks of libvirt: the connection and its rights, the base images, and their disks' space."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Any

from haas_rpcd.config import Master
from haas_rpcd.doctor.files import free_bytes, of_space
from haas_rpcd.doctor.finding import Finding, World, fault, ok, warning
from haas_rpcd.drivers.hypervisor import domain_xml, xmltree
from haas_rpcd.drivers.hypervisor.connecting import load_libvirt
from haas_rpcd.drivers.hypervisor.lookup import lookup
from haas_rpcd.drivers.hypervisor.worker import Worker
from haas_rpcd.errors import DeviceError, UnavailableError

TIMEOUT = 30.0
"""Seconds that libvirt has for all of its checks."""


async def hypervisor(world: World) -> list[Finding]:
    """Connect to libvirt as the daemon does, and check the base images."""
    master = world.settings.master
    if master is None:
        return []
    worker = Worker("doctor", master.libvirt_uri)
    try:
        return await worker.call(lambda task: _look(master), TIMEOUT)
    except TimeoutError:
        return [
            fault(
                f"libvirt on {master.libvirt_uri} did not answer within {TIMEOUT:g} s.",
                "see what holds it up:  systemctl status libvirtd",
            )
        ]
    finally:
        worker.end()


def _look(master: Master) -> list[Finding]:
    try:
        libvirt = load_libvirt()
    except UnavailableError as error:
        return [fault(f"{error.message}.", "on Debian, python3-libvirt serves as well.")]
    try:
        connection = libvirt.open(master.libvirt_uri)
    except libvirt.libvirtError as error:
        return [
            fault(
                f"libvirt on {master.libvirt_uri} can't be used: {error}.",
                "start it (systemctl start libvirtd), and put haas-rpcd's user into the group"
                " libvirt (usermod -aG libvirt haas).",
            )
        ]
    try:
        version = connection.getLibVersion()
        shown = f"{version // 1_000_000}.{version // 1000 % 1000}.{version % 1000}"
        findings = [ok(f"libvirt {shown} on {master.libvirt_uri} can be used.")]
        for image in master.images:
            findings += _image(libvirt, connection, image)
        return findings
    except libvirt.libvirtError as error:
        return [
            fault(
                f"libvirt on {master.libvirt_uri} failed: {error}.",
                "see  journalctl -u libvirtd  and mend that.",
            )
        ]
    finally:
        connection.close()


def _image(libvirt: Any, connection: Any, image: str) -> list[Finding]:
    domain = lookup(libvirt, (libvirt.VIR_ERR_NO_DOMAIN,), connection.lookupByName, image)
    if domain is None:
        return [
            fault(
                f"There is no domain {image}, which [master] images names.",
                f"install a login machine as domain {image} and power it off, or take the name out"
                " of haas.toml.",
            )
        ]
    findings = []
    if domain.isActive():
        findings.append(
            fault(
                f"The base image {image} is running: its disk must not change under its clones.",
                f"virsh shutdown {image}; once there are clones, do not start it again.",
            )
        )
    xml = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    if xmltree.parse(xml).find("features/acpi") is None:
        findings.append(
            warning(
                f"The base image {image} has no ACPI: no nic can be plugged into its running"
                " clones, and they are switched off instead of shut down.",
                f"virsh edit {image}, and add  <features><acpi/></features>",
            )
        )
    try:
        disks = domain_xml.disks_to_overlay(xml)
    except DeviceError as error:
        return [*findings, fault(error.message, f"virsh edit {image}")]
    if not disks:
        findings.append(
            warning(
                f"The base image {image} has no writable disk: its clones have none either.",
                f"give it one with  virsh edit {image}, unless it boots from the network.",
            )
        )
    for disk in disks:
        findings += _disk(libvirt, connection, image, disk)
    if all(one.level != "fault" for one in findings):
        findings.insert(0, ok(f"The base image {image} is there and powered off."))
    return findings


def _disk(libvirt: Any, connection: Any, image: str, disk: domain_xml.BaseDisk) -> list[Finding]:
    """Check that a disk of an image is there, and that its overlays have room.

    Where no storage pool knows the disk, only files of this machine can be looked at.
    """
    if disk.pool is not None:
        absent = (libvirt.VIR_ERR_NO_STORAGE_POOL,)
        pool = lookup(libvirt, absent, connection.storagePoolLookupByName, disk.pool)
        if pool is None or not pool.isActive():
            return [
                fault(
                    f"The storage pool {disk.pool} of {image} is not there, or not started.",
                    f"virsh pool-start {disk.pool} && virsh pool-autostart {disk.pool}",
                )
            ]
        return [of_space(f"overlays of {image} (pool {disk.pool})", pool.info()[3])]
    folder = posixpath.dirname(disk.path or "")
    pool = lookup(
        libvirt,
        (libvirt.VIR_ERR_NO_STORAGE_POOL, libvirt.VIR_ERR_NO_SUPPORT),
        connection.storagePoolLookupByTargetPath,
        folder,
    )
    if pool is not None and pool.isActive():
        absent = (libvirt.VIR_ERR_NO_STORAGE_VOL,)
        name = posixpath.basename(disk.path or "")
        if lookup(libvirt, absent, pool.storageVolLookupByName, name) is None:
            pool.refresh(0)
        if lookup(libvirt, absent, pool.storageVolLookupByName, name) is None:
            return [_no_disk(image, disk)]
        return [of_space(f"overlays of {image} ({folder})", pool.info()[3])]
    if "://" in connection.getURI().replace(":///", ""):  # a remote libvirt: no file to look at
        return []
    try:
        if not Path(disk.path or "").exists():
            return [_no_disk(image, disk)]
        return [of_space(f"overlays of {image} ({folder})", free_bytes(Path(folder)))]
    except OSError:
        return []  # libvirt may enter folders that we may not


def _no_disk(image: str, disk: domain_xml.BaseDisk) -> Finding:
    return fault(
        f"The disk {disk.path} of {image} does not exist.",
        f"put it back, or point the image at its disk (virsh edit {image}).",
    )
