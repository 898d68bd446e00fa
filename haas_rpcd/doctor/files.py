"""Checks of files: credentials, TLS, the state directory, and the space on its disk."""

from __future__ import annotations

import datetime
import os
import socket
import ssl
import stat
from pathlib import Path

from haas_rpcd.config import ConfigError, Credential
from haas_rpcd.configfiles import load_credentials
from haas_rpcd.doctor.finding import Finding, World, fault, ok, warning
from haas_rpcd.drivers.switch.factory import SwitchFactory
from haas_rpcd.listen import is_loopback, listen_address
from haas_rpcd.mistakes import of_certificate

LOW_SPACE = 1 << 30
"""Bytes. Below this much free space, the database or an overlay may soon not be written."""

NO_SPACE = 100 << 20
"""Bytes. Below this much free space, SQLite and QEMU are about to fail."""

RENEW_DAYS = 30
"""A certificate that is valid for fewer days is reported."""


def configuration(world: World) -> list[Finding]:
    """Report what haas.toml leaves out, and whether the site's own dialects can be loaded."""
    findings = []
    if world.settings.master is None:
        findings.append(
            warning(
                f"{world.config} has no [master]: HaaS makes no bridges and no headnodes.",
                "name the nic on the switch's trunk port:  [master] trunk_nic = …",
            )
        )
    try:
        SwitchFactory(world.settings, dict)
    except ConfigError as error:
        findings.append(fault(str(error), "mend the file, or take it out of that folder."))
    return findings or [ok(f"{world.config} is right.")]


def credentials(world: World) -> list[Finding]:
    """Check that the passwords are there, and that nobody else can read them."""
    path = Path(world.settings.credentials.file)
    try:
        known = load_credentials(path)
    except ConfigError as error:
        return [fault(str(error), f"see that haas-rpcd's user owns {path}, with mode 0600.")]
    except OSError as error:
        return [
            fault(
                f"{path} can't be read: {error.strerror}.",
                f"give it to haas-rpcd's user:  chown haas: {path} && chmod 600 {path}",
            )
        ]
    if not path.exists():
        return [
            warning(
                f"There is no file {path}: no switch can be logged in to without it.",
                "create it with mode 0600, owned by haas-rpcd's user, with  [NAME] username,"
                " password, enable  for each login.",
            )
        ]
    faults = [found for name, entry in known.items() if (found := _key_file(name, entry))]
    return faults or [ok(f"{path} has {_count(len(known), 'entry', 'entries')}, for us alone.")]


def _key_file(name: str, entry: Credential) -> Finding | None:
    if not entry.key_file:
        return None
    try:
        mode = stat.S_IMODE(Path(entry.key_file).stat().st_mode)
        with open(entry.key_file, "rb"):
            pass
    except OSError as error:
        return fault(
            f"The key_file of [{name}], {entry.key_file}, can't be read: {error.strerror}.",
            "put the private key there, owned by haas-rpcd's user, with mode 0600.",
        )
    if mode & 0o077:
        return fault(
            f"The key_file of [{name}], {entry.key_file}, has mode {mode:04o}.",
            f"chmod 600 {entry.key_file}",
        )
    return None


def tls(world: World) -> list[Finding]:
    """Check that certificate and key can be read, belong together, and stay valid for a while."""
    server = world.settings.server
    if server.tls_cert is None or server.tls_key is None:
        if server.tls_cert is None and server.tls_key is None:
            return []
        absent = "tls_key" if server.tls_key is None else "tls_cert"
        return [fault(f"[server] has no {absent}.", "tls_cert and tls_key are needed together.")]
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            server.tls_cert, server.tls_key, password=lambda: ""
        )
        mode = stat.S_IMODE(Path(server.tls_key).stat().st_mode)
        days = _days_left(Path(server.tls_cert))
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        return [
            fault(
                f"{server.tls_cert} and {server.tls_key} can't be used: {of_certificate(error)}.",
                "see that both are PEM files that haas-rpcd's user can read, the key without a"
                " passphrase, and that the key is the certificate's.",
            )
        ]
    findings = []
    if mode & 0o007:
        findings.append(
            fault(
                f"{server.tls_key} is a private key and has mode {mode:04o}.",
                f"chmod 600 {server.tls_key}",
            )
        )
    if days < 0:
        findings.append(fault(f"{server.tls_cert} has expired.", "renew the certificate."))
    elif days < RENEW_DAYS:
        text = f"{server.tls_cert} expires in {_count(days, 'day', 'days')}."
        findings.append(warning(text, "renew the certificate."))
    return findings or [ok(f"{server.tls_cert} and its key belong together; {days} days are left.")]


