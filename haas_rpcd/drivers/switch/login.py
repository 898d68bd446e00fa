"""Logging in to a switch: user name, password, and privileged mode."""

from __future__ import annotations

import asyncio
import re
from typing import NamedTuple

from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch import answers, channel
from haas_rpcd.drivers.switch.answers import quote
from haas_rpcd.drivers.switch.channel import Channel
from haas_rpcd.drivers.switch.dialect import Dialect
from haas_rpcd.errors import DeviceError

_MAX_PASSWORDS = 3
"""Passwords sent at most. Some switches ask for a password, then for a user name and a password."""

_BANNER_PAUSE = 0.1
"""Seconds within which a switch that is printing its banner prints more of it."""

_Patterns = dict[str, re.Pattern[str] | None]


class _Found(NamedTuple):
    """The pattern that matched the end of the output."""

    kind: str
    match: re.Match[str]


class Login:
    """One login over a fresh channel. ``timeout``: seconds for each prompt."""

    def __init__(
        self, channel: Channel, dialect: Dialect, credential: Credential, timeout: float
    ) -> None:
        self._channel = channel
        self._dialect = dialect
        self._credential = credential
        self._timeout = timeout

    async def run(self) -> str:
        """Log in, enter privileged mode if there is one, and return the prompt.

        Raises DeviceError: ``login``, ``enable``, ``busy``, ``cut``, ``timeout``.
        """
        prompt = await self._authenticate()
        enable = self._dialect.enable
        if enable is not None and self._dialect.unprivileged(prompt):
            prompt = await self._enable(enable)
        return prompt

    async def _authenticate(self) -> str:
        """Answer the questions of the login until a prompt appears; return the prompt."""
        dialect, credential = self._dialect, self._credential
        passwords = 0
        asked: set[str] = set()
        patterns: _Patterns = {
            "no free session": dialect.no_free_session,
            "failed": dialect.login_failed,
            "username": dialect.username,
            "password": dialect.password,
            "key": dialect.press_key,
            "prompt": dialect.any_prompt,
        }
        while True:
            found = await self._expect(patterns, "login", fresh=not asked)
            again = found.kind == "username" and "password" in asked
            if found.kind == "no free session":
                raise self._busy(found.match.group())
            if found.kind == "failed" or again or passwords >= _MAX_PASSWORDS:
                said = found.match.group() if found.kind == "failed" else ""
                raise self._refused(said)
            if found.kind == "prompt":
                if not asked and await self._is_banner(patterns):
                    continue
                return found.match.group().strip()
            asked.add(found.kind)
            if found.kind == "username":
                self._send(credential.username)
            elif found.kind == "password":
                if passwords:  # it asks again at once: the first password was wrong
                    raise self._refused("")
                passwords += 1
                self._send(credential.password)
            else:
                self._send("")

    async def _is_banner(self, patterns: _Patterns) -> bool:
        """Return whether an apparent prompt is part of a banner: more output follows at once.

        Only checked before the first question, because input sent now would be taken as the user
        name.
        """
        wait = _BANNER_PAUSE
        while not any(
            pattern and pattern.search(self._channel.buffer) for pattern in patterns.values()
        ):
            if await self._channel.receive(asyncio.get_running_loop().time() + wait) != "output":
                return False
            wait = channel.PROMPT_FALLBACK
            if answers.only_logs(self._channel.buffer):
                return False
        return True

    async def _enable(self, line: str) -> str:
        """Enter privileged mode; return its prompt."""
        dialect, credential = self._dialect, self._credential
        self._send(line)
        asked = named = False
        while True:
            found = await self._expect(
                {
                    "failed": dialect.enable_failed,
                    "username": dialect.username,
                    "password": dialect.password,
                    "prompt": dialect.any_prompt,
                },
                "enable",
            )
            if found.kind == "prompt":
                prompt = found.match.group().strip()
                if not dialect.unprivileged(prompt):
                    return prompt
            if found.kind == "username" and not named:
                named = True
                self._send(credential.username)
                continue
            if found.kind == "password" and not asked:
                # A switch that asks for the user name wants the user's own password.
                secret = credential.enable or (credential.password if named else "")
                if not secret:
                    raise DeviceError(
                        f"{self._channel.device} asks for an enable password: add  enable = …  to"
                        " its entry in the credentials file.",
                        reason="enable",
                    )
                asked = True
                self._send(secret)
                continue
            said = f" ({quote(found.match.group())})" if found.kind == "failed" else ""
            raise DeviceError(
                f"{self._channel.device} refused privileged mode{said}: check the enable password"
                " of its entry in the credentials file.",
                reason="enable",
            )

    # --- output -----------------------------------------------------------------------------------

    def _send(self, line: str) -> None:
        self._channel.buffer = ""
        self._channel.send(line)

    async def _expect(self, patterns: _Patterns, doing: str, *, fresh: bool = False) -> _Found:
        """Read until a pattern matches the end of the output, and drop that output.

        ``fresh``: nothing was asked yet. A connection that is closed without a word at this point
        means that no session is free.
        """
        deadline = asyncio.get_running_loop().time() + self._timeout
        while (found := self._match(patterns)) is None:
            match await self._channel.receive(deadline):
                case "timeout":
                    raise self._channel.timed_out(doing, self._timeout)
                case "closed" if fresh and not quote(self._channel.buffer):
                    raise self._busy("")
                case "closed":
                    raise self._channel.closed(doing)
        return found

    def _match(self, patterns: _Patterns) -> _Found | None:
        for kind, pattern in patterns.items():
            if pattern is not None and (match := pattern.search(self._channel.buffer)):
                self._channel.buffer = ""
                return _Found(kind, match)
        return None

    # --- errors -----------------------------------------------------------------------------------

    def _refused(self, answer: str) -> DeviceError:
        said = quote(answer)
        user = self._credential.username
        return DeviceError(
            f"{self._channel.device} refused the login"
            + (f" of {user}" if user else "")
            + (f" ({said})" if said else "")
            + ": check its entry in the credentials file.",
            reason="login",
        )

    def _busy(self, said: str) -> DeviceError:
        words = quote(said)
        return DeviceError(
            f"{self._channel.device} has no session free{f' ({words})' if words else ''}: close one"
            " that nobody needs, then apply again.",
            reason="busy",
        )
