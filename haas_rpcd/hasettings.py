"""``[ha]`` of haas.toml: how two masters share a site."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from haas_schemas.names import Name


class HaSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[ha]``: the other master takes over when this one is gone.

    Without ``etcd`` there is no other one; with ``replica`` alone the database is copied still.
    """

    etcd: Annotated[
        tuple[str, ...],
        Meta(
            description="Client URLs of the members of etcd; three of them outlive the loss of one."
        ),
    ] = ()
    etcd_ca: Annotated[
        str | None, Meta(description="PEM file: who signed etcd's certificates.")
    ] = None
    etcd_cert: Annotated[str | None, Meta(description="PEM file: our certificate for etcd.")] = None
    etcd_key: Annotated[str | None, Meta(description="PEM file: its private key.")] = None
    replica: Annotated[
        str | None,
        Meta(
            description="Where commits are copied to: a URL of Litestream that both masters reach,"
            " such as sftp://haas@witness/srv/haas. Without etcd: for the case of a disaster."
        ),
    ] = None
    replica_options: Annotated[
        dict[str, str | bool | int],
        Meta(description="More of Litestream's options for it, such as key-path."),
    ] = {}
    litestream: Annotated[
        str | None,
        Meta(description="The program Litestream; by default the one beside haas-rpcd or in PATH."),
    ] = None
    site: Annotated[Name, Meta(description="The same for both masters, and for no other site.")] = (
        "haas"
    )
    name: Annotated[str | None, Meta(description="This master's name; by default the host's.")] = (
        None
    )
    address: Annotated[
        str | None,
        Meta(description="An address that moves with the master, with its length: 10.0.0.5/24."),
    ] = None
    interface: Annotated[
        str | None, Meta(description="The interface of the master that gets it.")
    ] = None
    ttl: Annotated[
        int, Meta(ge=2, le=120, description="Seconds of silence after which a master is replaced.")
    ] = 10
    refresh: Annotated[
        float,
        Meta(
            ge=0.5,
            le=30,
            description="Seconds between the standby's checks for newer data.",
        ),
    ] = 5.0

    @property
    def on(self) -> bool:
        """True if another master may take over."""
        return bool(self.etcd)

    @property
    def program(self) -> str:
        """The program Litestream: as named, or where the extra ``ha`` installs it."""
        beside = Path(sys.executable).with_name("litestream")
        return self.litestream or (str(beside) if beside.exists() else "litestream")

    @property
    def own_address(self) -> str | None:
        """The address that moves with the master, without its length."""
        return None if self.address is None else self.address.partition("/")[0]

    @property
    def own_name(self) -> str:
        """This master's name."""
        return self.name or socket.gethostname()
