"""The types of names, ids and addresses: what each must look like, and how to say so."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

_NAME = r"[a-z0-9][a-z0-9.-]{0,62}"

NAME_RULE = "1 to 63 of a-z 0-9 . - starting with a letter or digit"

Name = Annotated[str, Meta(pattern=rf"^{_NAME}\Z", description=f"A name: {NAME_RULE}.")]
UserName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}\Z",
        description="An OS user's name: letters, digits, _ . - and at most 63 of them.",
    ),
]
NetworkName = Annotated[
    str,
    Meta(
        pattern=rf"^({_NAME}/)?{_NAME}\Z",
        description="A network's name, or owner/network for one that another project shares.",
    ),
]
PortName = Annotated[
    str,
    Meta(
        # A space is allowed only before a number: switches with a shell take port names as command
        # arguments, where text after a space would be another argument.
        pattern=r"^(?:[A-Za-z-]{1,32} (?=\d))?[A-Za-z0-9][A-Za-z0-9/._:-]{0,62}\Z",
        description="A port's name as the switch writes it, e.g. Gi1/0/1 or ethernet 1/1/1.",
    ),
]
NicName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z",
        description="A nic's name within its node, e.g. primary-nic.",
    ),
]
Tag = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._=-]{0,62}\Z", description="A tag, e.g. gpu.")]
Mac = Annotated[
    str,
    Meta(
        pattern=r"^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}\Z",
        description="A MAC address, e.g. 52:54:00:12:34:56.",
    ),
]
VlanId = Annotated[int, Meta(ge=2, le=4094, description="An 802.1q VLAN id of the pool.")]
Host = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z0-9:][A-Za-z0-9.:_%-]{0,254}\Z", description="Host name or IP address."),
]
TcpPort = Annotated[int, Meta(ge=1, le=65535, description="A TCP port.")]
BmcSystem = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9._:-]{1,100}\Z",
        description="The Id of the node's system, if a Redfish service has several.",
    ),
]
Fingerprint = Annotated[
    str,
    Meta(
        pattern=r"^SHA256:[A-Za-z0-9+/]{43}=?\Z",
        description="A host key's fingerprint as ssh-keygen -l writes it, e.g. SHA256:Zm9v….",
    ),
]
LibvirtUri = Annotated[
    str,
    Meta(
        pattern=r"^[a-z]+(\+[a-z]+)?://[!-~]{1,240}\Z",
        description="libvirt's URI, e.g. qemu+ssh://haas@hv2.example/system.",
    ),
]
TrunkNic = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,14}\Z",
        description="The host's nic on a trunk port, e.g. eth0.",
    ),
]
SshPlace = Annotated[
    str,
    Meta(
        max_length=255,
        description="[USER@]HOST[:PORT] of SSH, by which its network is configured.",
    ),
]
JobId = Annotated[int, Meta(ge=1, le=2**53 - 1, description="A job's number.")]
Limit = Annotated[int, Meta(ge=1, le=1000, description="At most so many records, 1 to 1000.")]
