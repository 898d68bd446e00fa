"""Tells who is calling: from the peer of a Unix socket, or a token, to a HaaS user and a role."""

from haas_rpcd.auth.authenticator import Authenticator
from haas_rpcd.auth.bearer import BearerTokens, TooManyAttemptsError
from haas_rpcd.auth.caller import DAEMON, Caller
from haas_rpcd.auth.peer import Peer, peer_of

__all__ = [
    "DAEMON",
    "Authenticator",
    "BearerTokens",
    "Caller",
    "Peer",
    "TooManyAttemptsError",
    "peer_of",
]
