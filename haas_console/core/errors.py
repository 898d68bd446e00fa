"""Errors that users of the console read, as sentences that say what to do."""

from __future__ import annotations

from typing import Any


class ConsoleError(Exception):
    """The base class; ``str()`` is the sentence."""


class ConfigError(ConsoleError):
    """A setting is wrong; the sentence names the key and the file or variable."""


class CommandSyntaxError(ConsoleError):
    """A line is no command of this API; this is found before anything is sent.

    ``usage`` is the usage line of the command, if it is known.
    """

    def __init__(self, message: str, usage: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.usage = usage

    def __str__(self) -> str:
        return f"{self.message}\n  usage: {self.usage}" if self.usage else self.message


class ReadonlyError(ConsoleError):
    """A command would change something, and the session is read-only."""


class NoDaemonError(ConsoleError):
    """There is no daemon; the sentence says what was tried and what to do."""


class LostDaemonError(NoDaemonError):
    """The daemon has gone away, or did not answer in time."""


class TooSlowError(LostDaemonError):
    """The daemon ended the connection because this end did not take its notifications in time."""


class RpcError(ConsoleError):
    """The daemon refused a call, with a ``code``, a ``message`` and ``data`` (with ``kind``)."""

    def __init__(self, code: int, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data or {}

    @property
    def kind(self) -> str:
        """The kind of error, e.g. ``conflict``; empty if the daemon gave none."""
        return str(self.data.get("kind", ""))


class DeniedError(RpcError):
    """The caller lacks permission, for this call or for all."""


def _of_device(device: str, message: str) -> str:
    """Put a device before a message, unless that begins with it: ``sw1 did not answer …``."""
    return message if device in message.split(maxsplit=2)[:2] else f"{device}: {message}"


class JobFailedError(ConsoleError):
    """An apply did not succeed; ``job`` is the daemon's record of it."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        number, state = self.job.get("job"), self.job.get("state")
        reason = self.job.get("error") or "the daemon gives no reason"
        failed = [
            f"  {_of_device(step['device'], step['message'])}"
            for step in self.job.get("steps", [])
            if step.get("state") == "failed" and step.get("message")
        ]
        # If a device is unreachable all its steps fail with the same sentence: show it once.
        reasons = [line for line in dict.fromkeys(failed) if line.strip() != reason]
        return "\n".join([f"job {number} {state}: {reason}", *reasons])
