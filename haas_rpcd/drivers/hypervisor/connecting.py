"""Opens connections to a libvirt, and describes one that cannot be reached."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from haas_rpcd.errors import DeviceError, UnavailableError

Reach = Callable[[], Awaitable[str]]
"""Returns the URI by which this process reaches a libvirt. Raises DeviceError."""


def unreachable(uri: str, error: Exception) -> DeviceError:
    """Return the error about a libvirt that cannot be reached."""
    advice = (
        "Start it (systemctl start libvirtd), and see that haas-rpcd's user may use it (group "
        "libvirt)."
    )
    if urlsplit(uri).scheme.endswith("+tls"):
        advice = (
            "See that it listens there (systemctl start libvirtd-tls.socket), and that "
            "haas-rpcd's user can read the client's certificate and key."
        )
    return DeviceError(
        f"libvirt on {uri} cannot be reached: {error}. {advice}", reason="unreachable"
    )


def is_lost(libvirt: Any, connection: Any, error: Any) -> bool:
    """Return whether a connection can't be used any more after this libvirtError."""
    return error.get_error_domain() == libvirt.VIR_FROM_RPC or not connection.isAlive()


def load_libvirt() -> Any:
    """Import libvirt's binding, which is an extra, and keep it from printing on stderr.

    Raises UnavailableError, which says how to install it.
    """
    try:
        import libvirt
    except ImportError as error:
        raise UnavailableError(
            "the libvirt driver is not installed: run  "
            "apt-get install libvirt-dev pkg-config gcc python3-dev  and then  "
            "pip install 'haas[libvirt]'"
        ) from error
    libvirt.registerErrorHandler(_print_nothing, None)
    return libvirt


def _print_nothing(context: None, error: tuple[Any, ...]) -> None:
    """Replace libvirt's handler, which prints errors that are raised as exceptions anyway."""
