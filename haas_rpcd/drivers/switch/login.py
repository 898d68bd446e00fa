"""Logging in to a switch: user name, password, and privileged mode."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from haas_rpcd import patience
from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch import answers, channel
from haas_rpcd.drivers.switch.answers import quote
from haas_rpcd.drivers.switch.channel import Channel
from haas_rpcd.drivers.switch.dialogue import Dialogue
from haas_rpcd.errors import DeviceError

_MAX_QUESTIONS = 12
"""Questions that are answered at most: a switch that goes on asking lets nobody in."""

_MAX_USERNAMES = 3
"""User names sent at most, if none is followed by a question for the password."""

_BANNER_PAUSE = 0.1
"""Seconds within which a switch that is printing its banner prints more of it."""

_AFTER_REFUSAL = 2.0
"""After this many seconds of silence, words that look like a refusal count as one."""

_LONGEST_QUESTION = 2048
"""Characters of the last line that are searched for a question or a prompt."""

_LONGEST_MESSAGE = 512
"""Characters of a line that are searched for a refusal."""

_Patterns = Mapping[str, re.Pattern[str] | None]


class _Found(NamedTuple):
    """The pattern that matched the end of the output, or how the output ended."""

    kind: str
    said: str = ""


class Login:
    """One login over a fresh channel. ``timeout``: seconds for each prompt."""

    def __init__(
        self, channel: Channel, dialogue: Dialogue, credential: Credential, timeout: float
    ) -> None:
        self._channel = channel
        self._dialogue = dialogue
        self._credential = credential
        self._timeout = timeout
        self._row = 0  # where the first line starts that was not searched for messages
        self._message: _Found | None = None  # what looks like a refusal, if nothing else follows

    async def run(self) -> str:
        """Log in, enter privileged mode if there is one, and return the prompt.

        Raises DeviceError: ``login``, ``enable``, ``busy``, ``cut``, ``timeout``.
        """
        prompt = await self._authenticate()
        enable = self._dialogue.enable
        if enable is not None and self._dialogue.unprivileged(prompt):
            prompt = await self._enable(enable)
        return prompt

    async def _authenticate(self) -> str:
        """Answer the questions of the login until a prompt appears; return the prompt."""
        dialogue, credential = self._dialogue, self._credential
        questions: _Patterns = {
            "new password": dialogue.new_password,
            "username": dialogue.username,
            "password": dialogue.password,
            "key": dialogue.press_key,
            "prompt": dialogue.any_prompt,
        }
        asked: Counter[str] = Counter()
        while True:
            messages = {
                "busy": dialogue.no_free_session if not asked else None,
                "failed": dialogue.login_failed if asked["password"] else None,
                "expired": dialogue.password_expired if asked["password"] else None,
            }
            found = await self._expect(questions, messages, "login", fresh=not asked)
            refusal = self._message
            if found.kind == "prompt":
                if not asked and await self._is_banner(questions):
                    continue
                return found.said
            if found.kind == "new password" or (refusal and refusal.kind == "expired"):
                raise self._expired(refusal.said if refusal else found.said)
            asked[found.kind] += 1
            if found.kind == "busy":
                raise self._busy(found.said)
            if (
                found.kind == "failed"
                or asked["password"] > 1  # it asks again: the first password was wrong
                or (found.kind == "username" and asked["password"])
                or asked["username"] > _MAX_USERNAMES
                or asked.total() > _MAX_QUESTIONS
            ):
                raise self._refused(refusal.said if refusal else "")
            answers_to = {"username": credential.username, "password": credential.password}
            self._send(answers_to.get(found.kind, ""))

    async def _is_banner(self, questions: _Patterns) -> bool:
        """Return whether an apparent prompt is part of a banner: more output follows at once.

        Only checked before the first question, because input sent now would be taken as the user
        name.
        """
        wait = _BANNER_PAUSE
        while self._question(questions) is None:
            if await self._channel.receive(patience.now() + wait) != "output":
                return False
            wait = channel.PROMPT_FALLBACK
            if answers.only_logs(self._channel.buffer[-_LONGEST_QUESTION:]):
                return False
        return True

    async def _enable(self, line: str) -> str:
        """Enter privileged mode; return its prompt."""
        dialogue, credential = self._dialogue, self._credential
        self._send(line)
        asked = named = False
        while True:
            found = await self._expect(
                {
                    "username": dialogue.username,
                    "password": dialogue.password,
                    "prompt": dialogue.any_prompt,
                },
                {"failed": dialogue.enable_failed},
                "enable",
            )
            if found.kind == "prompt" and not dialogue.unprivileged(found.said):
                return found.said
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
            said = f" ({quote(self._message.said)})" if self._message else ""
            raise DeviceError(
                f"{self._channel.device} refused privileged mode{said}: check the enable password"
                " of its entry in the credentials file.",
                reason="enable",
            )

    # --- output -----------------------------------------------------------------------------------

    def _send(self, line: str) -> None:
        self._channel.buffer = ""
        self._row, self._message = 0, None
        self._channel.send(line)

    async def _expect(
        self, questions: _Patterns, messages: _Patterns, doing: str, *, fresh: bool = False
    ) -> _Found:
        """Read until a question or a prompt is at the end of the output, and drop that output.

        A message counts if the switch then closes the connection or falls silent. The last one is
        kept. ``fresh``: nothing was asked yet. A connection that is closed without a word at this
        point means that no session is free.
        """
        deadline = patience.now() + self._timeout
        while True:
            self._find_message(messages)
            if (found := self._question(questions)) is not None:
                self._channel.buffer, self._row = "", 0
                return found
            wait = patience.now() + _AFTER_REFUSAL if self._message else deadline
            received = await self._channel.receive(min(deadline, wait))
            if received == "output":
                continue
            self._find_message(messages)
            if self._message is not None and received != "flood":
                return self._message
            if received == "closed" and fresh and not quote(self._channel.buffer):
                raise self._busy("")
            raise self._channel.error(received, doing, self._timeout)

    def _question(self, questions: _Patterns) -> _Found | None:
        """Return the question or the prompt that ends the output: its last line, if it is short."""
        buffer = self._channel.buffer
        start = max(0, len(buffer) - _LONGEST_QUESTION)
        for kind, pattern in questions.items():
            if pattern is not None and (match := pattern.search(buffer, start)):
                return _Found(kind, match.group().strip())
        return None

    def _find_message(self, messages: _Patterns) -> None:
        """Search the new lines for what looks like a refusal."""
        buffer = self._channel.buffer
        end = 1 + max(buffer.rfind("\n", self._row), buffer.rfind("\r", self._row))
        if end == 0:
            return
        fresh = buffer[self._row : end].replace("\r", "\n").split("\n")
        rows = [row[:_LONGEST_MESSAGE] for row in fresh]
        lines = "\n".join(rows) + "\n"
        self._row = end
        found = {kind: one for kind, one in messages.items() if one is not None}
        found = {kind: one for kind, one in found.items() if one.search(lines)}
        if not found:  # as in nearly all output
            return
        for row in rows:
            for kind, pattern in found.items():
                if not pattern.search(f"{row}\n"):
                    continue
                if self._message is None or self._message.kind != "expired":  # the better reason
                    self._message = _Found(kind, row.strip())

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

    def _expired(self, said: str) -> DeviceError:
        user = self._credential.username
        return DeviceError(
            f"{self._channel.device} wants a new password{f' for {user}' if user else ''}"
            f" ({quote(said)}): change it on the switch, then in the credentials file.",
            reason="login",
        )

    def _busy(self, said: str) -> DeviceError:
        words = quote(said)
        return DeviceError(
            f"{self._channel.device} has no session free{f' ({words})' if words else ''}: close one"
            " that nobody needs, then apply again.",
            reason="busy",
        )
