"""Redfish (DMTF DSP0266) over HTTPS, by aiohttp.

Plain HTTP is not spoken: the password goes with each request. The certificate must be signed by an
authority that the system knows, or be the very one with the registered fingerprint.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from yarl import URL

from haas_rpcd import patience
from haas_rpcd.bmc import RegisteredBmc
from haas_rpcd.config import Credential
from haas_rpcd.drivers.bmc import words
from haas_rpcd.errors import DeviceError
from haas_schemas.bmc import BootDevice, PowerState

_ROOT = "/redfish/v1/"

_LONGEST = 2**20
"""Bytes of an answer that are read at most."""

_POWER: dict[str, PowerState] = {
    "On": "on",
    "Off": "off",
    "PoweringOn": "off",
    "PoweringOff": "on",
    "Paused": "on",
}
"""PowerState of ComputerSystem (DSP2046). One that is changing counts as what it was before."""

_RESET = {"on": ("On", "ForceOn"), "off": ("ForceOff",), "reset": ("ForceRestart",)}
"""Values of ResetType that do what is wanted, the best first."""

_BOOT = {"pxe": "Pxe", "disk": "Hdd"}


@asynccontextmanager
async def session(
    bmc: RegisteredBmc, credential: Credential, timeout: float
) -> AsyncIterator[RedfishSession]:
    """Find the node's system; ``timeout``: seconds for each answer. Raises DeviceError."""
    login = base64.b64encode(f"{credential.username}:{credential.password}".encode()).decode()
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=await _trust(bmc), limit=1),
        headers={"Authorization": f"Basic {login}", "OData-Version": "4.0"},
        timeout=aiohttp.ClientTimeout(),  # see RedfishSession
        trust_env=False,
    ) as http:
        opened = RedfishSession(bmc, http, timeout)
        await opened.find_system()
        yield opened


async def _trust(bmc: RegisteredBmc) -> ssl.SSLContext | aiohttp.Fingerprint:
    if bmc.fingerprint is None:
        return await asyncio.to_thread(ssl.create_default_context)  # reads all authorities
    encoded = bmc.fingerprint.removeprefix("SHA256:").rstrip("=") + "="
    return aiohttp.Fingerprint(base64.b64decode(encoded))


