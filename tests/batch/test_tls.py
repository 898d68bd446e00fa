"""The authorities that the console trusts: the system's, or the one that is named."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for localhost, with its key."""
    file = tmp_path / "localhost.pem"
    how = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    name = ("-addext", "subjectAltName=DNS:localhost")
    command = ("openssl", *how.split(), *name, "-keyout", file, "-out", f"{file}.cert")
    subprocess.run(command, check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + Path(f"{file}.cert").read_bytes())
    return file


@pytest.fixture
async def address(certificate: Path) -> AsyncIterator[str]:
    """A TLS server that is no HaaS daemon."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    runner = web.AppRunner(web.Application())
    await runner.setup()
    site = web.TCPSite(runner, "localhost", 0, ssl_context=context)
    await site.start()
    yield f"https://localhost:{runner.addresses[0][1]}"
    await runner.cleanup()


async def said(address: str, *args: str, **environ: str) -> str:
    """Run the console on this address; return its stderr."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("SSL_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "haas_console", "--url", address, *args, "-c", "node list"),
        cwd=ROOT,
        env={**known, **environ},
        stderr=asyncio.subprocess.PIPE,
    )
    _, error = await process.communicate()
    assert process.returncode == 3  # no daemon
    return error.decode()


async def test_an_unknown_authority_is_not_trusted(address: str) -> None:
    assert "has a certificate nobody here trusts" in await said(address)


async def test_an_authority_of_the_system_is_trusted(address: str, certificate: Path) -> None:
    told = await said(address, SSL_CERT_FILE=f"{certificate}.cert")
    assert "answers, but not as a HaaS daemon" in told


async def test_an_authority_named_in_the_settings_is_trusted(
    address: str, certificate: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "console.toml"
    settings.write_text(f'url = "{address}"\nca_file = "{certificate}.cert"\n')
    told = await said(address, "--config", str(settings))
    assert "answers, but not as a HaaS daemon" in told


async def test_a_server_that_speaks_no_tls_is_told_from_one_that_is_not_trusted() -> None:
    runner = web.AppRunner(web.Application())
    await runner.setup()
    site = web.TCPSite(runner, "localhost", 0)
    await site.start()
    told = await said(f"https://localhost:{runner.addresses[0][1]}")
    await runner.cleanup()
    assert "does not speak TLS: check the URL" in told
    assert "SSL" not in told
