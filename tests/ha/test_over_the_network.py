"""Two masters whose etcd wants certificates, and whose copies go to another machine by SFTP."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import asyncssh
import pytest

from haas_rpcd.ha.etcd import EtcdError
from haas_rpcd.ha.holding import standing_for
from haas_rpcd.hasettings import HaSettings
from tests.ha.conftest import PATIENCE, TTL, Master, free_ports, projects, until
from tests.rpc import certificates
from tests.rpc.certificates import Certificate

pytestmark = pytest.mark.slow


class GuardedEtcd:
    """One member of etcd, which answers over TLS, and only who has a certificate."""

    def __init__(self, folder: Path) -> None:
        server = certificates.make(folder, "etcd")
        self.client: Certificate = certificates.make(folder, "master")
        self.ca = server.cert
        # Its JSON gateway is a client of its own, with the server's certificate.
        trusted = folder / "trusted.pem"
        trusted.write_bytes(server.cert.read_bytes() + self.client.cert.read_bytes())
        port, peer = free_ports(2)
        self.url = f"https://127.0.0.1:{port}"
        program = shutil.which("etcd")
        assert program, "apt-get install etcd-server"
        self._process = subprocess.Popen(
            [
                program, "--data-dir", folder / "etcd",
                "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
                "--cert-file", server.cert, "--key-file", server.key,
                "--client-cert-auth", "--trusted-ca-file", trusted,
                "--listen-peer-urls", f"http://127.0.0.1:{peer}",
                "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
                "--initial-cluster", f"default=http://127.0.0.1:{peer}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def settings(self, **more: Any) -> HaSettings:
        return HaSettings(etcd=(self.url,), etcd_ca=str(self.ca), replica="file:///x", **more)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


class Witness:
    """The machine with the copies: an SSH server that lets one key in, to one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "witness"
        self.folder.mkdir()
        key = asyncssh.generate_private_key("ssh-ed25519")
        self.key = folder / "copies.key"
        self.key.touch(mode=0o600)
        self.key.write_bytes(key.export_private_key())
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.host_key = self._host_key.export_public_key().decode().strip()
        self._keys = asyncssh.import_authorized_keys(key.export_public_key().decode())
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        started = asyncio.run_coroutine_threadsafe(self._start(), self._loop)
        self._server: asyncssh.SSHAcceptor = started.result(PATIENCE)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _start(self) -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[self._host_key],
            authorized_client_keys=self._keys,
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(self.folder)),
        )

    def __exit__(self, *_: object) -> None:
        async def end() -> None:
            self._server.close()
            await self._server.wait_closed()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[GuardedEtcd]:
    guarded = GuardedEtcd(tmp_path)
    yield guarded
    guarded.close()


def test_the_other_takes_over_what_was_copied_by_sftp(tmp_path: Path, guarded: GuardedEtcd) -> None:
    with Witness(tmp_path) as witness:
        ha = (
            f"ttl = {TTL}\nrefresh = 1\netcd = {json.dumps([guarded.url])}\n"
            f'etcd_ca = "{guarded.ca}"\n'
            f'etcd_cert = "{guarded.client.cert}"\netcd_key = "{guarded.client.key}"\n'
            f'replica = "sftp://haas@127.0.0.1:{witness.port}/copies"\n'
            f'[ha.replica_options]\nkey-path = "{witness.key}"\nhost-key = "{witness.host_key}"\n'
        )
        first, second = (Master(tmp_path, name, ha) for name in ("north", "south"))
        try:
            first.start()
            until(first.serves, f"nobody serves:\n{first.log()}")
            second.start()
            first.daemon.call("project.create", project="red")
            until(second.stands_by, f"the standby serves no reads:\n{second.log()}")
            until(lambda: projects(second) == {"red"}, "the standby does not follow")
            first.daemon.call("project.create", project="blue")
            first.kill()
            until(second.serves, f"the other has not taken over:\n{second.log()}")
            assert projects(second) == {"red", "blue"}
        except AssertionError:
            print(first.log(), second.log())
            raise
        finally:
            first.close()
            second.close()


async def test_etcd_answers_nobody_without_a_certificate(guarded: GuardedEtcd) -> None:
    known = guarded.settings(
        etcd_cert=str(guarded.client.cert), etcd_key=str(guarded.client.key), name="north"
    )
    async with standing_for(known) as claim:
        async with asyncio.timeout(PATIENCE):
            await claim.claim()  # waits until etcd is there
        with pytest.raises(EtcdError, match=r"etcd can't be asked: https://127\.0\.0\.1"):
            async with standing_for(guarded.settings()) as stranger:
                await stranger.claim_now()
