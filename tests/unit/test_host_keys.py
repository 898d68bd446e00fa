"""Host keys of SSH: what is trusted, by OpenSSH's own sshd, ssh and ssh-keygen."""

from __future__ import annotations

import base64
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from haas_rpcd.drivers.switch.transport.known_hosts import HostKey, KnownHosts
from haas_rpcd.errors import DeviceError, UnavailableError
from tests.tui.harness.sshd import SSHD, Sshd, sshd
from tests.unit.ssh_client import LOGIN, address, fails
from tests.unit.ssh_server import machine

pytestmark = pytest.mark.slow

# --- host keys, with OpenSSH ----------------------------------------------------------------------


@pytest.fixture
def openssh(tmp_path: Path) -> Iterator[Sshd]:
    """Start a real sshd. ``known_hosts`` in its folder is the file of ssh; it is still missing."""
    if SSHD is None:
        pytest.skip("there is no sshd")
    with sshd(tmp_path, "/bin/true", {"LANG": "C"}) as running:
        (tmp_path / "known_hosts").unlink()
        yield running


def keygen(*words: object) -> str:
    return subprocess.run(
        ["ssh-keygen", *map(str, words)], capture_output=True, text=True, check=True
    ).stdout


def fingerprint(folder: Path) -> str:
    """Return the fingerprint of sshd's key, by ssh-keygen."""
    return keygen("-l", "-f", folder / "host_key.pub").split()[1]


def other_key(folder: Path, name: str = "other") -> str:
    """Create a key other than sshd's; return it in the format of known_hosts."""
    keygen("-q", "-t", "ed25519", "-N", "", "-f", folder / name)
    return " ".join((folder / f"{name}.pub").read_text().split()[:2])


async def test_an_unknown_key_is_refused_and_nothing_is_stored(openssh: Sshd) -> None:
    file = openssh.folder / "known_hosts"
    error = await fails(address(file, openssh.port).connect(LOGIN))
    assert error.reason == "host_key"
    assert error.data["trust"] == "unknown"
    assert fingerprint(openssh.folder) in error.message
    assert "see  switch trust sw1" in error.message
    shown = await address(file, openssh.port).trust(None)
    assert (shown.verdict, shown.stored) == ("unknown", False)
    assert shown.key.kind == "ssh-ed25519"
    assert shown.key.fingerprint == fingerprint(openssh.folder)
    assert not file.exists()


async def test_a_key_is_trusted_by_its_fingerprint_and_ssh_trusts_it_too(openssh: Sshd) -> None:
    file = openssh.folder / "known_hosts"
    at = address(file, openssh.port)
    shown = await at.trust(fingerprint(openssh.folder))
    assert (shown.verdict, shown.stored, list(shown.known)) == ("known", True, [])
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert (await at.trust(None)).verdict == "known"
    assert not (await at.trust(fingerprint(openssh.folder))).stored  # it is stored already
    assert openssh.run("true").returncode == 0  # with StrictHostKeyChecking
    # Now sshd refuses the login, because it only accepts keys.
    error = await fails(at.connect(LOGIN))
    assert error.reason == "login"
    assert "refused the login of haas" in error.message


async def test_the_error_for_a_wrong_fingerprint_names_both(openssh: Sshd) -> None:
    file = openssh.folder / "known_hosts"
    wanted = "SHA256:" + "A" * 43
    error = await fails(address(file, openssh.port).trust(wanted))
    assert error.reason == "host_key"
    assert wanted in error.message
    assert fingerprint(openssh.folder) in error.message
    assert not file.exists()


async def test_a_changed_key_is_refused_until_it_replaces_the_trusted_one(openssh: Sshd) -> None:
    file = openssh.folder / "known_hosts"
    old, name = other_key(openssh.folder), f"[127.0.0.1]:{openssh.port}"
    kept = (
        f"# the rack\nsw2,{name.upper()},[::1]:2222 {old} a comment\n\n@revoked * {old}\nbroken\n"
    )
    file.write_text(f"{name} {old}\n{kept}")
    file.chmod(0o600)
    at = address(file, openssh.port)
    error = await fails(at.connect(LOGIN))
    assert (error.reason, error.data["trust"]) == ("host_key", "changed")
    assert HostKey(base64.b64decode(old.split()[1])).fingerprint in error.message
    assert fingerprint(openssh.folder) in error.message
    assert "see  switch trust sw1" in error.message
    shown = await at.trust(None)
    assert (shown.verdict, shown.stored) == ("changed", False)
    assert len(shown.known) == 2
    assert (await at.trust(fingerprint(openssh.folder))).stored
    new = " ".join((openssh.folder / "host_key.pub").read_text().split()[:2])
    assert file.read_text() == kept.replace(f",{name}", "") + f"{name} {new}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (await fails(at.connect(LOGIN))).reason == "login"


async def test_hashed_names_are_understood_and_replaced(openssh: Sshd) -> None:
    file = openssh.folder / "known_hosts"
    name = f"[127.0.0.1]:{openssh.port}"
    key = " ".join((openssh.folder / "host_key.pub").read_text().split()[:2])
    file.write_text(f"{name} {key}\nelsewhere {key}\n")
    keygen("-H", "-f", file)
    assert name not in file.read_text()
    at = address(file, openssh.port)
    assert (await at.trust(None)).verdict == "known"
    old = other_key(openssh.folder)
    file.write_text(f"{name} {old}\nelsewhere {old}\n")
    keygen("-H", "-f", file)
    assert (await at.trust(None)).verdict == "changed"
    assert (await at.trust(fingerprint(openssh.folder))).stored
    first, second = file.read_text().splitlines()
    assert first.startswith("|1|")
    assert second == f"{name} {key}"
    assert "elsewhere" in keygen("-F", "elsewhere", "-f", file)


