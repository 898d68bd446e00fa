"""``haas-rpcd link-files``: keeps systemd-networkd and NetworkManager off the links of HaaS.

A network manager that matches every link would take DHCP leases, addresses and routes from tenants'
networks. The files name exactly the trunk nic and the VLANs of the pool on it, so that the site's
own VLANs on the same nic stay with whoever manages them. They are in /run, because they follow from
haas.toml; haas-network.service writes them before the network managers start.

Sources: systemd.network(5), NetworkManager.conf(5).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from haas_rpcd import config, configfiles, streams
from haas_rpcd.config import ConfigError, Settings
from haas_rpcd.drivers.hostnet.link import vlan_link_name

DESCRIPTION = """\
Write files to /run that keep systemd-networkd and NetworkManager off the trunk nic and the VLANs
of the pool on it. haas-network.service does this before they start.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS)
    parser.add_argument(
        "--root", metavar="FOLDER", type=Path, default=Path("/"), help="write below this folder"
    )


def main(arguments: argparse.Namespace) -> int:
    """Write the files, or remove them if haas.toml has no [master]. Raises ConfigError, OSError."""
    path = Path(arguments.config or config.DEFAULT_PATH)
    for name, text in files(configfiles.load(path), path).items():
        file = arguments.root / name
        if not text:
            file.unlink(missing_ok=True)
            continue
        _make_folder(file.parent)
        file.write_text(text)
        file.chmod(0o644)
    return 0


def _make_folder(folder: Path) -> None:
    """Make a folder that systemd-networkd, which is not root, can enter despite our umask."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir()
        folder.chmod(0o755)


def files(settings: Settings, path: Path) -> dict[str, str]:
    """Return the text of each file, by its path; empty if it should not exist."""
    links = _links(settings)
    header = f"# Written by haas-rpcd link-files from {path}.\n"
    networkd = f"{header}[Match]\nName={' '.join(links)}\n\n[Link]\nUnmanaged=yes\n"
    names = ",".join(f"interface-name:{link}" for link in links)
    # Not [keyfile] unmanaged-devices, which a file of the site would replace.
    manager = f"{header}[device-haas-trunk]\nmatch-device={names}\nmanaged=0\n"
    return {
        "run/systemd/network/05-haas-trunk.network": networkd if links else "",
        "run/NetworkManager/conf.d/05-haas-trunk.conf": manager if links else "",
    }


def _links(settings: Settings) -> list[str]:
    if settings.master is None:
        return []
    trunk = settings.master.trunk_nic
    return [trunk, *(vlan_link_name(trunk, vlan) for vlan in settings.pool)]


def run() -> int:
    """Run the subcommand alone, without what the daemon imports: a boot waits for it."""
    parser = argparse.ArgumentParser(prog="haas-rpcd link-files", description=DESCRIPTION)
    parser.set_defaults(config=None)
    add_arguments(parser)
    try:
        return main(parser.parse_args())
    except (ConfigError, OSError) as error:
        streams.say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(run())
