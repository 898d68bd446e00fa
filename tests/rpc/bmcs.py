"""BMCs to test against: OpenIPMI's ipmi_sim and sushy-tools' emulator, on loopback."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bcrypt

USER, PASSWORD = "admin", "bmc-s3cret"

_LAN = """
name "node"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 {port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
  endlan
  chassis_control "{script} 0x20"
  {sol}
  user 1 true "" "test" user 10 none md2 md5 straight
  user 2 true "{user}" "{password}" admin 10 none md2 md5 straight
"""

_EMULATION = """
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
sel_enable 0x20 1000 0x0a
mc_enable 0x20
"""

_CHASSIS = """#!/bin/sh
# What ipmi_sim asks of a chassis: "MC get power", "MC set power 1", "MC set boot pxe", …
cd {folder}
shift
case "$1 $2" in
    "get power") echo "power:$(cat power)" ;;
    "get boot") echo "boot:$(cat boot)" ;;
    "set power")
        echo "power $3" >>log
        [ -e lies ] || echo "$3" >power
        [ ! -x machine ] || ./machine "$3" >/dev/null 2>&1 </dev/null
        ;;
    "set boot") echo "boot $3" >>log; echo "$3" >boot ;;
    "set reset")
        echo reset >>log
        [ ! -x machine ] || ./machine reset >/dev/null 2>&1 </dev/null
        ;;
esac
"""


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class IpmiSim:
    """A BMC by IPMI and its chassis."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def power(self) -> str:
        return "on" if (self.folder / "power").read_text().strip() == "1" else "off"

    @power.setter
    def power(self, state: str) -> None:
        (self.folder / "power").write_text("1\n" if state == "on" else "0\n")

    @property
    def boot(self) -> str:
        return (self.folder / "boot").read_text().strip()

    @property
    def log(self) -> list[str]:
        """What the chassis was told, in order."""
        path = self.folder / "log"
        return path.read_text().splitlines() if path.exists() else []

    def lie(self) -> None:
        """Accept whatever is asked for from now on, and do nothing."""
        (self.folder / "lies").touch()

    def vanish(self) -> None:
        """Answer nothing any more."""
        self.process.send_signal(signal.SIGSTOP)

    def come_back(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """Have the machine's management controller die: nothing listens any more."""
        self.process.kill()
        self.process.wait()


def start_ipmi_sim(folder: Path, *, sol: int | None = None) -> IpmiSim:
    """Start a BMC; ``sol``: the TCP port of what is on the node's serial line.

    It calls the program ``machine`` in the folder, if there is one, with ``1`` and ``0`` when the
    node is switched on and off, and with ``reset``.
    """
    folder.mkdir(parents=True)
    (folder / "state").mkdir()
    script = folder / "chassis"
    script.write_text(_CHASSIS.format(folder=folder))
    script.chmod(0o755)
    (folder / "power").write_text("0\n")
    (folder / "boot").write_text("default\n")
    port = free_port(socket.SOCK_DGRAM)
    serial = "" if sol is None else f'sol "tcp:127.0.0.1:{sol}" 115200'
    lan = _LAN.format(port=port, script=script, sol=serial, user=USER, password=PASSWORD)
    (folder / "lan.conf").write_text(lan)
    (folder / "bmc.emu").write_text(_EMULATION)
    program = shutil.which("ipmi_sim")
    assert program, "apt-get install openipmi"
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [program, "-c", folder / "lan.conf", "-f", folder / "bmc.emu", "-s", folder / "state",
             "-n"],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    params = {"protocol": "ipmi", "host": "127.0.0.1", "port": port}
    return IpmiSim(folder, port, process, params)


@asynccontextmanager
async def ipmi_sim(folder: Path, *, sol: int | None = None) -> AsyncIterator[IpmiSim]:
    """Run a BMC; see :func:`start_ipmi_sim`."""
    bmc = start_ipmi_sim(folder, sol=sol)
    try:
        await _bound(bmc.port)
        yield bmc
    finally:
        bmc.come_back()
        await asyncio.to_thread(bmc.end)


async def _bound(port: int) -> None:
    """Wait until a UDP port is taken."""
    wanted = f":{port:04X} "
    while wanted not in Path("/proc/net/udp").read_text():  # noqa: ASYNC110 - nothing signals it
        await asyncio.sleep(0.02)


class SerialLine:
    """What is on a node's serial line: ipmi_sim connects to it."""

    def __init__(self) -> None:
        self.heard = b""
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._news = asyncio.Event()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> SerialLine:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        if self._writer is not None:
            self._writer.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        while data := await reader.read(4096):
            self.heard += data
            self._news.set()

    def say(self, data: bytes) -> None:
        assert self._writer is not None, "ipmi_sim has not connected"
        self._writer.write(data)

    async def until(self, text: bytes) -> None:
        while text not in self.heard:
            self._news.clear()
            await self._news.wait()


# --- Redfish --------------------------------------------------------------------------------------

_EMULATE = """
import random
random.randint = lambda low, high: 1  # seconds after which a system follows; else up to 11
from sushy_tools.emulator.main import main
main()
"""

_SYSTEM = "c7a5fdbd-cdaf-9455-926a-d65c16db1809"


def certificate_in(folder: Path) -> str:
    """Write cert.pem and key.pem, signed by nobody; return the certificate's fingerprint."""
    certificate = folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", folder / "key.pem", "-out", certificate, "-days", "2",
         "-subj", "/CN=bmc"],
        check=True, capture_output=True,
    )  # fmt: skip
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


@dataclass
class Emulator:
    """A Redfish service with one or more systems."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    fingerprint: str
    params: dict[str, Any]


@asynccontextmanager
async def redfish_emulator(
    folder: Path, *, systems: tuple[str, ...] = (_SYSTEM,)
) -> AsyncIterator[Emulator]:
    """Run an emulator with fake systems, all of them off, that need no hypervisor."""
    folder.mkdir(parents=True)
    fingerprint = certificate_in(folder)
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4, b"2b")).decode()
    (folder / "htpasswd").write_text(f"{USER}:{hashed}\n")
    port = free_port()
    fakes = [
        {"uuid": uuid, "name": f"fake-{number}", "power_state": "Off", "nics": []}
        for number, uuid in enumerate(systems)
    ]
    settings = {
        "FAKE_DRIVER": True,
        "LISTEN_IP": "127.0.0.1",
        "LISTEN_PORT": port,
        "STATE_DIR": str(folder),
        "FAKE_SYSTEMS": fakes,
        "AUTH_FILE": str(folder / "htpasswd"),
        "SSL_CERT": str(folder / "cert.pem"),
        "SSL_KEY": str(folder / "key.pem"),
    }
    config = folder / "emulator.conf"
    config.write_text("".join(f"SUSHY_EMULATOR_{k} = {v!r}\n" for k, v in settings.items()))
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(  # noqa: ASYNC220 - starting is quick
            [sys.executable, "-c", _EMULATE, "--config", config],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env={**os.environ, "TMPDIR": str(folder)},
        )  # fmt: skip
    try:
        await _listening(port)
        params = {
            "protocol": "redfish", "host": "127.0.0.1", "port": port, "fingerprint": fingerprint,
        }  # fmt: skip
        yield Emulator(folder, port, process, fingerprint, params)
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)


async def _listening(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return


def secrets_in(*texts: object) -> list[str]:
    """Return the texts that hold the password of the BMCs."""
    said = [text if isinstance(text, str) else json.dumps(text, default=str) for text in texts]
    return [text for text in said if PASSWORD in text]
