"""The operations on a headnode's domain. Everything here blocks, in a worker's thread.

Errors of libvirt that a person can fix become sentences here. Others propagate, and the driver
quotes libvirt.
"""

from __future__ import annotations

import logging
import posixpath
import time
from collections.abc import Callable, Iterator
from typing import Any

from haas_rpcd.drivers import Report
from haas_rpcd.drivers.hostnet.taps import Tap
from haas_rpcd.drivers.hypervisor import additions, clone_xml, domain_xml, image_copy, xmltree
from haas_rpcd.drivers.hypervisor.base_image import find_base, variables_of
from haas_rpcd.drivers.hypervisor.condition import condition_of
from haas_rpcd.drivers.hypervisor.domain_xml import Interface, Mark
from haas_rpcd.drivers.hypervisor.lookup import lookup, refuse_taken_name
from haas_rpcd.drivers.hypervisor.nics import Nics
from haas_rpcd.drivers.hypervisor.storage import Storage
from haas_rpcd.drivers.hypervisor.worker import Task
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import (
    DefineHeadnode,
    DeleteHeadnode,
    HeadnodeChange,
    HeadnodeNic,
    HeadnodeSeen,
    SetHeadnodeNics,
    SetHeadnodePower,
)
from haas_rpcd.registered import FoundHeadnode

log = logging.getLogger(__name__)

POLL_SECONDS = 0.1
"""Seconds between two reads of a domain that is shutting down."""


