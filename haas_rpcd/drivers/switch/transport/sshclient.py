"""Answers asyncssh's questions while a connection to a switch is made."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence

import asyncssh

from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch.transport.known_hosts import HostKey, Verdict

Connected = Callable[[socket.socket | None], None]
"""Called with the socket once TCP is connected."""

_ASKS_PASSWORD = re.compile(r"pass(?:word|code|phrase)?\b", re.I)
_ASKS_USERNAME = re.compile(r"user ?name|login", re.I)


class LoginClient(asyncssh.SSHClient):
    """Checks the host key and gives the credentials. The password is sent at most once."""

    def __init__(
        self,
        credential: Credential,
        judge: Callable[[HostKey], Verdict],
        connected: Connected,
    ) -> None:
        self._credential = credential
        self._judge = judge
        self._connected = connected
        self._asked = False
        self._questioned = False
        self.waiting = False
        """True while the switch has the password and has not accepted or refused it yet."""
        self.shown: HostKey | None = None
        self.verdict: Verdict = "unknown"

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

    def password_auth_requested(self) -> str | None:
        """Return the password, but only once: a wrong one sent twice may lock the account."""
        if self._asked:
            return None
        self._asked = self.waiting = True
        return self._credential.password

    def auth_completed(self) -> None:
        """Note that the login succeeded."""
        self.waiting = False

    def kbdint_auth_requested(self) -> str | None:
        """Offer keyboard-interactive authentication once, unless the password was refused."""
        if self._asked or self._questioned:  # sshd without PAM refuses without a question
            return None
        self._questioned = True
        return ""

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        """Answer prompts for the user name and the password; give up on any other."""
        answers = []
        for prompt, echo in prompts:
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
