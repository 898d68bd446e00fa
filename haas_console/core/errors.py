"""Everything that can go wrong for the client, as sentences that say what to do."""

from __future__ import annotations

from typing import Any


class ConsoleError(Exception):
    """The base of all errors a user of the console gets to read; ``str()`` is the sentence."""


class ConfigError(ConsoleError):
    """A setting that cannot be used; the sentence names the key and the file or variable."""


class CommandSyntaxError(ConsoleError):
    """A line that is no command of this API; found before anything is sent.

    ``usage`` is the line to follow instead, where there is one.
    """

    def __init__(self, message: str, usage: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.usage = usage

    def __str__(self) -> str:
        return f"{self.message}\n  usage: {self.usage}" if self.usage else self.message


class ReadonlyError(ConsoleError):
    """A command that would change something, in a session that may only look."""


class NoDaemonError(ConsoleError):
    """No daemon answers; the sentence says what was tried and what to do."""


class LostDaemonError(NoDaemonError):
    """The daemon was there and is not any more, or does not answer in time."""


class RpcError(ConsoleError):
    """The daemon's refusal: its ``code``, its ``message`` and its ``data`` (with ``kind``)."""

    def __init__(self, code: int, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data or {}

    @property
    def kind(self) -> str:
        """The word a program can match, e.g. ``conflict``; empty when the daemon gave none."""
        return str(self.data.get("kind", ""))


class DeniedError(RpcError):
    """The daemon lets this caller in for nothing, or not for this."""


class JobFailedError(ConsoleError):
    """An apply that ended in anything but success; ``job`` is the daemon's record of it."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        number, state = self.job.get("job"), self.job.get("state")
        reason = self.job.get("error") or "the daemon gives no reason"
        failed = [
            f"  {step['device']}: {step['message']}"
            for step in self.job.get("steps", [])
            if step.get("state") == "failed" and step.get("message")
        ]
        # A device that is cut off fails all its steps with one sentence: once is enough.
        told = [line for line in dict.fromkeys(failed) if line.strip() != reason]
        return "\n".join([f"job {number} {state}: {reason}", *told])