def metrics(world: World) -> list[Finding]:
    """Report counts that anybody on the network can read."""
    listen = world.settings.metrics.listen
    if listen is None:
        return []
    host, port = listen_address(listen)
    if is_loopback(host):
        return [ok(f"/metrics is for this machine alone, at {listen}.")]
    return [
        warning(
            f"[metrics] listen is {listen}: whoever reaches that address can read /metrics, without"
            " a token and without TLS.",
            f"let a firewall admit the monitoring only, or listen on 127.0.0.1:{port} behind a"
            " proxy.",
        )
    ]


def _days_left(certificate: Path) -> int:
    from cryptography import x509  # a dependency of asyncssh; imported for TLS only

    end = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    return (end - datetime.datetime.now(datetime.UTC)).days


def state(world: World) -> list[Finding]:
    """Check that the database can be written by us, and read by nobody else."""
    path = Path(world.settings.store.path)
    folder = path.parent
    if not folder.is_dir():
        return [
            fault(
                f"There is no folder {folder} for the database.",
                f"install -d -m 700 -o haas -g haas {folder}",
            )
        ]
    if not os.access(folder, os.W_OK | os.X_OK) or (
        path.exists() and not os.access(path, os.R_OK | os.W_OK)
    ):
        return [
            fault(
                f"{path} can't be written by the user {os.geteuid()}, whom this check runs as.",
                f"give it to haas-rpcd's user:  chown -R haas: {folder}",
            )
        ]
    modes = [(one, stat.S_IMODE(one.stat().st_mode)) for one in (folder, path) if one.exists()]
    if all(mode & 0o007 for _, mode in modes):
        named = " and ".join(f"{one} has mode {mode:04o}" for one, mode in modes)
        return [
            warning(f"{named}: every user can see who holds what.", f"chmod 700 {folder}"),
        ]
    return [ok(f"{folder} can be written.")]


def space(world: World) -> list[Finding]:
    """Check the free space for the database."""
    folder = Path(world.settings.store.path).parent
    try:
        free = free_bytes(folder)
    except OSError:
        return []  # the check of the state directory reports it
    return [of_space(f"the database ({folder})", free)]


def free_bytes(folder: Path) -> int:
    """Return how many bytes may still be written in a folder. Raises OSError."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def of_space(what: str, free: int) -> Finding:
    """Judge the free space for something."""
    room = f"{free / (1 << 30):.1f} GiB" if free >= LOW_SPACE else f"{free >> 20} MiB"
    text = f"{room} are free for {what}."
    mend = "free some space, or move it to a larger disk."
    if free < NO_SPACE:
        return fault(text, mend)
    return warning(text, mend) if free < LOW_SPACE else ok(text)


def daemon(world: World) -> list[Finding]:
    """Check whether a daemon answers on the socket."""
    path = world.settings.server.socket
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(5.0)
        try:
            client.connect(path)
        except OSError as error:
            return [
                warning(
                    f"No daemon answers on {path}: {error.strerror or error}.",
                    "systemctl start haas-rpcd; if it does not stay up:  journalctl -u haas-rpcd",
                )
            ]
    return [ok(f"A daemon answers on {path}.")]


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
