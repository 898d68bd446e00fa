"""Tells who is calling: from the peer of a Unix socket to a HaaS user and a role."""

from haas_rpcd.auth.authenticator import Authenticator
from haas_rpcd.auth.caller import DAEMON, Caller
from haas_rpcd.auth.peer import Peer, peer_of

__all__ = ["DAEMON", "Authenticator", "Caller", "Peer", "peer_of"]
