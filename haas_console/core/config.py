"""The console's settings, its files, and the address of its daemon.

The settings are TOML in ``$XDG_CONFIG_HOME/haas/console.toml``. The file may be missing. Errors in
it name the key and the file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from haas_console.core.api import near_miss
from haas_console.core.errors import ConfigError

if TYPE_CHECKING:
    from haas_console.core.owncommands import OwnCommand

DEFAULT_SOCKET = "/run/haas/rpcd.sock"
DEFAULT_TIMEOUT = 60.0


class Context(msgspec.Struct, frozen=True):
    """A daemon with a name: ``[contexts.NAME]`` of console.toml."""

    socket: str | None = None
    url: str | None = None
    ca_file: str | None = None


class Config(msgspec.Struct, frozen=True):
    """The settings of console.toml.

    ``timeout`` is how many seconds an answer may take; it does not limit jobs. ``ca_file`` is a PEM
    file with the authority that signed the daemon's certificate, if the system does not know it.
    ``contexts`` names daemons, for ``--context``; ``context`` is the one to use without it.
    ``theme`` and ``keymap`` are for the full-screen console: the name of a theme, and keys by the
    ids that its help shows, e.g. ``"board.connect" = "x"``. ``columns`` are those of tables, in
    their order: ``board = ["node", "project:12", "network"]``. ``details``: the board has a pane on
    what is under the cursor. ``commands`` are the user's own, by their names.
    """

    socket: str | None = None
    url: str | None = None
    timeout: float = DEFAULT_TIMEOUT
    ca_file: str | None = None
    context: str | None = None
    contexts: Mapping[str, Context] = msgspec.field(default_factory=dict)
    theme: str | None = None
    keymap: Mapping[str, str] = msgspec.field(default_factory=dict)
    columns: Mapping[str, Sequence[str]] = msgspec.field(default_factory=dict)
    details: bool = True
    commands: Mapping[str, OwnCommand] = msgspec.field(default_factory=dict)


LOGIN = "login"
"""The source of an endpoint whose token is being tried."""


class Endpoint(msgspec.Struct, frozen=True):
    """The address of a daemon: a socket path or a URL; ``source`` says what named it.

    ``context`` is its name, if it was named by the context.
    """

    socket: str | None
    url: str | None
    source: str
    ca_file: str | None = None
    context: str | None = None

    def __str__(self) -> str:
        return f"socket {self.socket}" if self.socket else str(self.url)


def _xdg(environ: Mapping[str, str], variable: str, fallback: str) -> Path:
    """A directory by the XDG Base Directory Specification, which ignores relative paths."""
    value = environ.get(variable, "")
    home = environ.get("HOME") or str(Path.home())
    return Path(value if os.path.isabs(value) else os.path.join(home, fallback)) / "haas"


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The default path of the settings."""
    return _xdg(environ, "XDG_CONFIG_HOME", ".config") / "console.toml"


def tokens_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The file with the tokens that ``login`` keeps."""
    return _xdg(environ, "XDG_CONFIG_HOME", ".config") / "tokens.json"


def clipboard_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The file with the text copied last, for terminals without OSC 52."""
    return _xdg(environ, "XDG_STATE_HOME", ".local/state") / "clipboard"


