"""TCP with TLS: tokens, certificates, and what strangers can do there."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSCloseCode

from haas_rpcd.config import ConfigError, Server
from haas_rpcd.rpc.tls import Certificate as Settings
from tests.rpc import certificates
from tests.rpc.authorities import Authority
from tests.rpc.certificates import Certificate
from tests.rpc.small_site import Prepared, SmallSite, small_site

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("openssl"), reason="wants openssl"),
]


def server(folder: Path, certificate: Certificate | None, **more: Any) -> Server:
    return Server(
        socket=str(folder / "rpcd.sock"),
        listen="127.0.0.1:0",
        tls_cert=str(certificate.cert) if certificate else None,
        tls_key=str(certificate.key) if certificate else None,
        **more,
    )


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return certificates.make(tmp_path)


@pytest.fixture
async def secure(
    tmp_path: Path, prepared: Prepared, certificate: Certificate
) -> AsyncIterator[SmallSite]:
    async with small_site(tmp_path, prepared, server=server(tmp_path, certificate)) as site:
        yield site


def url(site: SmallSite, scheme: str = "https") -> str:
    [(_, port)] = site.daemon.tcp_addresses
    return f"{scheme}://127.0.0.1:{port}/rpc"


async def token_of(site: SmallSite, user: str, **params: Any) -> str:
    made = await site.tenant(user).call("token.create", label="t", **params)
    return str(made["token"])


async def post(
    site: SmallSite, token: str | None, tls: Any, method: str = "system.info", **params: Any
) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    body = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
    address = url(site, "https" if tls else "http")
    async with (
        aiohttp.ClientSession() as http,
        http.post(address, json=body, headers=headers, ssl=tls or True) as response,
    ):
        return response.status, await response.json()


async def test_a_token_comes_in_over_tls(secure: SmallSite, certificate: Certificate) -> None:
    token = await token_of(secure, "rita")
    status, answer = await post(secure, token, certificate.trusting())
    assert status == 200
    assert (answer["result"]["user"], answer["result"]["via"]) == ("rita", "token t")
    [listed] = (await secure.tenant("rita").call("token.list"))["items"]
    assert listed["last_used"] is not None


@pytest.mark.parametrize("token", [None, "", "haas_" + "x" * 43, "x" * 5000, "Basic cm9vdDo="])
async def test_without_a_good_token_nobody_comes_in(
    secure: SmallSite, certificate: Certificate, token: str | None
) -> None:
    status, answer = await post(secure, token, certificate.trusting())
    assert status == 401
    assert answer["error"]["data"] == {"kind": "denied"}
    assert "result" not in answer


async def test_no_answer_tells_which_versions_answer(
    secure: SmallSite, certificate: Certificate
) -> None:
    token = await token_of(secure, "rita")
    tls = certificate.trusting()
    async with aiohttp.ClientSession() as http:
        for headers in ({}, {"Authorization": f"Bearer {token}"}):
            for path in ("", "/nothing"):
                async with http.get(url(secure) + path, headers=headers, ssl=tls) as answer:
                    assert "Server" not in answer.headers
        headers = {"Authorization": f"Bearer {token}"}
        async with http.ws_connect(url(secure), headers=headers, ssl=tls) as ws:
            assert "Server" not in ws._response.headers
    [address] = secure.daemon.tcp_addresses
    for noise in (b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nno header\r\n\r\n"):
        reader, writer = await asyncio.open_connection(*address, ssl=tls)
        writer.write(noise)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.0 400 ")
        assert b"aiohttp" not in answer and b"Python" not in answer
        writer.close()


async def test_a_websocket_comes_in_and_ends_with_its_token(
    secure: SmallSite, certificate: Certificate
) -> None:
    token = await token_of(secure, "rita")
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as http:
        async with http.ws_connect(
            url(secure), headers=headers, ssl=certificate.trusting()
        ) as socket:
            await socket.send_json({"jsonrpc": "2.0", "method": "system.info", "id": 1})
            assert (await socket.receive_json())["result"]["user"] == "rita"
            await secure.tenant("rita").call("token.revoke", label="t")
            assert (await socket.receive()).data == WSCloseCode.POLICY_VIOLATION
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(url(secure), headers=headers, ssl=certificate.trusting())
        assert refused.value.status == 401


async def test_a_websocket_is_closed_when_its_token_expires(
    secure: SmallSite, certificate: Certificate
) -> None:
    token = await token_of(secure, "rita")
    await secure.sql("UPDATE token SET expires = ?", (time.time() + 1,))
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(url(secure), headers=headers, ssl=certificate.trusting()) as socket,
    ):
        message = await socket.receive(timeout=20)
        assert (message.data, message.extra) == (
            WSCloseCode.POLICY_VIOLATION,
            "the token expired",
        )


async def test_tcp_without_tls_answers_on_loopback_only_with_a_token(
    tmp_path: Path, prepared: Prepared
) -> None:
    async with small_site(tmp_path, prepared, server=server(tmp_path, None)) as site:
        token = await token_of(site, "rita")
        assert (await post(site, token, None))[0] == 200
        assert (await post(site, None, None))[0] == 401


async def test_plain_http_gets_no_answer_where_tls_is(secure: SmallSite) -> None:
    [(_, port)] = secure.daemon.tcp_addresses
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    assert b"HTTP" not in await reader.read()
    writer.close()


async def test_a_new_certificate_is_used_without_a_restart(
    secure: SmallSite, certificate: Certificate
) -> None:
    token = await token_of(secure, "rita")
    old = certificate.trusting()
    certificates.make(certificate.cert.parent)  # the same files
    assert (await post(secure, token, certificate.trusting()))[0] == 200
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await post(secure, token, old)


async def test_half_of_a_new_certificate_leaves_the_old_one_in_use(
    secure: SmallSite, certificate: Certificate
) -> None:
    token = await token_of(secure, "rita")
    trusting = certificate.trusting()
    certificate.key.write_text("not written yet")
    assert (await post(secure, token, trusting))[0] == 200


async def test_mutual_tls_wants_a_client_s_certificate_besides_the_token(
    tmp_path: Path, prepared: Prepared, certificate: Certificate
) -> None:
    client = certificates.make(tmp_path, "client")
    settings = server(tmp_path, certificate, tls_client_ca=str(client.cert))
    async with small_site(tmp_path, prepared, server=settings) as site:
        token = await token_of(site, "rita")
        with pytest.raises((aiohttp.ClientError, ConnectionError, ssl.SSLError)):
            await post(site, token, certificate.trusting())
        both = certificate.trusting()
        both.load_cert_chain(client.cert, client.key)
        assert (await post(site, token, both))[0] == 200
        assert (await post(site, None, both))[0] == 401


async def test_a_client_whose_certificate_is_revoked_gets_in_no_more(
    tmp_path: Path, prepared: Prepared, certificate: Certificate
) -> None:
    authority = Authority(tmp_path)
    settings = server(
        tmp_path, certificate,
        tls_client_ca=str(authority.cert), tls_client_crl=str(authority.crl),
    )  # fmt: skip
    async with small_site(tmp_path, prepared, server=settings) as site:
        token = await token_of(site, "rita")
        clients = [authority.sign(name) for name in ("kept", "lost")]
        contexts = [certificate.trusting() for _ in clients]
        for context, client in zip(contexts, clients, strict=True):
            context.load_cert_chain(client.cert, client.key)
            assert (await post(site, token, context))[0] == 200
        authority.revoke(clients[1])  # read again without a restart
        assert (await post(site, token, contexts[0]))[0] == 200
        with pytest.raises((aiohttp.ClientError, ConnectionError, ssl.SSLError)):
            await post(site, token, contexts[1])


def test_a_certificate_that_cannot_be_used_is_an_error(
    tmp_path: Path, certificate: Certificate
) -> None:
    other = certificates.make(tmp_path, "other")
    for key in (other.key, tmp_path / "missing"):
        wrong = Certificate(certificate.cert, key)
        with pytest.raises(ConfigError, match=r"\[server\] tls_cert and tls_key: "):
            Settings(server(tmp_path, wrong))


async def test_failed_attempts_are_limited_and_logged_without_the_token(
    secure: SmallSite, certificate: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever came in before still does: strangers lock nobody out."""
    token = await token_of(secure, "rita")
    tls = certificate.trusting()
    assert (await post(secure, token, tls))[0] == 200
    guess = "haas_" + "y" * 43
    with caplog.at_level(logging.WARNING):
        answers = [await post(secure, guess, tls) for _ in range(15)]
    kinds = [(status, said["error"]["data"]["kind"]) for status, said in answers]
    assert kinds == [(401, "denied")] * 10 + [(429, "limited")] * 5
    assert (await post(secure, token, tls))[0] == 200
    refusals = [record for record in caplog.records if "was refused" in record.getMessage()]
    assert len(refusals) == 10
    assert guess not in caplog.text
    assert token not in caplog.text


async def test_a_token_is_good_on_the_unix_socket_too(secure: SmallSite) -> None:
    token = await token_of(secure, "rita")
    body = {"jsonrpc": "2.0", "method": "system.info", "id": 1}
    for header, status in ((f"Bearer {token}", 200), ("Bearer haas_no", 401)):
        async with secure.http.post(
            "http://haas/rpc", data=json.dumps(body), headers={"Authorization": header}
        ) as response:
            assert response.status == status
            if status == 200:
                assert (await response.json())["result"]["user"] == "rita"


async def test_unfinished_handshakes_of_one_address_are_few(
    secure: SmallSite, certificate: Certificate
) -> None:
    """And while they last, the Unix socket answers."""
    [(_, port)] = secure.daemon.tcp_addresses
    silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(30)]
    cut = [asyncio.create_task(reader.read()) for reader, _ in silent]
    done, waiting = await asyncio.wait(cut, return_when=asyncio.FIRST_COMPLETED, timeout=20)
    assert done
    await secure.call("system.info")
    assert sum(task.done() for task in cut) <= 14
    for task in waiting:
        task.cancel()
    for _, writer in silent:
        writer.close()
