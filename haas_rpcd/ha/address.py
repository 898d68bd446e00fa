"""The address that moves with the master, so that users find the one that serves."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import socket
import struct
from collections.abc import AsyncIterator

from pyroute2 import AsyncIPRoute
from pyroute2.netlink.exceptions import NetlinkError

from haas_rpcd.hasettings import HaSettings

log = logging.getLogger(__name__)

EXISTS, ABSENT = 17, 99  # errno: EEXIST, EADDRNOTAVAIL


@contextlib.asynccontextmanager
async def held_address(settings: HaSettings) -> AsyncIterator[None]:
    """Hold the address within the block, and announce it to the neighbours. Raises OSError."""
    if settings.address is None or settings.interface is None:
        yield
        return
    await _change("add", settings.address, settings.interface)
    _announce(settings.address, settings.interface)
    log.info("%s is on %s", settings.address, settings.interface)
    try:
        yield
    finally:
        await drop_address(settings)


async def drop_address(settings: HaSettings) -> None:
    """Take the address away if it is there: a former master that died has left it."""
    if settings.address is not None and settings.interface is not None:
        await _change("del", settings.address, settings.interface)


async def _change(how: str, address: str, interface: str) -> None:
    network = ipaddress.ip_interface(address)
    async with AsyncIPRoute() as route:
        try:
            index = socket.if_nametoindex(interface)
            await route.addr(how, index=index, address=str(network.ip), prefixlen=_length(network))
        except NetlinkError as error:
            if error.code not in (EXISTS, ABSENT):
                raise OSError(
                    error.code, f"[ha] address: {address} on {interface}: {error}"
                ) from None
        except OSError as error:
            raise OSError(error.errno, f"[ha] interface: {interface}: {error.strerror}") from None


def _length(network: ipaddress.IPv4Interface | ipaddress.IPv6Interface) -> int:
    return network.network.prefixlen


def _announce(address: str, interface: str) -> None:
    """Send a gratuitous ARP (RFC 5227, section 3), so that neighbours forget the former master.

    Neighbours of an IPv6 address learn it by the kernel's own advertisement, or by asking again.
    """
    ip = ipaddress.ip_interface(address).ip
    if ip.version == 6:
        return
    with (
        contextlib.suppress(OSError),  # without CAP_NET_RAW neighbours notice a minute later
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw,
    ):
        raw.bind((interface, 0))
        mac = raw.getsockname()[4]
        every = b"\xff" * 6
        ethernet = every + mac + struct.pack("!H", 0x0806)
        arp = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + ip.packed + every + ip.packed
        raw.send(ethernet + arp)
