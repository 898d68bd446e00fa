"""A real sshd on loopback, with the console as its ForceCommand; without any system service."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:" + os.environ["PATH"])
_PRIVSEP = Path("/run/sshd")  # compiled into Debian's sshd, which as root insists on it


class Sshd:
    """How to log in at a running sshd."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port

    def command(self, *words: str, terminal: bool = False) -> list[str]:
        """Give the ssh command line that logs in, for a session or for words to run."""
        options = [
            f"Port={self.port}",
            f"IdentityFile={self.folder}/key",
            "IdentitiesOnly=yes",
            f"UserKnownHostsFile={self.folder}/known_hosts",
            "StrictHostKeyChecking=yes",
            "BatchMode=yes",
            "LogLevel=ERROR",
        ]
        flags = [flag for option in options for flag in ("-o", option)]
        tty = "-tt" if terminal else "-T"
        return ["ssh", "-F", "none", *flags, tty, f"{getpass.getuser()}@127.0.0.1", "--", *words]

    def run(self, *words: str, script: str = "", **kwargs: Any) -> subprocess.CompletedProcess[str]:
        """Run words over ssh, as a script does; ``script`` is their stdin."""
        return subprocess.run(
            self.command(*words),
            capture_output=True,
            input=script,
            text=True,
            timeout=60,
            check=False,
            **kwargs,
        )


@contextlib.contextmanager
def sshd(
    folder: Path, forced: str, environ: dict[str, str], *, certificate: Sequence[str] = ()
) -> Iterator[Sshd]:
    """Run sshd for the user who runs the tests, by a key; ``environ`` is set for its sessions.

    ``certificate``: options of ssh-keygen that sign the host's key, if it is to be signed.
    """
    assert SSHD is not None
    for name in ("host_key", "key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True
        )
    if certificate:
        subprocess.run(["ssh-keygen", "-q", *certificate, folder / "host_key.pub"], check=True)
    options = (
        f"HostKey {folder}/host_key\n"
        + (f"HostCertificate {folder}/host_key-cert.pub\n" if certificate else "")
        + f"AuthorizedKeysFile {folder}/key.pub\n"
        "PidFile none\n"
        "StrictModes no\n"
        "UsePAM no\n"
        "PasswordAuthentication no\n"
        "PermitRootLogin prohibit-password\n"
        f"SetEnv {' '.join(f'{name}={value}' for name, value in environ.items())}\n"
        f"Match User {getpass.getuser()}\n"
        f"    ForceCommand {forced}\n"
        "    DisableForwarding yes\n"
        "    PermitUserRC no\n"
    )
    process, port = _listening(folder / "sshd_config", options)
    with process:
        try:
            host_key = (folder / "host_key.pub").read_text()
            (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}")
            yield Sshd(folder, port)
        finally:
            process.terminate()


def _listening(config: Path, options: str) -> tuple[subprocess.Popen[str], int]:
    """Start sshd on a free port; return it and the port.

    Another test may take the port before sshd does, which cannot be told to choose one itself.
    """
    assert SSHD is not None
    if os.getuid() == 0:  # as a boot does; it stays, because other tests may run sshd as well
        _PRIVSEP.mkdir(mode=0o755, exist_ok=True)
    for _ in range(5):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        config.write_text(f"ListenAddress 127.0.0.1:{port}\n{options}")
        process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", config], stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            if "Server listening" in line:
                return process, port
            said.append(line)
        process.wait()
        if "Address already in use" not in "".join(said):
            break
    raise AssertionError(f"sshd ended with {process.returncode}: {''.join(said)}")
