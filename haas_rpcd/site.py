"""The site file: the inventory as TOML, to keep under version control or to move to another daemon.

It contains what admins register: users, projects with their members, switches with their ports,
nodes with their nics. A second file, of ``site export --tenants``, contains what tenants hold and
have staged; it is read once the ports of the nodes are confirmed parked. Neither contains secrets:
a switch refers to an entry of the credentials file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import tomli_w

from haas_rpcd.errors import InvalidParamsError
from haas_rpcd.nicplug import NicPlug
from haas_schemas.bmc import BmcProtocol
from haas_schemas.names import (
    BmcSystem,
    Fingerprint,
    Host,
    LibvirtUri,
    Name,
    NetworkName,
    NicName,
    PortName,
    SshPlace,
    Tag,
    TcpPort,
    TrunkNic,
    UserName,
    VlanId,
)
from haas_schemas.project import MemberRole
from haas_schemas.switch import TransportName

HEADER = "# HaaS site file: made by  site export, read by  site import\n\n"


class SiteUser(msgspec.Struct, forbid_unknown_fields=True):
    """``[users.NAME]``."""

    admin: bool = False


class SiteProject(msgspec.Struct, forbid_unknown_fields=True):
    """``[projects.NAME]``: its members, by role."""

    members: list[UserName] = []
    owners: list[UserName] = []
    readers: list[UserName] = []

    @property
    def roles(self) -> dict[str, MemberRole]:
        """The role of each member; of a user who is listed twice, the higher one."""
        lists: tuple[tuple[list[UserName], MemberRole], ...] = (
            (self.readers, "reader"),
            (self.members, "member"),
            (self.owners, "owner"),
        )
        return {user: role for users, role in lists for user in users}


def site_project(roles: Mapping[str, MemberRole]) -> SiteProject:
    """Return a project as it is written in a site file."""
    by_role: dict[str, list[UserName]] = {"member": [], "owner": [], "reader": []}
    for user, role in sorted(roles.items()):
        by_role[role].append(user)
    return SiteProject(by_role["member"], by_role["owner"], by_role["reader"])


class SiteEnd(msgspec.Struct, forbid_unknown_fields=True):
    """``[switches.NAME.links.PORT]``: the trunk port, or the hypervisor, that one leads to."""

    switch: Name | None = None
    port: PortName | None = None
    hypervisor: Name | None = None


class SiteSwitch(msgspec.Struct, forbid_unknown_fields=True):
    """``[switches.NAME]``; ``access`` and ``trunk`` list its ports by role.

    ``port`` defaults to the transport's (23 or 22). ``links`` says what trunk ports lead to; one
    end of a cable is enough. What is not listed stays as it is.
    """

    dialect: str
    host: Host
    port: TcpPort | None = None
    transport: TransportName = "telnet"
    credential: Name | None = None
    options: dict[str, Any] = {}
    access: list[PortName] = []
    trunk: list[PortName] = []
    links: dict[PortName, SiteEnd] = {}


class SiteBmc(msgspec.Struct, forbid_unknown_fields=True):
    """``[nodes.NAME.bmc]`` or ``[hypervisors.NAME.bmc]``.

    ``port`` defaults to the protocol's (623 or 443).
    """

    protocol: BmcProtocol
    host: Host
    port: TcpPort | None = None
    credential: Name | None = None
    system: BmcSystem | None = None
    fingerprint: Fingerprint | None = None


class SiteNode(msgspec.Struct, forbid_unknown_fields=True):
    """``[nodes.NAME]``."""

    tags: list[Tag] = []
    nics: dict[NicName, NicPlug] = {}
    bmc: SiteBmc | None = None


class SiteHypervisor(msgspec.Struct, forbid_unknown_fields=True):
    """``[hypervisors.NAME]``: all but the master, which haas.toml describes."""

    uri: LibvirtUri
    trunk_nic: TrunkNic
    ssh: SshPlace | None = None
    credential: Name | None = None
    bmc: SiteBmc | None = None


class TenantNetwork(msgspec.Struct, forbid_unknown_fields=True):
    """``[tenants.PROJECT.networks.NAME]``; without ``vlan``, an id of the pool."""

    vlan: VlanId | None = None
    shared_with: list[Name] = []


class TenantNic(msgspec.Struct, forbid_unknown_fields=True):
    """``[tenants.PROJECT.nodes.NAME.nics.NAME]``: the networks staged on it."""

    network: NetworkName | None = None
    tagged: list[NetworkName] = []


class TenantNode(msgspec.Struct, forbid_unknown_fields=True):
    """``[tenants.PROJECT.nodes.NAME]``: a node that the project holds, for ever or ``until``."""

    until: str | None = None
    nics: dict[NicName, TenantNic] = {}


class TenantHeadnode(msgspec.Struct, forbid_unknown_fields=True):
    """``[tenants.PROJECT.headnodes.NAME]``: its nics with the network of each."""

    image: str = "base-headnode"
    hypervisor: Name = "master"
    running: bool = True
    nics: dict[NicName, NetworkName] = {}


class Tenant(msgspec.Struct, forbid_unknown_fields=True):
    """``[tenants.PROJECT]``: what a project holds and has staged. ``quota``: by noun."""

    quota: dict[Literal["nodes", "networks", "headnodes"], int] = {}
    networks: dict[Name, TenantNetwork] = {}
    nodes: dict[Name, TenantNode] = {}
    headnodes: dict[Name, TenantHeadnode] = {}


class Site(msgspec.Struct, forbid_unknown_fields=True):
    """A whole site file. Every table is optional."""

    users: dict[UserName, SiteUser] = {}
    projects: dict[Name, SiteProject] = {}
    switches: dict[Name, SiteSwitch] = {}
    hypervisors: dict[Name, SiteHypervisor] = {}
    nodes: dict[Name, SiteNode] = {}
    tenants: dict[Name, Tenant] = {}


def parse(text: str) -> Site:
    """Parse a site file. Raises InvalidParamsError naming the line or the key."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidParamsError(f"site: not TOML: {error}.", field="site") from None
    except RecursionError:
        raise InvalidParamsError("site: not TOML: it is nested too deeply.", field="site") from None
    return convert(data)


def convert(data: Any) -> Site:
    """Convert a site given as an object. Raises InvalidParamsError naming the key."""
    try:
        return msgspec.convert(data, Site)
    except msgspec.ValidationError as error:
        raise InvalidParamsError(f"site: {error}.", field="site") from None


def render(site: Site) -> str:
    """Return the text of a site file. The same inventory always gives the same bytes."""
    return HEADER + tomli_w.dumps(_without_defaults(site))


def _without_defaults(value: Any) -> Any:
    """Return plain values, without fields that have their default value.

    msgspec's own ``omit_defaults`` compares by identity, which a string read from the database
    never passes.
    """
    if isinstance(value, dict):
        return {key: _without_defaults(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_defaults(item) for item in value]
    if not isinstance(value, msgspec.Struct):
        return value
    return {
        field.encode_name: _without_defaults(getattr(value, field.name))
        for field in msgspec.structs.fields(value)
        if getattr(value, field.name) != _default(field)
    }


def _default(field: msgspec.structs.FieldInfo) -> Any:
    made = field.default_factory
    return made() if made is not msgspec.NODEFAULT else field.default
