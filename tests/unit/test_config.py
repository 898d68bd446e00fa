"""haas.toml and the credentials file: what is accepted, and the message for each mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from haas_rpcd import configfiles
from haas_rpcd.__main__ import main
from haas_rpcd.config import ConfigError, Credential, Settings

DOCUMENTATION = Path(__file__).parents[2] / "docs/configuration.md"


def write(tmp_path: Path, text: str, name: str = "haas.toml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    settings = configfiles.load(write(tmp_path, ""))
    assert settings.server.socket == "/run/haas/rpcd.sock"
    assert settings.store.path == "/var/lib/haas/haas.db"
    assert settings.pool == tuple(range(100, 200))
    assert settings.master is None
    assert settings.credentials.file == "/etc/haas/credentials.toml"
    assert settings.policy.tenants_connect_bmc
    assert not settings.policy.allow_mac_spoofing


def test_everything_can_be_set(tmp_path: Path) -> None:
    text = """
    [server]
    socket = "/tmp/s"
    [store]
    path = "/tmp/db"
    [vlans]
    pool = "100-101, 250,300-301"
    [master]
    trunk_nic = "eth1"
    libvirt_uri = "qemu:///session"
    images = ["a", "b"]
    [credentials]
    file = "/tmp/c"
    [policy]
    tenants_connect_bmc = false
    [switches]
    connect_timeout = 1
    login_timeout = 2.5
    answer_timeout = 3
    keepalive = 0
    known_hosts = "/tmp/k"
    """
    settings = configfiles.load(write(tmp_path, text))
    assert settings.pool == (100, 101, 250, 300, 301)
    assert settings.master is not None
    assert settings.master.images == ["a", "b"]
    assert settings.switches.login_timeout == 2.5


MISTAKES = [
    ("[server", "is not TOML: "),
    ("[serve]", "there is no table [serve]: do you mean server?"),
    ("[server]\nsokcet = 'x'", "[server] has no setting sokcet: do you mean socket?"),
    ("[server]\nsocket = 1", "[server] socket: this must be a text in quotes, not a whole number."),
    ("[server]\nlisten = '0.0.0.0:443'", "is not on loopback, so it needs TLS: set tls_cert"),
    ("[server]\nlisten = 'master:8443'", "is not on loopback, so it needs TLS"),
    ("[server]\nlisten = '8443'", '"8443" is not HOST:PORT, e.g. 0.0.0.0:8443'),
    ("[server]\nlisten = '[::1]:8443'\ntls_cert = 'x'", "tls_cert and tls_key go together"),
    ("[server]\ntls_cert = 'x'\ntls_key = 'y'", "tls_cert is for TCP: set listen as well"),
    ("[server]\nadmin_group = 'no-such'", "[server] admin_group: there is no group no-such"),
    ("[vlans]\npool = 'many'", '[vlans] pool: "many" is not a VLAN id or a range such as 100-199'),
    ("[vlans]\npool = '200-100'", '"200-100" is not a range of VLAN ids within 1-4094'),
    ("[vlans]\npool = '100-5000'", "is not a range of VLAN ids within 1-4094"),
    ("[vlans]\npool = ''", "is not a VLAN id"),
    ("[vlans]\npool = '1-10'", "[vlans] pool has 1, which it must not: 1 is the default VLAN"),
    ("[vlans]\npool = '1000-1010'", "[vlans] pool has 1002, which it must not"),
    ("[master]\nimages = ['a']", "[master] lacks trunk_nic, which has no default."),
    ("[master]\ntrunk_nic = 'eth0'\nimages = []", "[master] images: this must not be empty."),
    ("[switches]\nanswer_timeout = 0", "[switches] answer_timeout: this must be greater than 0."),
    (
        "[server]\nzzz = 1",
        "[server] has no setting zzz; it may be admin_group, listen, shutdown_timeout, socket",
    ),
    ("server = 1", "server is not a table: write  [server]  on a line of its own."),
    ("[[server]]", "server is not a table: write  [server]  on a line of its own."),
    ("[jobs]\nkeep = 1000.5", "[jobs] keep: this must be a whole number."),
    ("[master]\ntrunk_nic = 'a-very-long-name'", "this must have at most 15 characters."),
    ("[master]\ntrunk_nic = 'eth0'\nimages = [1]", "[master] an entry of images: this must be a"),
    ("[log]\nlevel = 'loud'", '[log] level: this must be one of "debug", "error", "info"'),
    ("[log]\nlevels = { a = 'x' }", '[log] an entry of levels: this must be one of "debug"'),
    (
        "[server]\nlisten = '127.0.0.1:8443'\n[metrics]\nlisten = '127.0.0.1:8443'",
        "[metrics] listen: 127.0.0.1:8443 is where [server] listens",
    ),
    (
        "[server]\nlisten = '127.0.0.1:8443'\n[metrics]\nlisten = '0.0.0.0:8443'",
        "[metrics] listen: 0.0.0.0:8443 is where [server] listens (127.0.0.1:8443)",
    ),
    ("[policy]\ntenants_connect_bmc = 'no'", "this must be true or false, not a text in quotes."),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_a_mistake_is_reported_with_its_place(
    tmp_path: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        configfiles.load(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    # The program prints the same message, as one line on stderr.
    assert main(["--config", str(path), "--check-config"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"haas-rpcd: {caught.value}\n"


def test_a_missing_or_unreadable_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"There is no file .*; name another with --config FILE"):
        configfiles.load(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="can't be read"):
        configfiles.load(tmp_path)
    (tmp_path / "latin").write_bytes(b"# \xe4\n")
    with pytest.raises(ConfigError, match="can't be read"):
        configfiles.load(tmp_path / "latin")


def test_check_config_accepts_the_file_and_reports_missing_credentials(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    passwords = tmp_path / "credentials.toml"
    path = write(tmp_path, f'[credentials]\nfile = "{passwords}"\n')
    assert main(["--config", str(path), "--check-config"]) == 0
    assert capsys.readouterr().out == (
        f"{path} is right, but there is no file {passwords} ([credentials] file):"
        " no switch can be logged in to without it.\n"
    )
    write_credentials(tmp_path, "")
    assert main(["--config", str(path), "--check-config"]) == 0
    assert capsys.readouterr().out == f"{path} is right.\n"


@pytest.mark.parametrize("option", [["--config", "haas.toml"], ["--check-config"]])
def test_the_demo_accepts_no_configuration(
    option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--demo", *option]) == 2
    assert "--demo has a configuration of its own" in capsys.readouterr().err


# --- credentials ----------------------------------------------------------------------------------

CREDENTIALS = '[sw1]\nusername = "haas"\npassword = "s3cret"\nenable = "en4ble"\n[sw2]\n'


def write_credentials(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    path = write(tmp_path, text, "credentials.toml")
    path.chmod(mode)
    return path


def test_credentials_are_read(tmp_path: Path) -> None:
    known = configfiles.load_credentials(write_credentials(tmp_path, CREDENTIALS))
    assert known["sw1"].password == "s3cret"
    assert known["sw2"] == Credential()
    assert configfiles.load_credentials(tmp_path / "none") == {}


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_credentials_that_others_can_read_are_refused(tmp_path: Path, mode: int) -> None:
    path = write_credentials(tmp_path, CREDENTIALS, mode)
    with pytest.raises(ConfigError, match=f"has mode {mode:04o}: run  chmod 600 {path}"):
        configfiles.load_credentials(path)


@pytest.mark.parametrize(
    "text",
    [
        '[sw1]\npassword = "s3cret',
        "[sw1]\npassword = 5318008",
        '[sw1]\npasswort = "s3cret"',
        'sw1 = "s3cret"',
        '[sw1]\npassword = ["s3cret"]',
    ],
)
def test_messages_about_wrong_credentials_contain_no_password(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        configfiles.load_credentials(write_credentials(tmp_path, text))
    assert "credentials.toml" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "5318008" not in str(caught.value)


def test_the_path_of_an_ssh_key_is_absolute(tmp_path: Path) -> None:
    path = write_credentials(tmp_path, '[sw1]\nkey_file = "/etc/haas/sw1.key"\n')
    assert configfiles.load_credentials(path)["sw1"].key_file == "/etc/haas/sw1.key"
    write_credentials(tmp_path, '[sw1]\nkey_file = "sw1.key"\n')
    with pytest.raises(ConfigError, match=r"key_file"):
        configfiles.load_credentials(path)


def test_the_repr_of_a_credential_hides_its_passwords() -> None:
    known = Credential(username="haas", password="s3cret", enable="en4ble", key_file="/etc/k")
    assert repr(known) == str(known)
    assert repr(known) == "Credential(username='haas', password=…, enable=…, key_file='/etc/k')"
    assert "s3cret" not in f"{[known]}"


# --- documentation -----------------------------------------------------------------------------


def settings_of(struct: Any = Settings, table: str = "") -> list[str]:
    """Return every setting as the documentation writes it: ``[table] key``."""
    names = []
    for field in msgspec.structs.fields(struct):
        nested = [
            kind
            for kind in (field.type, *get_args(field.type))
            if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
        ]
        if nested:
            names += settings_of(nested[0], field.name)
        else:
            names.append(f"[{table}] {field.name}")
    return names


@pytest.mark.parametrize("name", settings_of())
def test_every_setting_is_documented(name: str) -> None:
    table, key = name.split()
    text = DOCUMENTATION.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith(f"| `{table} ")]
    assert any(f"`{key}`" in row or f" {key}`" in row for row in rows), (
        f"{DOCUMENTATION.name} lacks {name}"
    )


@pytest.mark.parametrize("key", [field.name for field in msgspec.structs.fields(Credential)])
def test_every_key_of_a_credential_is_documented(key: str) -> None:
    assert f"`{key}`" in DOCUMENTATION.read_text(encoding="utf-8")


def test_the_test_above_sees_all_settings() -> None:
    assert "[vlans] pool" in settings_of()
    assert len(settings_of()) >= 14
