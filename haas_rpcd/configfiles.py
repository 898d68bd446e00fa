"""Reads ``haas.toml`` and the credentials file. Errors name the file and the key."""

from __future__ import annotations

import grp
import stat
import tomllib
from ipaddress import ip_interface
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from haas_rpcd.config import RESERVED_VLANS, ConfigError, Credential, Server, Settings
from haas_rpcd.listen import is_loopback, listen_address, overlap
from haas_rpcd.mistakes import explain

T = TypeVar("T")


def load(path: Path) -> Settings:
    """Read and check ``haas.toml``. Raises ConfigError."""
    settings = _convert(_read_toml(path), Settings, path)
    try:
        pool = settings.pool
    except ValueError as error:
        raise ConfigError(f"{path}: [vlans] pool: {error}.") from None
    if reserved := RESERVED_VLANS & set(pool):
        raise ConfigError(
            f"{path}: [vlans] pool has {min(reserved)}, which it must not: 1 is the default VLAN"
            " and 1002-1005 are reserved by Cisco."
        )
    server = settings.server
    if server.admin_group is not None and not _is_group(server.admin_group):
        raise ConfigError(
            f"{path}: [server] admin_group: there is no group {server.admin_group} on this system:"
            f" create it with  groupadd {server.admin_group}"
        )
    _check_listen(server, path)
    _check_metrics(settings, path)
    _check_ha(settings, path)
    if settings.release.command and not settings.release.command[0].startswith("/"):
        raise ConfigError(f"{path}: [release] command: name the program by its full path.")
    return settings


def _check_ha(settings: Settings, path: Path) -> None:
    ha = settings.ha
    if ha.replica is not None and settings.store.path == ":memory:":
        raise ConfigError(f"{path}: [ha] wants a database in a file: set [store] path.")
    if not ha.on:
        return
    if ha.replica is None:
        raise ConfigError(
            f"{path}: [ha] replica: say where commits are copied to, so that the other master can"
            " go on with them, e.g. sftp://haas@witness/srv/haas."
        )
    if bool(ha.etcd_cert) != bool(ha.etcd_key):
        raise ConfigError(f"{path}: [ha] etcd_cert and etcd_key go together: set both.")
    if bool(ha.address) != bool(ha.interface):
        raise ConfigError(f"{path}: [ha] address and interface go together: set both.")
    try:
        ip_interface(ha.address or "::")
    except ValueError as error:
        raise ConfigError(f"{path}: [ha] address: {error}.") from None
    for url in ha.etcd:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise ConfigError(f"{path}: [ha] etcd: {url} is not a URL such as https://a:2379.")


def _check_metrics(settings: Settings, path: Path) -> None:
    listen = settings.metrics.listen
    if listen is None:
        return
    server = settings.server.listen
    try:
        taken = server is not None and overlap(listen, server)
        listen_address(listen)
    except ValueError as error:
        raise ConfigError(f"{path}: [metrics] listen: {error}.") from None
    if taken:
        raise ConfigError(
            f"{path}: [metrics] listen: {listen} is where [server] listens"
            f" ({server}): give one of them another port."
        )


def _check_listen(server: Server, path: Path) -> None:
    files = (server.tls_cert, server.tls_key)
    if server.tls_client_crl and not server.tls_client_ca:
        raise ConfigError(f"{path}: [server] tls_client_crl needs tls_client_ca: set it as well.")
    if server.listen is None:
        if any(files) or server.tls_client_ca:
            raise ConfigError(f"{path}: [server] tls_cert is for TCP: set listen as well.")
        return
    try:
        host, _ = listen_address(server.listen)
    except ValueError as error:
        raise ConfigError(f"{path}: [server] listen: {error}.") from None
    if all(files):
        return
    if any(files) or server.tls_client_ca:
        raise ConfigError(f"{path}: [server] tls_cert and tls_key go together: set both.")
    if not is_loopback(host):
        raise ConfigError(
            f"{path}: [server] listen: {server.listen} is not on loopback, so it needs TLS: set"
            " tls_cert and tls_key."
        )


def _is_group(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True


def load_credentials(path: Path) -> dict[str, Credential]:
    """Read the credentials file. A missing file has no entries. Raises ConfigError.

    A file that others can read is refused: it holds passwords.
    """
    if not path.exists():
        return {}
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise ConfigError(f"{path} holds passwords and has mode {mode:04o}: run  chmod 600 {path}")
    return _convert(_read_toml(path), dict[str, Credential], path)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"There is no file {path}; name another with --config FILE.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} can't be read: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}.") from None


def _convert(data: object, kind: type[T], path: Path) -> T:
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        # never quotes the value, which may be a password
        raise ConfigError(f"{path}: {explain(error, kind, data)}") from None