def history_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The file with the commands typed before."""
    return _xdg(environ, "XDG_STATE_HOME", ".local/state") / "history"


def load_config(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """Read the settings from ``path``, or from the default path if that exists.

    Raises ConfigError, which names the key and the file.
    """
    file = path or config_path(environ)
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError as error:
        if path is None:
            return Config()
        raise ConfigError(f"{file}: there is no such file") from error
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not TOML: {error}") from error
    import tomllib  # 6 ms, only if there is such a file

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: not TOML: {error}") from error
    return _typed(table, file)


def _typed(table: dict[str, Any], file: Path) -> Config:
    known = Config.__struct_fields__
    for key, value in table.items():
        if key not in known:
            raise ConfigError(
                f'{file}: unknown key "{key}"{near_miss(key, known)}; there are: {", ".join(known)}'
            )
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if key == "timeout" and not (number and value > 0):
            raise ConfigError(f"{file}: timeout must be a number of seconds above 0")
        if key == "keymap":
            _check_keymap(value, file)
            continue
        if key == "columns":
            _check_columns(value, file)
            continue
        if key in ("contexts", "commands"):
            continue
        if key == "details":
            if not isinstance(value, bool):
                raise ConfigError(f"{file}: details must be true or false")
            continue
        if key != "timeout" and not (isinstance(value, str) and value):
            raise ConfigError(f"{file}: {key} must be text")
    if "socket" in table and "url" in table:
        raise ConfigError(f"{file}: socket and url exclude each other; keep one")
    contexts = _contexts(table.get("contexts", {}), file)
    if table.get("context") not in (None, *contexts):
        raise ConfigError(f"{file}: context: there is no [contexts.{table['context']}]")
    commands = _commands(table["commands"], file) if "commands" in table else {}
    config = Config(**{**table, "contexts": contexts, "commands": commands})
    if config.url:
        check_url(config.url, str(file))
    return config


def _contexts(value: Any, file: Path) -> dict[str, Context]:
    if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
        raise ConfigError(f"{file}: contexts must be tables such as [contexts.prod]")
    known = Context.__struct_fields__
    for name, table in value.items():
        where = f"{file}: [contexts.{name}]"
        for key, text in table.items():
            if key not in known:
                raise ConfigError(f'{where}: unknown key "{key}"; there are: {", ".join(known)}')
            if not (isinstance(text, str) and text):
                raise ConfigError(f"{where}: {key} must be text")
        if ("socket" in table) == ("url" in table):
            raise ConfigError(f"{where}: wants either socket or url")
        if "url" in table:
            check_url(table["url"], where)
    return {name: Context(**table) for name, table in value.items()}


def _commands(value: Any, file: Path) -> dict[str, OwnCommand]:
    from haas_console.core import owncommands  # the records, as for columns

    try:
        return owncommands.read(value)
    except ValueError as error:
        raise ConfigError(f"{file}: commands: {error}") from None


def _check_columns(value: Any, file: Path) -> None:
    from haas_console.core import columns, tables  # the records: 20 ms that batch mode saves

    lists = value if isinstance(value, dict) else {"": None}
    for name, specs in lists.items():
        if name not in tables.NAMES or not (
            isinstance(specs, list) and all(isinstance(spec, str) for spec in specs)
        ):
            known = ", ".join(tables.NAMES)
            raise ConfigError(
                f'{file}: columns must be a table such as  [columns] board = ["node", "network"]; '
                f"there are: {known}"
            )
        try:
            columns.parse(specs, tables.NAMES[name])
        except ValueError as error:
            raise ConfigError(f"{file}: columns: {name}: {error}") from None


def _check_keymap(value: Any, file: Path) -> None:
    if not isinstance(value, dict):
        raise ConfigError(f'{file}: keymap must be a table, e.g. [keymap] "board.connect" = "x"')
    for name, keys in value.items():
        if not (isinstance(keys, str) and keys):
            raise ConfigError(f'{file}: keymap: the key of "{name}" must be text, e.g. "ctrl+x"')


def check_url(url: str, source: str) -> str:
    """Return the URL if a token may be sent to it; raises ConfigError otherwise."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ConfigError(f'{source}: "{url}" is not a URL such as https://master:8443')
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ConfigError(f'{source}: "{url}" would send the token in the clear; use https://')
    return url


def is_loopback(host: str) -> bool:
    """Return True if a host is reached from this machine only."""
    if host == "localhost":
        return True
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def choose_endpoint(
    config: Config,
    *,
    socket: str | None = None,
    url: str | None = None,
    context: str | None = None,
    ca_file: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Endpoint:
    """Find the daemon: by option, HAAS_SOCKET or HAAS_URL, the settings, or the default path.

    ``ca_file`` takes precedence over that of the settings.

    Raises ConfigError if the URL cannot be used, or there is no such context.
    """
    if context is not None and context not in config.contexts:
        names = ", ".join(config.contexts) or "none"
        raise ConfigError(
            f"there is no context {context}{near_miss(context, list(config.contexts))}; the config"
            f" file has {names}"
        )
    named = config.contexts[context] if context is not None else Context()
    usual = config.contexts[config.context] if config.context is not None else Context()
    candidates = (
        (socket, url, "--socket" if socket else "--url", None, None),
        (named.socket, named.url, f"the context {context}", named.ca_file, context),
        (environ.get("HAAS_SOCKET"), None, "HAAS_SOCKET", None, None),
        (None, environ.get("HAAS_URL"), "HAAS_URL", None, None),
        (usual.socket, usual.url, f"the context {config.context}", usual.ca_file, config.context),
        (config.socket, config.url, "the config file", None, None),
    )
    for path, address, source, authority, name in candidates:
        if path:
            return Endpoint(path, None, source, context=name)
        if address:
            authority = ca_file or authority or config.ca_file
            return Endpoint(None, check_url(address, source), source, authority, name)
    return Endpoint(DEFAULT_SOCKET, None, "the default")