async def test_a_revoked_key_is_refused_even_with_its_fingerprint(openssh: Sshd) -> None:
    file = openssh.folder / "known_hosts"
    key = " ".join((openssh.folder / "host_key.pub").read_text().split()[:2])
    file.write_text(f"[127.0.0.1]:{openssh.port} {key}\n@revoked * {key}\n")
    at = address(file, openssh.port)
    assert (await at.trust(None)).verdict == "revoked"
    for error in (
        await fails(at.connect(LOGIN)),
        await fails(at.trust(fingerprint(openssh.folder))),
    ):
        assert error.data["trust"] == "revoked"
        assert "marks as revoked" in error.message


async def test_a_switch_with_several_keys_is_trusted_by_any_of_them(tmp_path: Path) -> None:
    """Its console may show the fingerprint of its RSA key."""
    file = tmp_path / "known_hosts"
    async with machine(keys=("ssh-ed25519", "ssh-rsa")) as (it, keys):
        at = address(file, it.port)
        assert (await at.trust(None)).key.kind == "ssh-ed25519"
        wanted = HostKey(keys["ssh-rsa"].public_data).fingerprint
        assert (await at.trust(wanted)).key.kind == "ssh-rsa"
        assert (await at.trust(None)).verdict == "known"  # the known key is requested first
        await (await at.connect(LOGIN)).close()


# --- the file -------------------------------------------------------------------------------------


def a_key(text: str = "one") -> HostKey:
    return HostKey(b"\0\0\0\x0bssh-ed25519" + text.encode())


def line(names: str, key: HostKey, marker: str = "") -> str:
    return f"{marker}{names} {key.kind} {base64.b64encode(key.blob).decode()}\n"


ONE, TWO = a_key(), a_key("two")
FILES: list[tuple[str, str, int, str]] = [
    ("", "sw1", 22, "unknown"),
    (line("sw1", ONE), "sw1", 22, "known"),
    (line("sw1", ONE), "SW1", 22, "known"),
    (line("SW1,10.0.0.1", ONE), "sw1", 22, "known"),
    (line("sw1", ONE), "sw10", 22, "unknown"),
    (line("sw1", TWO), "sw1", 22, "changed"),
    (line("sw1", TWO) + line("sw1", ONE), "sw1", 22, "known"),
    (line("sw?", ONE), "sw1", 22, "known"),
    (line("*.lab,!sw1.lab", ONE), "sw2.lab", 22, "known"),
    (line("*.lab,!sw1.lab", ONE), "sw1.lab", 22, "unknown"),
    (line("*", ONE), "sw1", 2222, "known"),
    (line("sw[1]", ONE), "sw1", 22, "unknown"),
    (line("[sw1]:2222", ONE), "sw1", 2222, "known"),
    (line("[sw1]:2222", ONE), "sw1", 22, "unknown"),
    (line("sw1", ONE), "sw1", 2222, "known"),  # as ssh does
    (line("sw1", TWO), "sw1", 2222, "unknown"),
    (line("sw1", ONE) + line("[sw1]:2222", TWO), "sw1", 2222, "changed"),
    (line("2001:db8::1", ONE), "2001:DB8::1", 22, "known"),
    (line("sw1", ONE, "@cert-authority "), "sw1", 22, "unknown"),
    (line("sw1", ONE) + line("*", ONE, "@revoked "), "sw1", 22, "revoked"),
    (line("sw1", ONE) + line("sw2", ONE, "@revoked "), "sw1", 22, "known"),
    ("|1|damaged " + line("sw1", ONE), "sw1", 22, "unknown"),
    ("|1|a|b " + line("", ONE).strip() + "\n" + line("sw1", ONE), "sw1", 22, "known"),
    ("sw1 ssh-ed25519 !!!\n#" + line("sw1", ONE), "sw1", 22, "unknown"),
    ("\xff\n" + line("sw1", ONE), "sw1", 22, "known"),
]


@pytest.mark.parametrize(("text", "host", "port", "verdict"), FILES)
def test_the_file_has_the_same_meaning_as_for_ssh(
    tmp_path: Path, text: str, host: str, port: int, verdict: str
) -> None:
    (tmp_path / "file").write_bytes(text.encode("latin-1"))
    assert KnownHosts(tmp_path / "file").verdict(host, port, ONE) == verdict


def test_a_file_that_others_changed_is_read_again(tmp_path: Path) -> None:
    known = KnownHosts(tmp_path / "file")
    assert known.verdict("sw1", 22, ONE) == "unknown"
    known.path.write_text(line("sw1", ONE))
    assert known.verdict("sw1", 22, ONE) == "known"
    known.path.unlink()
    assert known.verdict("sw1", 22, ONE) == "unknown"


def test_trusting_completes_the_last_line_and_keeps_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text(line("sw2", TWO).rstrip("\n"))
    (tmp_path / "file").symlink_to("real")
    KnownHosts(tmp_path / "file").trust("sw1", 22, ONE)
    assert (tmp_path / "file").is_symlink()
    assert (tmp_path / "real").read_text() == line("sw2", TWO) + line("sw1", ONE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "real"]


def test_the_error_names_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"can't be written .*set \[switches\] known_hosts"):
        KnownHosts(tmp_path / "none" / "file").trust("sw1", 22, ONE)


def test_no_key_is_trusted_if_the_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="can't be read") as caught:
        KnownHosts(tmp_path).verdict("sw1", 22, ONE)
    assert caught.value.reason == "host_key"
