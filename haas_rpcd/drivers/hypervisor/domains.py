"""What is done to a headnode's domain, call by call. Everything here blocks, in a worker's thread.

Errors of libvirt that a person can do something about are turned into sentences here; the rest
pass, and the driver says what libvirt said.
"""

from __future__ import annotations

import posixpath
import time
from collections.abc import Callable, Iterator
from typing import Any

from haas_rpcd.drivers import Report
from haas_rpcd.drivers.hypervisor import domain_xml
from haas_rpcd.drivers.hypervisor.domain_xml import Interface, Mark
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

POLL_SECONDS = 0.1
"""How often a domain that shuts down is looked at."""


class Domains:
    """The headnodes' domains on one connection, for the length of one task."""

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
    ) -> None:
        self._libvirt = libvirt
        self._connection = connection
        self._uri = uri
        self._bridge_name = bridge_name
        self._parking_bridge = parking_bridge
        self._task = task
        self._report = report
        self._storage = Storage(libvirt, connection, task.go_on)

    # --- defining ---------------------------------------------------------------------------------

    def define(self, change: DefineHeadnode) -> bool:
        """Make the clone, or finish one that was begun; return false if it was there already.

        The domain is defined before its overlays are made, marked as not ready, and marked ready
        after: so whatever is half made when the daemon dies is known to libvirt, is found again,
        and can be finished or deleted.
        """
        found = self._find(change.uuid)
        if found is not None and self._mark(found, change.headnode).ready:
            return False
        self._refuse_taken_name(change)
        self._clone(change)
        return True

    def _clone(self, change: DefineHeadnode) -> None:
        base_xml = self._image(change.image).XMLDesc(self._libvirt.VIR_DOMAIN_XML_INACTIVE)
        bases = {
            disk.target: self._storage.locate(change.image, disk)
            for disk in domain_xml.disks_to_overlay(base_xml)
        }
        overlays = {
            target: posixpath.join(base.folder, domain_xml.overlay_name(change.headnode, target))
            for target, base in bases.items()
        }
        variables = self._variables(base_xml)
        own_variables = variables and domain_xml.variables_path(change.headnode, variables)
        xml = domain_xml.clone(
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
        for nic in change.nics:
            self._report(f"attach {nic.nic} {nic.mac} to {self._bridge_name(nic.vlan)}")

    def _variables(self, base_xml: str) -> str | None:
        """Return the path of the base's UEFI variables, in which stands what it boots from."""
        path = domain_xml.nvram_path(base_xml)
        return path if path is not None and self._storage.has_file(path) else None

    def _image(self, image: str) -> Any:
        base = self._lookup(self._connection.lookupByName, image)
        if base is None:
            raise DeviceError(
                f"There is no domain {image} on {self._uri}: define the base image there (virsh "
                "define), or create the headnode from another image.",
                reason="missing",
            )
        if base.isActive():
            raise DeviceError(
                f"The domain {image} on {self._uri} is running; shut it down (virsh shutdown "
                f"{image}), as clones of a running machine's disk would be corrupt.",
                reason="refused",
            )
        if base.hasManagedSaveImage(0):
            raise DeviceError(
                f"The domain {image} on {self._uri} was saved while it ran, and its disk is not "
                f"whole without its memory: start it and shut it down (virsh start {image}; virsh "
                f"shutdown {image}).",
                reason="refused",
            )
        return base

    def _refuse_taken_name(self, change: DefineHeadnode) -> None:
        name = domain_xml.domain_name(change.headnode)
        other = self._lookup(self._connection.lookupByName, name)
        if other is not None and other.UUIDString() != change.uuid.lower():
            raise DeviceError(
                f"There is another domain {name} on {self._uri} already (UUID "
                f"{other.UUIDString()}): rename or remove it (virsh undefine {name}), then apply "
                "again.",
                reason="refused",
            )

    def _define(self, xml: str) -> Any:
        self._task.go_on()
        return self._connection.defineXML(xml)

    # --- nics -------------------------------------------------------------------------------------

    def must_park(self, change: SetHeadnodeNics) -> bool:
        """Whether carrying out the change takes a nic off a running headnode."""
        domain = self._get(change.headnode, change.uuid)
        return bool(domain.isActive() and self._unwanted(domain, change.nics))

    def set_nics(self, change: SetHeadnodeNics) -> None:
        """Have the domain hold exactly these nics: first the live ones leave, then others join."""
        domain = self._get(change.headnode, change.uuid)
        running = domain.isActive()
        if running:
            for interface in self._unwanted(domain, change.nics):
                self._park(domain, interface)
        old = domain.XMLDesc(self._libvirt.VIR_DOMAIN_XML_INACTIVE)
        new = domain_xml.with_nics(old, change.nics, self._bridge_name)
        if self._persistent(old) != self._persistent(new):
            self._define(new)
        if running:
            self._join(domain, change.nics)
        else:
            self._say_what_differs(old, change.nics)

    def _unwanted(self, domain: Any, nics: tuple[HeadnodeNic, ...]) -> list[Interface]:
        wanted = {nic.mac.lower() for nic in nics}
        return [
            interface
            for interface in domain_xml.read_interfaces(domain.XMLDesc(0))
            if not self._is_parked(interface)
            and (interface.mac not in wanted or interface.bridge is None)
        ]

    def _park(self, domain: Any, interface: Interface) -> None:
        """Take a nic of a running headnode off its network, at once and whatever the guest does."""
        self._report(
            f"park {interface.mac} of {domain.name()}: link down, to {self._parking_bridge}"
        )
        try:
            self._update(domain, domain_xml.unplugged_interface_xml(interface))
            self._update(domain, domain_xml.parked_interface_xml(interface, self._parking_bridge))
        except self._libvirt.libvirtError as error:
            raise DeviceError(
                f"The nic {interface.mac} of {domain.name()} could not be taken off its network "
                f"while the headnode runs ({error}): stop the headnode, then apply again.",
                reason="refused",
            ) from error

    def _join(self, domain: Any, nics: tuple[HeadnodeNic, ...]) -> None:
        live_xml = domain.XMLDesc(0)
        live = {one.mac: one for one in domain_xml.read_interfaces(live_xml)}
        for nic in nics:
            bridge = self._bridge_name(nic.vlan)
            there = live.get(nic.mac.lower())
            if there is None:
                self._report(f"attach {nic.nic} {nic.mac} to {bridge}")
                self._attach(domain, domain_xml.new_interface_xml(nic, bridge, live_xml), nic)
            elif there.bridge != bridge or not there.link_up or there.isolated:
                self._report(f"move {nic.nic} {nic.mac} to {bridge}")
                self._update(domain, domain_xml.moved_interface_xml(there, bridge))

    def _update(self, domain: Any, xml: str) -> None:
        self._task.go_on()
        domain.updateDeviceFlags(xml, self._libvirt.VIR_DOMAIN_AFFECT_LIVE)

    def _attach(self, domain: Any, xml: str, nic: HeadnodeNic) -> None:
        self._task.go_on()
        try:
            domain.attachDeviceFlags(xml, self._libvirt.VIR_DOMAIN_AFFECT_LIVE)
        except self._libvirt.libvirtError as error:
            raise DeviceError(
                f"{nic.nic} could not be plugged into {domain.name()} while it runs ({error}): "
                "stop the headnode and start it again, and it has the nic.",
                reason="refused",
            ) from error

    def _persistent(self, xml: str) -> object:
        mark = domain_xml.read_mark(xml)
        nics = [(one.mac, one.bridge, one.link_up) for one in domain_xml.read_interfaces(xml)]
        return sorted(nics, key=str), mark

    def _say_what_differs(self, old_xml: str, nics: tuple[HeadnodeNic, ...]) -> None:
        old = {one.mac: one.bridge for one in domain_xml.read_interfaces(old_xml)}
        for mac in old.keys() - {nic.mac.lower() for nic in nics}:
            self._report(f"detach {mac}")
        for nic in nics:
            if old.get(nic.mac.lower()) != self._bridge_name(nic.vlan):
                self._report(f"attach {nic.nic} {nic.mac} to {self._bridge_name(nic.vlan)}")

    def _is_parked(self, interface: Interface) -> bool:
        return interface.bridge == self._parking_bridge and not interface.link_up

    # --- power ------------------------------------------------------------------------------------

    def start(self, change: SetHeadnodePower) -> None:
        """Start the domain if it does not run."""
        domain = self._get(change.headnode, change.uuid)
        if not self._mark(domain, change.headnode).ready:
            raise DeviceError(
                f"{domain.name()} is only half made: apply again to finish it.", reason="mismatch"
            )
        if domain.isActive():
            return
        self._report(f"start {domain.name()}")
        self._task.go_on()
        try:
            if domain.hasManagedSaveImage(0):
                # It would bring back the nics of the time when it was saved.
                domain.managedSaveRemove(0)
            domain.create()
        except self._libvirt.libvirtError as error:
            raise DeviceError(
                f"{domain.name()} could not be started: {error}. Its bridges and disks must be "
                "there; see its log in /var/log/libvirt/qemu, then apply again.",
                reason="refused",
            ) from error

    def stop(self, change: SetHeadnodePower, grace: float) -> None:
        """Stop the domain if it runs: ask it to, and switch it off after ``grace`` seconds."""
        domain = self._get(change.headnode, change.uuid)
        if not domain.isActive():
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
            return not domain.isActive()  # e.g. a paused guest: nobody is there to be asked
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
            if domain.isActive():  # else it went by itself in that very moment
                raise

    # --- deleting ---------------------------------------------------------------------------------

    def delete(self, change: DeleteHeadnode) -> None:
        """Delete the domain and the overlays that were made for it; gone already is fine.

        The domain goes last, because it knows which overlays are its own.
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
            domain.undefineFlags(basic)  # a hypervisor that has neither of the two

    # --- looking ----------------------------------------------------------------------------------

    def observe(self, change: HeadnodeChange) -> HeadnodeSeen:
        """Say what there is of a headnode; :meth:`LibvirtDriver.observe` says how it is meant."""
        domain = self._find(change.uuid)
        if domain is None:
            return HeadnodeSeen(defined=False)
        inactive = domain.XMLDesc(self._libvirt.VIR_DOMAIN_XML_INACTIVE)
        mark = domain_xml.read_mark(inactive)
        if mark is None:
            return HeadnodeSeen(defined=False)
        if not mark.ready:
            # Half of one is none, except to who wants it gone.
            return HeadnodeSeen(defined=isinstance(change, DeleteHeadnode))
        interfaces = domain_xml.read_interfaces(inactive)
        nics = {nic for one in interfaces for nic in self._nics_seen(one, mark)}
        running = bool(domain.isActive())
        if running:
            live = domain_xml.read_interfaces(domain.XMLDesc(0))
            plugged = [one for one in live if not self._is_parked(one)]
            nics |= {nic for one in plugged for nic in self._nics_seen(one, mark)}
            there = {one.mac for one in plugged}
            lacking = [one.mac for one in interfaces if one.mac not in there]
            nics |= {HeadnodeNic(mark.name_of(mac), mac, 0) for mac in lacking}
        return HeadnodeSeen(defined=True, running=running, nics=tuple(sorted(nics)))

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
        """Return what HaaS wrote into the domain; refuse to touch a domain that is not ours."""
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
        try:
            return find(key)
        except self._libvirt.libvirtError as error:
            if error.get_error_code() == self._libvirt.VIR_ERR_NO_DOMAIN:
                return None
            raise
