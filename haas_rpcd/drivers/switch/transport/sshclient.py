"""Answers asyncssh's questions while a connection to a switch is made."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from typing import Any

import asyncssh

from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch.transport.known_hosts import HostKey, Verdict

Connected = Callable[[socket.socket | None], None]
"""Called with the socket once TCP is connected."""

_ASKS_PASSWORD = re.compile(r"pass(?:word|code|phrase)?\b", re.I)
_ASKS_NEW_PASSWORD = re.compile(r"\b(?:new|old|current|retype|re-enter)\b.*\bpassword", re.I)
_ASKS_USERNAME = re.compile(r"user ?name|login", re.I)


class LoginClient(asyncssh.SSHClient):
    """Checks the host key and gives the credentials. The password is sent at most once."""

    def __init__(
        self,
        credential: Credential,
        judge: Callable[[HostKey], Verdict],
        connected: Connected,
        trusts_authority: Callable[[HostKey], bool] = lambda authority: False,
    ) -> None:
        self._credential = credential
        self._judge = judge
        self._trusts_authority = trusts_authority
        self._connected = connected
        self._asked = False
        self._questioned = False
        self.waiting = False
        """True while the switch has the password and has not accepted or refused it yet."""
        self.expired = ""
        """What the switch said if it wants a new password."""
        self.shown: HostKey | None = None
        self.verdict: Verdict = "unknown"
        self.authority: HostKey | None = None
        """The authority that signed the host's certificate, if it showed one."""
        self.trusts_authority = False

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """Note that TCP is connected."""
        self._connected(conn.get_extra_info("socket"))

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        """Check the key against the file of known hosts, and nothing else."""
        self.shown = HostKey(key.public_data)
        self.verdict = self._judge(self.shown)
        return self.verdict == "known"

    def validate_host_ca_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Check the authority that signed the host's certificate."""
        self.authority = HostKey(key.public_data)
        self.trusts_authority = self._trusts_authority(self.authority)
        return self.trusts_authority

    @property
    def _has_password(self) -> bool:
        return bool(self._credential.password) or not self._credential.key_file

    def password_auth_requested(self) -> str | None:
        """Return the password, but only once: a wrong one sent twice may lock the account."""
        if self._asked or not self._has_password:
            return None
        self._asked = self.waiting = True
        return self._credential.password

    def password_change_requested(self, prompt: str, lang: str) -> Any:
        """Note that the password has expired, and give no new one."""
        self.expired = prompt.strip() or "password expired"
        return NotImplemented

    def auth_completed(self) -> None:
        """Note that the login succeeded."""
        self.waiting = False

    def kbdint_auth_requested(self) -> str | None:
        """Offer keyboard-interactive authentication once, unless the password was refused."""
        if (
            self._asked or self._questioned or not self._has_password
        ):  # sshd without PAM refuses without a question
            return None
        self._questioned = True
        return ""

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        """Answer prompts for the user name and the password; give up on any other."""
        answers = []
        for prompt, echo in prompts:
            if _ASKS_NEW_PASSWORD.search(prompt):
                self.expired = instructions.strip() or prompt.strip()
                return None
            if not echo and _ASKS_PASSWORD.search(prompt):
                password = self.password_auth_requested()
                if password is None:
                    return None
                answers.append(password)
            elif echo and _ASKS_USERNAME.search(prompt):
                answers.append(self._credential.username)
            else:
                return None
        return answers
