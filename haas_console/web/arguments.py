"""The arguments of ``haas-console serve``."""

from __future__ import annotations

import argparse
import ssl
from collections.abc import Sequence
from pathlib import Path

from haas_console.core.config import Endpoint, is_loopback
from haas_console.core.errors import ConfigError


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Parse the words after ``serve``; exits as argparse does."""
    parser = argparse.ArgumentParser(
        prog="haas-console serve",
        description="Serve the console to browsers. Who opens the page gives a token of the daemon"
        " and acts as its user.",
        epilog="The daemon is one with a URL: haas-console --url https://master:8443 serve"
        " --listen 127.0.0.1:8080",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--listen", metavar="HOST:PORT", required=True, type=address, help="where to listen")
    add("--tls-cert", metavar="FILE", type=Path, help="the certificate of the page, a PEM file")
    add("--tls-key", metavar="FILE", type=Path, help="its key; needed off loopback")
    return parser.parse_args(list(words))


def address(text: str) -> tuple[str, int]:
    """Read ``HOST:PORT``, ``[IPV6]:PORT`` or ``:PORT`` (all addresses)."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is no address such as 127.0.0.1:8080")
    return host.removeprefix("[").removesuffix("]") or "0.0.0.0", int(port)  # noqa: S104


def check(
    endpoint: Endpoint | None, asked: argparse.Namespace
) -> tuple[Endpoint, ssl.SSLContext | None]:
    """Return the daemon, and the settings for TLS, if the page may be served so.

    Raises ConfigError: for a daemon's socket, over which every visitor would be this OS user, and
    for an address that is reached from elsewhere without TLS.
    """
    if endpoint is None or endpoint.url is None:
        raise ConfigError(
            f"serve wants a daemon with a URL, not {endpoint or 'a demo'}: over a socket everybody"
            " would act as the user who runs this. Set [server] listen of the daemon, and give"
            " --url https://…"
        )
    if (asked.tls_cert is None) != (asked.tls_key is None):
        raise ConfigError("--tls-cert and --tls-key belong together")
    host = asked.listen[0]
    if asked.tls_cert is None:
        if not is_loopback(host):
            raise ConfigError(
                f"{host} is reached from elsewhere, where tokens would go in the clear: give"
                " --tls-cert and --tls-key, or listen on 127.0.0.1"
            )
        return endpoint, None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(asked.tls_cert, asked.tls_key)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(
            f"{asked.tls_cert} and {asked.tls_key} cannot be used: {error}"
        ) from error
    return endpoint, context
