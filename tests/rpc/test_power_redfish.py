"""Power by Redfish, against sushy-tools' emulator over TLS, and services that misbehave."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from haas_rpcd.bmc import BmcSettings
from haas_rpcd.config import Credential
from haas_rpcd.drivers.bmc.factory import BmcFactory
from haas_rpcd.errors import HaasError
from tests.rpc.bmcs import (
    PASSWORD,
    USER,
    Emulator,
    certificate_in,
    redfish_emulator,
    secrets_in,
)
from tests.rpc.small_site import Prepared, SmallSite, small_site

pytestmark = pytest.mark.slow

QUICK = BmcSettings(answer_timeout=10.0, settle_timeout=20.0, off_time=0.1)


@pytest.fixture
async def site(tmp_path: Path, prepared: Prepared) -> AsyncIterator[SmallSite]:
    """Red holds node-1 and node-2."""
    async with small_site(tmp_path, prepared, bmc=QUICK) as site:
        site.credentials["bmcs"] = Credential(username=USER, password=PASSWORD)
        await site.hold_nodes("red", "node-1", "node-2")
        yield site


@pytest.fixture
async def emulator(tmp_path: Path) -> AsyncIterator[Emulator]:
    async with redfish_emulator(tmp_path / "bmc", systems=("first", "second")) as emulator:
        yield emulator


async def register(site: SmallSite, params: dict[str, Any], node: str = "node-1") -> None:
    await site.call("bmc.set", node=node, credential="bmcs", **params)


async def test_one_service_with_two_nodes_through_a_day(
    site: SmallSite, emulator: Emulator
) -> None:
    """The emulator answers at once and follows later, as real BMCs do."""
    rita = site.tenant("rita")
    await register(site, emulator.params)
    several = await site.refused("node.power", node="node-1", action="status")
    assert "it has several systems (first, second)" in several.message
    await register(site, {**emulator.params, "system": "third"})
    assert (
        "it has no system third"
        in (await site.refused("node.power", node="node-1", action="status")).message
    )
    await register(site, {**emulator.params, "system": "first"})
    await register(site, {**emulator.params, "system": "second"}, "node-2")

    on = await rita.call("node.power", node="node-1", action="on", boot="pxe")
    assert (on["power"], on["boot"]) == ("on", "pxe")
    other = await rita.call("node.power", node="node-2", action="status")
    assert other["power"] == "off"
    await rita.call("node.power", node="node-1", action="reset")
    assert (await rita.call("node.power", node="node-1", action="off"))["power"] == "off"

    site.credentials["bmcs"] = Credential(username=USER, password=PASSWORD + "x")
    error = await site.refused("node.power", node="node-1", action="on")
    assert "refused the login (HTTP 401)" in error.message
    assert not secrets_in(error.message)


async def test_a_certificate_is_signed_or_pinned(site: SmallSite, emulator: Emulator) -> None:
    """The sentence names the fingerprint that the service shows, for an admin to compare."""
    unpinned = {**emulator.params, "fingerprint": None, "system": "first"}
    await register(site, unpinned)
    error = await site.refused("node.power", node="node-1", action="status")
    assert error.data["reason"] == "host_key"
    assert f"fingerprint {emulator.fingerprint}." in error.message
    await register(site, {**unpinned, "fingerprint": "SHA256:" + "A" * 43})
    error = await site.refused("node.power", node="node-1", action="status")
    assert f"fingerprint {emulator.fingerprint}." in error.message
    with pytest.raises(HaasError) as told:
        await site.tenant("rita").call("node.power", node="node-1", action="status")
    assert str(told.value) == (
        "node-1's BMC is not trusted: it shows another certificate; an admin sees why"
    )


# --- services that misbehave ----------------------------------------------------------------------


class Service:
    """A Redfish service written from DSP0266, whose answers can be replaced."""

    def __init__(self) -> None:
        self.power = "Off"
        self.obeys = True
        self.replies: dict[str, Any] = {}
        self.posted: list[Any] = []
        self.silent = asyncio.Event()
        self.silent.set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await self.silent.wait()
        if (reply := self.replies.get(request.path)) is not None:
            if isinstance(reply, web.Response):
                return reply
            return web.json_response(reply)
        if request.method == "POST":
            kind = (await request.json())["ResetType"]
            self.posted.append(kind)
            if self.obeys:
                self.power = "On" if kind == "On" else "Off"
            return web.Response(status=204)
        reset = {"target": "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset"}
        return web.json_response(
            {
                "/redfish/v1/": {"Systems": {"@odata.id": "/redfish/v1/Systems"}},
                "/redfish/v1/Systems": {"Members": [{"@odata.id": "/redfish/v1/Systems/1"}]},
                "/redfish/v1/Systems/1": {
                    "PowerState": self.power,
                    "Actions": {"#ComputerSystem.Reset": reset},
                },
            }[request.path]
        )


@pytest.fixture
async def service(tmp_path: Path, site: SmallSite) -> AsyncIterator[Service]:
    """The service is node-1's BMC."""
    folder = tmp_path / "service"
    folder.mkdir()
    fingerprint = certificate_in(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    service = Service()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", service.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await listener.start()
    port = runner.addresses[0][1]
    await register(
        site,
        {"protocol": "redfish", "host": "127.0.0.1", "port": port, "fingerprint": fingerprint},
    )
    yield service
    service.silent.set()
    await runner.cleanup()


async def refusal(site: SmallSite, action: str = "on", **params: str) -> Any:
    return await site.refused("node.power", node="node-1", action=action, **params)


async def test_a_service_that_lies_or_refuses_says_so(site: SmallSite, service: Service) -> None:
    site.daemon.power.settings = BmcSettings(settle_timeout=1.0)
    service.obeys = False
    error = await refusal(site)
    assert error.message == "node-1's BMC accepted power on, but the node is still off after 1 s."
    assert service.posted == ["On"]

    why = {"error": {"@Message.ExtendedInfo": [{"Message": f"no licence\x1b[2J{PASSWORD}"}]}}
    target = "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset"
    service.replies[target] = web.Response(status=400, text=json.dumps(why))
    error = await refusal(site)
    assert error.message == (
        "node-1's BMC refused to switch the node on: HTTP 400: no licence [2J***"
    )
    assert (await site.call("node.show", node="node-1"))["power"] == "off"


@pytest.mark.parametrize(
    "system",
    [
        [], "no", {}, {"PowerState": None}, {"PowerState": ["On"]}, {"PowerState": "Maybe"},
        web.Response(text="<html>"), web.Response(text="[" * 100_000),
    ],
    ids=str,
)  # fmt: skip
async def test_nonsense_is_not_believed(site: SmallSite, service: Service, system: Any) -> None:
    service.replies["/redfish/v1/Systems/1"] = system
    error = await refusal(site, "status")
    assert error.data["reason"] == "unreadable"
    assert (await site.call("node.show", node="node-1"))["power"] is None


async def test_the_password_is_sent_to_no_other_host(site: SmallSite, service: Service) -> None:
    for elsewhere in ("https://evil.example/redfish/v1/Systems", "//evil.example/Systems"):
        service.replies["/redfish/v1/"] = {"Systems": {"@odata.id": elsewhere}}
        error = await refusal(site, "status")
        assert "a link to elsewhere" in error.message
    moved = web.Response(status=302, headers={"Location": "https://evil.example/"})
    service.replies["/redfish/v1/"] = moved
    assert "HTTP 302" in (await refusal(site, "status")).message


async def test_a_service_that_falls_silent_is_timed_out(site: SmallSite, service: Service) -> None:
    await site.call("node.power", node="node-1", action="status")
    impatient = BmcSettings(answer_timeout=1.0)
    site.daemon.power.connector = BmcFactory(impatient, lambda: site.credentials, "")
    service.silent.clear()
    error = await refusal(site)
    assert error.data["reason"] == "timeout"
    assert (await site.call("node.show", node="node-1"))["power"] is None