class Domains:
    """The headnodes' domains on one connection, for the length of one task.

    ``image_domain`` returns the domain that clones of an image are made from.
    """

    def __init__(
        self,
        libvirt: Any,
        connection: Any,
        *,
        uri: str,
        bridge_name: Callable[[int], str],
        parking_bridge: str,
        task: Task[Any],
        report: Report,
        image_domain: Callable[[str], str] | None = None,
    ) -> None:
        self._image_domain = image_domain
        self._libvirt = libvirt
        self._connection = connection
        self._uri = uri
        self._bridge_name = bridge_name
        self._task = task
        self._report = report
        self._storage = Storage(libvirt, connection, task.go_on)
        self._nics = Nics(libvirt, bridge_name, parking_bridge, task, report)

    # --- defining ---------------------------------------------------------------------------------

    def define(self, change: DefineHeadnode) -> bool:
        """Create the clone, or complete a partial one; return false if it existed already.

        The domain is defined before its overlays are created, marked as not ready, and marked as
        ready afterwards. So if the daemon dies in between, libvirt knows the partial clone, and it
        can be completed or deleted.
        """
        found = self._find(change.uuid)
        if found is not None and self._mark(found, change.headnode).ready:
            return False
        self._refuse_taken_name(change)
        self._clone(change)
        return True

    def _clone(self, change: DefineHeadnode) -> None:
        domain = self._image_domain(change.image) if self._image_domain else change.image
        base = find_base(
            self._libvirt, self._connection, self._uri, domain, copied=domain != change.image
        )
        base_xml = base.XMLDesc(self._libvirt.VIR_DOMAIN_XML_INACTIVE)
        bases = {
            disk.target: self._storage.locate(change.image, disk)
            for disk in domain_xml.disks_to_overlay(base_xml)
        }
        overlays = {
            target: posixpath.join(base.folder, domain_xml.overlay_name(change.headnode, target))
            for target, base in bases.items()
        }
        variables = variables_of(self._storage, base_xml)
        own_variables = variables and domain_xml.variables_path(change.headnode, variables)
        xml = clone_xml.clone(
            base_xml,
            headnode=change.headnode,
            uuid=change.uuid,
            nics=change.nics,
            overlays=overlays,
            bridge_name=self._bridge_name,
            variables=own_variables,
        )
        name = domain_xml.domain_name(change.headnode)
        self._report(f"define {name} as an overlay of {change.image}")
        self._define(xml)
        for target, base in bases.items():
            self._storage.make_overlay(base, overlays[target])
        if variables and own_variables:
            self._storage.copy(variables, own_variables)
        self._define(domain_xml.mark_ready(xml))
        self._remove_older_copies()
        for nic in change.nics:
            self._report(f"attach {nic.nic} {nic.mac} to {self._bridge_name(nic.vlan)}")

    def _remove_older_copies(self) -> None:
        """Remove copies of images that no headnode needs any more; what fails is tried later."""
        if self._image_domain is None:
            return
        try:
            image_copy.remove_older(
                self._libvirt, self._connection, self._image_domain, self._task.go_on
            )
        except (DeviceError, self._libvirt.libvirtError) as error:
            log.warning("older copies of images on %s stay there: %s", self._uri, error)

    def _refuse_taken_name(self, change: DefineHeadnode) -> None:
        name = domain_xml.domain_name(change.headnode)
        other = self._lookup(self._connection.lookupByName, name)
        refuse_taken_name(other, name, change.uuid, self._uri)

    def _define(self, xml: str) -> Any:
        self._task.go_on()
        return self._connection.defineXML(xml)

    # --- nics -------------------------------------------------------------------------------------

    def must_park(self, change: SetHeadnodeNics) -> bool:
        """Return whether the change removes a nic from a running headnode."""
        return self._nics.must_park(self._get(change.headnode, change.uuid), change.nics)

    def set_nics(self, change: SetHeadnodeNics) -> None:
        """Give the domain exactly these nics, and take from it what somebody added by hand."""
        domain = self._get(change.headnode, change.uuid)
        self._remove_added(domain, self._mark(domain, change.headnode))
        self._nics.set(domain, change.nics, self._define)

    def _remove_added(self, domain: Any, mark: Mark) -> None:
        inactive = domain.XMLDesc(self._libvirt.VIR_DOMAIN_XML_INACTIVE)
        without = additions.without_added(inactive, mark.devices)
        if without is not None:
            self._report(f"take from {domain.name()} what was added to it by hand")
            self._define(without)
        if not domain.isActive():
            return
        for element in additions.added(domain.XMLDesc(0), mark.devices):
            (what,) = additions.phrases([element])
            self._report(f"unplug {what} from {domain.name()}")
            self._task.go_on()
            try:
                domain.detachDeviceFlags(
                    xmltree.text(element), self._libvirt.VIR_DOMAIN_AFFECT_LIVE
                )
            except self._libvirt.libvirtError as error:
                raise DeviceError(
                    f"{domain.name()} has {what}, which somebody added, and which could not be"
                    f" unplugged while it runs ({error}): stop the headnode, then apply again.",
                    reason="refused",
                ) from error

    # --- power ------------------------------------------------------------------------------------

    def start(self, change: SetHeadnodePower) -> None:
        """Start the domain if it is not running."""
        domain = self._get(change.headnode, change.uuid)
        if not self._mark(domain, change.headnode).ready:
            raise DeviceError(
                f"{domain.name()} is only half made: apply again to finish it.", reason="mismatch"
            )
        if domain.isActive() and self._wake(domain):
            return
        self._report(f"start {domain.name()}")
        self._task.go_on()
        try:
            if domain.hasManagedSaveImage(0):
                # It would restore the nics of the time when it was saved.
                domain.managedSaveRemove(0)
            domain.create()
        except self._libvirt.libvirtError as error:
            raise DeviceError(
                f"{domain.name()} could not be started: {error}. Its bridges and disks must be "
                "there; see its log in /var/log/libvirt/qemu, then apply again.",
                reason="refused",
            ) from error

    def _wake(self, domain: Any) -> bool:
        """Let an active domain run; return false if it had to be switched off.

        A crashed domain is kept at most for its memory to be examined, so it is switched off.
        """
        condition = condition_of(self._libvirt, domain)
        if condition is None:
            return True
        self._report(f"resume {domain.name()}, which is {condition}")
        self._task.go_on()
        if condition == "paused":
            domain.resume()
            return True
        if condition == "suspended":
            domain.pMWakeup(0)
            return True
        self._switch_off(domain)
        return False

    def stop(self, change: SetHeadnodePower, grace: float) -> None:
        """Stop the domain if it runs: request a shutdown, switch it off after ``grace`` seconds."""
        domain = self._get(change.headnode, change.uuid)
        if not domain.isActive():
            if domain.hasManagedSaveImage(0):
                self._task.go_on()
                domain.managedSaveRemove(0)
            return
        self._report(f"stop {domain.name()}")
        if not self._shut_down(domain, grace):
            self._switch_off(domain)

    def _shut_down(self, domain: Any, grace: float) -> bool:
        deadline = time.monotonic() + grace
        self._task.go_on()
        try:
            domain.shutdown()
        except self._libvirt.libvirtError:
            return not domain.isActive()  # e.g. the guest is paused and cannot react
        while domain.isActive():
            if time.monotonic() >= deadline:
                return False
            self._task.pause(POLL_SECONDS)
        return True

    def _switch_off(self, domain: Any) -> None:
        self._task.go_on()
        try:
            domain.destroy()
        except self._libvirt.libvirtError:
            if domain.isActive():  # else it stopped by itself at this moment
                raise

    # --- deleting ---------------------------------------------------------------------------------

    def delete(self, change: DeleteHeadnode) -> None:
        """Delete the domain and its overlays, if they exist.

        The domain is deleted last, because it contains the list of its overlays.
        """
        domain = self._find(change.uuid)
        if domain is None:
            return
        mark = self._mark(domain, change.headnode)
        self._report(f"delete {domain.name()} and its overlays")
        if domain.isActive():
            self._switch_off(domain)
        for path in mark.overlays:
            if posixpath.basename(path).startswith(domain_xml.domain_name(change.headnode)):
                self._storage.delete(path)
        self._undefine(domain)
        self._remove_older_copies()

    def _undefine(self, domain: Any) -> None:
        basic = (
            self._libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
            | self._libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
        )
        of_qemu = (
            self._libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
            | self._libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
        )
        self._task.go_on()
        try:
            domain.undefineFlags(basic | of_qemu)
        except self._libvirt.libvirtError as error:
            if error.get_error_code() != self._libvirt.VIR_ERR_INVALID_ARG:
                raise
            domain.undefineFlags(basic)  # the hypervisor supports neither of the two

    # --- reading ----------------------------------------------------------------------------------

    def taps(self, change: HeadnodeChange) -> list[Tap]:
        """Return the taps of a running headnode's nics that are on the bridges of networks.

        Nics that HaaS did not create are left out.
        """
        domain = self._find(change.uuid)
        if domain is None or not domain.isActive():
            return []
        # Nics that were plugged in while the domain runs are in the inactive XML's mark only.
        mark = domain_xml.read_mark(domain.XMLDesc(self._libvirt.VIR_DOMAIN_XML_INACTIVE))
        if mark is None:
            return []
        return [
            Tap(one.tap, one.mac, one.bridge)
            for one in domain_xml.read_interfaces(domain.XMLDesc(0))
            if one.tap and one.bridge and one.mac in mark.nic_names and self._vlan_of(one.bridge)
        ]

    def observe(self, change: HeadnodeChange) -> HeadnodeSeen:
        """Read the state of a headnode, as :meth:`LibvirtDriver.observe` describes."""
        domain = self._find(change.uuid)
        if domain is None:
            return HeadnodeSeen(defined=False)
        inactive = domain.XMLDesc(self._libvirt.VIR_DOMAIN_XML_INACTIVE)
        mark = domain_xml.read_mark(inactive)
        if mark is None:
            return HeadnodeSeen(defined=False)
        if not mark.ready:
            # A half-created domain counts as absent, except when it is being deleted.
            return HeadnodeSeen(defined=isinstance(change, DeleteHeadnode))
        interfaces = domain_xml.read_interfaces(inactive)
        nics = {nic for one in interfaces for nic in self._nics_seen(one, mark)}
        active = bool(domain.isActive())
        if active:
            live = domain_xml.read_interfaces(domain.XMLDesc(0))
            plugged = [one for one in live if not self._nics.is_parked(one)]
            nics |= {nic for one in plugged for nic in self._nics_seen(one, mark)}
            present = {one.mac for one in plugged}
            missing = [one.mac for one in interfaces if one.mac not in present]
            nics |= {HeadnodeNic(mark.name_of(mac), mac, 0) for mac in missing}
        added = additions.added(inactive, mark.devices)
        if active:
            added += additions.added(domain.XMLDesc(0), mark.devices)
        condition = condition_of(self._libvirt, domain)
        running = active and condition is None
        return HeadnodeSeen(True, running, tuple(sorted(nics)), condition, additions.phrases(added))

    def _nics_seen(self, interface: Interface, mark: Mark) -> Iterator[HeadnodeNic]:
        name = mark.name_of(interface.mac)
        yield HeadnodeNic(name, interface.mac, self._vlan_of(interface.bridge))
        if not interface.link_up or interface.isolated:
            yield HeadnodeNic(name, interface.mac, 0)

    def _vlan_of(self, bridge: str | None) -> int:
        digits = "" if bridge is None else bridge[len(bridge.rstrip("0123456789")) :]
        if digits and self._bridge_name(int(digits)) == bridge:
            return int(digits)
        return 0

    def found(self) -> list[FoundHeadnode]:
        """Return all domains that are marked as headnodes, half-created ones as well."""
        flags = self._libvirt.VIR_DOMAIN_XML_INACTIVE
        marks = [
            (domain.UUIDString(), domain_xml.read_mark(domain.XMLDesc(flags)))
            for domain in self._connection.listAllDomains()
        ]
        return sorted(
            FoundHeadnode(mark.headnode, uuid) for uuid, mark in marks if mark is not None
        )

    # --- finding ----------------------------------------------------------------------------------

    def _get(self, headnode: str, uuid: str) -> Any:
        domain = self._find(uuid)
        if domain is None:
            raise DeviceError(
                f"The domain {domain_xml.domain_name(headnode)} is gone from {self._uri}: apply "
                "again to have it made anew.",
                reason="missing",
            )
        self._mark(domain, headnode)
        return domain

    def _mark(self, domain: Any, headnode: str) -> Mark:
        """Return the mark of HaaS in the domain; refuse a domain that is not ours."""
        mark = domain_xml.read_mark(domain.XMLDesc(self._libvirt.VIR_DOMAIN_XML_INACTIVE))
        if mark is None or mark.headnode != headnode:
            raise DeviceError(
                f"The domain {domain.name()} on {self._uri} has the UUID of headnode {headnode}, "
                "but HaaS did not make it: remove it (virsh undefine), then apply again.",
                reason="refused",
            )
        return mark

    def _find(self, uuid: str) -> Any:
        return self._lookup(self._connection.lookupByUUIDString, uuid)

    def _lookup(self, find: Callable[[str], Any], key: str) -> Any:
        return lookup(self._libvirt, (self._libvirt.VIR_ERR_NO_DOMAIN,), find, key)
