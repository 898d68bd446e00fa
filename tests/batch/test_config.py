"""The console's settings, and how it finds its daemon."""

from __future__ import annotations

from pathlib import Path

import pytest

from haas_console.core.config import (
    Config,
    choose_endpoint,
    config_path,
    history_path,
    load_config,
)
from haas_console.core.errors import ConfigError


def test_the_option_overrides_the_environment_and_the_environment_the_settings() -> None:
    settings = Config(socket="/from/config")
    both = {"HAAS_SOCKET": "/from/env"}
    assert choose_endpoint(settings, socket="/given", environ=both).socket == "/given"
    assert choose_endpoint(settings, url="https://m:1", environ=both).url == "https://m:1"
    assert choose_endpoint(settings, environ=both).socket == "/from/env"
    assert choose_endpoint(settings, environ={"HAAS_URL": "https://m"}).url == "https://m"
    assert choose_endpoint(settings, environ={}).socket == "/from/config"
    assert choose_endpoint(Config(), environ={}).socket == "/run/haas/rpcd.sock"


def test_an_endpoint_knows_what_named_it() -> None:
    chosen = choose_endpoint(Config(), environ={"HAAS_SOCKET": "/from/env"})
    assert (str(chosen), chosen.source) == ("socket /from/env", "HAAS_SOCKET")


@pytest.mark.parametrize("url", ["http://master:8080", "master:8443", "ftp://master"])
def test_a_token_is_never_sent_unencrypted(url: str) -> None:
    with pytest.raises(ConfigError, match="--url"):
        choose_endpoint(Config(), url=url, environ={})


def test_settings_are_read_from_the_xdg_folder_if_they_exist(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "HOME": "/nowhere"}
    assert load_config(environ=environ) == Config()
    file = config_path(environ)
    file.parent.mkdir()
    file.write_text('url = "https://master:8443"\ntimeout = 5\n')
    assert load_config(environ=environ) == Config(url="https://master:8443", timeout=5)
    assert history_path({"HOME": "/home/a"}) == Path("/home/a/.local/state/haas/history")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('sokcet = "/x"', 'unknown key "sokcet", did you mean "socket"?'),
        ("socket = 5", "socket must be text"),
        ("timeout = 0", "timeout must be a number of seconds above 0"),
        ("timeout = true", "timeout must be a number"),
        ('socket = "/x"\nurl = "https://m"', "socket and url exclude each other"),
        ('url = "http://m"', "would send the token in the clear"),
        ("socket", "not TOML"),
    ],
)
def test_an_error_in_the_settings_names_the_file_and_the_key(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "console.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert message in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_settings_file_named_by_option_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_config(tmp_path / "none.toml")
