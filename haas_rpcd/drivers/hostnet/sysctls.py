"""The settings below ``/proc/sys/net`` that keep the master's own IP off an interface.

Source: the documentation of Linux (``Documentation/networking/ip-sysctl``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from haas_rpcd.errors import DeviceError

SYSCTLS = Path("/proc/sys/net")

NO_IP = {
    "ipv6/conf/{}/disable_ipv6": "1",
    "ipv6/conf/{}/accept_ra": "0",
    "ipv4/conf/{}/forwarding": "0",
    "ipv4/conf/{}/rp_filter": "1",
    "ipv4/conf/{}/arp_ignore": "8",
}
"""Settings of an interface that only carries tenants' frames.

The filters (:mod:`haas_rpcd.drivers.hostnet.filters`) drop frames before the master's IP stack sees
them. These settings are a second line of defence. Linux answers for all its addresses on every
interface, and accepts addresses and routes from IPv6 router advertisements. ``rp_filter`` 1 drops
packets whose sender is not routed over this interface; without addresses, that is every packet.
``arp_ignore`` 8 answers no ARP request. With CAP_NET_ADMIN these files can be written without being
root.
"""

NO_IPV6 = {name: value for name, value in NO_IP.items() if name.startswith("ipv6")}
"""Settings of the trunk nic, on which nothing is done with IPv6."""

NO_ADVERTISEMENTS = {"ipv6/conf/{}/accept_ra": "0"}
"""Settings of a trunk nic on which an administrator has put an IPv6 address."""


def has_ipv6() -> bool:
    """Return whether the kernel has IPv6. Without it, it refuses settings of IPv6."""
    return (SYSCTLS / "ipv6").is_dir()


def line(template: str, name: str, value: str) -> str:
    """Return the line that makes a setting by hand."""
    # With slashes, because a dot in an interface's name would split it in two.
    return f"sysctl -w net/{template.format(name)}={value}"


def wrong(name: str, settings: Mapping[str, str] = NO_IP) -> list[tuple[str, str]]:
    """Return the settings of an interface that are not as given, with their present values.

    A kernel without IPv6 needs no setting of it.
    """
    found = []
    for template, value in settings.items():
        try:
            present = (SYSCTLS / template.format(name)).read_text().strip()
        except OSError:
            continue
        if present != value:
            found.append((template, present))
    return found


def keep_ip_off(name: str, settings: Mapping[str, str] = NO_IP) -> list[str]:
    """Make these settings of an interface; return the lines of what was changed.

    Raises DeviceError if a setting cannot be written. The interface must not come up then.
    """
    written = []
    for template, value in settings.items():
        path = SYSCTLS / template.format(name)
        try:
            if path.read_text().strip() != value:
                path.write_text(value)
                written.append(line(template, name, value))
        except FileNotFoundError:
            continue  # a kernel without IPv6
        except OSError as error:
            raise DeviceError(
                f"The master's own IP cannot be kept off {name}: writing {value} to {path} failed "
                f"({error.strerror}). haas-rpcd needs CAP_NET_ADMIN and a writable /proc/sys/net "
                "(no ProtectKernelTunables= in its systemd unit).",
                reason="refused",
            ) from error
    return written