class RedfishSession:
    """A session with a BMC."""

    def __init__(self, bmc: RegisteredBmc, http: aiohttp.ClientSession, timeout: float) -> None:
        self._bmc = bmc
        self._http = http
        self._timeout = timeout
        self._system = ""

    async def find_system(self) -> None:
        """Find the computer system that is the node. Raises DeviceError."""
        root = await self._get(_ROOT)
        systems = await self._get(self._path(root.get("Systems")))
        members = systems.get("Members")
        if not isinstance(members, list) or not members:
            raise words.unreadable(self._bmc, "it has no computer system")
        paths = [self._path(member) for member in members]
        wanted = self._bmc.system
        if wanted is not None:
            paths = [path for path in paths if path.rstrip("/").rpartition("/")[2] == wanted]
        if len(paths) != 1:
            names = ", ".join(path.rstrip("/").rpartition("/")[2] for path in paths[:10])
            has = f"it has several systems ({names})" if paths else f"it has no system {wanted}"
            raise DeviceError(
                f"{self._bmc.node}'s BMC does not show which of its systems is the node: {has}."
                f" Name one with  {self._bmc.set_command} … --system ID",
                reason="mismatch",
            )
        self._system = paths[0]

    async def power(self) -> PowerState:
        """Ask whether the node is on. Raises DeviceError."""
        system = await self._get(self._system)
        said = system.get("PowerState")
        if not isinstance(said, str) or said not in _POWER:
            raise words.unreadable(self._bmc, f"PowerState {said}")
        return _POWER[said]

    async def switch(self, to: PowerState) -> None:
        """Request that the node is switched on or off. Raises DeviceError."""
        await self._reset(to, f"to switch the node {to}")

    async def reset(self) -> None:
        """Request a reset. Raises DeviceError."""
        await self._reset("reset", "to reset the node")

    async def boot_from(self, device: BootDevice) -> None:
        """Set from what the node boots once. Raises DeviceError."""
        _, headers = await self._request("GET", self._system, "to show its system")
        boot = {
            "BootSourceOverrideEnabled": "Once",
            "BootSourceOverrideTarget": _BOOT[device],
        }
        etag = headers.get("ETag")
        await self._request(
            "PATCH",
            self._system,
            f"to boot the node from {device}",
            {"Boot": boot},
            {"If-Match": etag} if etag else {},
        )

    async def _reset(self, action: str, what: str) -> None:
        system = await self._get(self._system)
        actions = system.get("Actions")
        reset = actions.get("#ComputerSystem.Reset") if isinstance(actions, dict) else None
        if not isinstance(reset, dict) or not isinstance(reset.get("target"), str):
            raise words.refused(self._bmc, what, "its system has no action Reset")
        allowed = reset.get("ResetType@Redfish.AllowableValues")
        known = allowed if isinstance(allowed, list) else _RESET[action][:1]
        kind = next((kind for kind in _RESET[action] if kind in known), None)
        if kind is None:
            raise words.refused(self._bmc, what, f"it can only {', '.join(map(str, known))}")
        await self._request("POST", self._own(reset["target"]), what, {"ResetType": kind})

    # --- requests ---------------------------------------------------------------------------------

    def _path(self, link: Any) -> str:
        if not isinstance(link, dict) or not isinstance(link.get("@odata.id"), str):
            raise words.unreadable(self._bmc, f"a link that is none: {link}")
        return self._own(link["@odata.id"])

    def _own(self, target: str) -> str:
        """Return the path of a link. The password must go to no other host."""
        if not target.startswith("/") or target.startswith("//"):
            raise words.unreadable(self._bmc, f"a link to elsewhere: {target}")
        return target

    async def _get(self, path: str) -> dict[str, Any]:
        body, _ = await self._request("GET", path, f"to show {path}")
        if not isinstance(body, dict):
            raise words.unreadable(self._bmc, str(body))
        return body

    async def _request(
        self,
        verb: str,
        path: str,
        what: str,
        body: dict[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Any, Mapping[str, str]]:
        host = f"[{self._bmc.host}]" if ":" in self._bmc.host else self._bmc.host
        url = URL(f"https://{host}:{self._bmc.port}{path}", encoded=True)
        try:
            async with (
                patience.timeout(self._timeout),
                self._http.request(
                    verb, url, json=body, headers=headers, allow_redirects=False
                ) as response,
            ):
                text = await self._read(response)
                if response.status in (401, 403):
                    raise words.login_refused(self._bmc, f"HTTP {response.status}")
                if response.status >= 300:
                    raise words.refused(self._bmc, what, _reason(response.status, text))
                return json.loads(text or b"{}"), response.headers
        except aiohttp.ServerFingerprintMismatch as error:
            raise self._not_trusted(error.got) from None
        except (aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError):
            raise self._not_trusted(await self._shown()) from None
        except TimeoutError:
            raise words.silent(self._bmc, self._timeout) from None
        except aiohttp.ClientConnectorError as error:
            why = error.os_error.strerror or str(error.os_error)
            raise words.unreachable(self._bmc, words.quoted(why)) from None
        except (aiohttp.ClientError, OSError) as error:
            raise words.unreachable(self._bmc, words.quoted(str(error))) from None
        except (ValueError, RecursionError):
            raise words.unreadable(self._bmc, "no JSON") from None

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        text = b""
        async for chunk in response.content.iter_chunked(2**16):
            text += chunk
            if len(text) > _LONGEST:
                raise words.unreadable(self._bmc, f"more than {_LONGEST} bytes")
        return text

    # --- certificates -----------------------------------------------------------------------------

    async def _shown(self) -> bytes | None:
        """Return the SHA-256 of the certificate that the BMC shows; nothing is sent to it."""
        anything = ssl.create_default_context()
        anything.check_hostname = False
        anything.verify_mode = ssl.CERT_NONE
        try:
            async with patience.timeout(self._timeout):
                _, writer = await asyncio.open_connection(
                    self._bmc.host, self._bmc.port, ssl=anything
                )
        except (OSError, TimeoutError):
            return None
        certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.transport.abort()
        return hashlib.sha256(certificate).digest()

    def _not_trusted(self, digest: bytes | None) -> DeviceError:
        shown = "" if digest is None else base64.b64encode(digest).decode().rstrip("=")
        return DeviceError(
            f"{self._bmc.node}'s BMC shows a certificate that is not trusted, with the fingerprint"
            f" SHA256:{shown}. If that is the BMC's own, trust it with"
            f"  {self._bmc.set_command} … --fingerprint SHA256:{shown}",
            reason="host_key",
        )


def _reason(status: int, text: bytes) -> str:
    """Return what an answer says of why something was refused (DSP0266, error responses)."""
    try:
        error = json.loads(text)["error"]
        found = [str(each["Message"]) for each in error.get("@Message.ExtendedInfo", ())]
        return f"HTTP {status}: {' '.join(found) or error['message']}"
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return f"HTTP {status}"
