"""A client of etcd's JSON gateway, for the few calls that an election needs.

The gateway is described in https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/: keys and values
are base64, 64-bit numbers are strings, and what is false or 0 is left out.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Sequence
from typing import Any

import aiohttp
import msgspec


class EtcdError(Exception):
    """No member of etcd answers, or it refuses. The message says which, and why."""


class Entry(msgspec.Struct, frozen=True):
    """A key that is there: its value, and the revision of etcd at which it was created."""

    value: str
    created: int


class Etcd:
    """The members of one etcd. All methods raise EtcdError; a call takes at most ``timeout`` s."""

    def __init__(
        self, endpoints: Sequence[str], *, timeout: float, tls: ssl.SSLContext | None = None
    ) -> None:
        self._endpoints = [endpoint.rstrip("/") for endpoint in endpoints]
        self._timeout = timeout
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def grant(self, ttl: int) -> int:
        """Return a new lease that lives for so many seconds."""
        return int((await self._post("/v3/lease/grant", {"TTL": str(ttl)}))["ID"])

    async def keep_alive(self, lease: int) -> bool:
        """Renew a lease; return False if it has expired."""
        answer = await self._post("/v3/lease/keepalive", {"ID": str(lease)})
        return int(answer.get("result", {}).get("TTL", 0)) > 0

    async def revoke(self, lease: int) -> None:
        """End a lease, and delete the keys under it."""
        await self._post("/v3/lease/revoke", {"ID": str(lease)})

    async def get(self, key: str) -> Entry | None:
        """Return a key as the majority has it."""
        answer = await self._post("/v3/kv/range", {"key": _b64(key)})
        return _entry(answer)

    async def create(self, key: str, value: str, lease: int) -> Entry | None:
        """Create a key under a lease; return it, or None if there is one already."""
        put = {"request_put": {"key": _b64(key), "value": _b64(value), "lease": str(lease)}}
        answer = await self._transaction(_created(key, 0), put)
        if not answer.get("succeeded"):
            return None
        return Entry(value, int(answer["header"]["revision"]))

    async def put_if(self, key: str, created: int, other: str, value: str) -> bool:
        """Set another key if ``key`` is the one created at that revision; return whether it is."""
        put = {"request_put": {"key": _b64(other), "value": _b64(value)}}
        return bool((await self._transaction(_created(key, created), put)).get("succeeded"))

    async def is_still(self, key: str, created: int) -> bool:
        """Return whether a key is the one created at that revision, as the majority has it."""
        there = {"request_range": {"key": _b64(key), "keys_only": True}}
        return bool((await self._transaction(_created(key, created), there)).get("succeeded"))

    async def _transaction(self, compare: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
        return await self._post("/v3/kv/txn", {"compare": [compare], "success": [then]})

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask the members in turn, beginning with the one that answered last."""
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self._tls if self._tls is not None else True)
            self._session = aiohttp.ClientSession(connector=connector)
        errors = []
        each = aiohttp.ClientTimeout(total=self._timeout / len(self._endpoints))
        for endpoint in list(self._endpoints):
            try:
                async with self._session.post(endpoint + path, json=body, timeout=each) as answer:
                    found: dict[str, Any] = await answer.json(content_type=None)
                    if answer.status == 200:
                        self._endpoints.remove(endpoint)
                        self._endpoints.insert(0, endpoint)
                        return found
                    errors.append(f"{endpoint}: {found.get('error', answer.status)}")
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                errors.append(f"{endpoint}: {error or 'no answer in time'}")
        raise EtcdError(f"etcd can't be asked: {'; '.join(errors)}.")


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _created(key: str, revision: int) -> dict[str, Any]:
    """The condition that a key was created at a revision; 0: that it is not there."""
    return {
        "target": "CREATE",
        "key": _b64(key),
        "create_revision": str(revision),
        "result": "EQUAL",
    }


def _entry(answer: dict[str, Any]) -> Entry | None:
    found = answer.get("kvs")
    if not found:
        return None
    value = base64.b64decode(found[0].get("value", "")).decode()
    return Entry(value, int(found[0]["create_revision"]))
