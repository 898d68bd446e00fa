"""Bearer tokens: who may make them, what they are good for, and when they end."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from haas_rpcd.auth import Caller
from haas_rpcd.auth.secret import digest_of
from haas_rpcd.errors import DeniedError, HaasError
from haas_rpcd.methods.call import Call
from haas_rpcd.methods.invoke import invoke
from tests.rpc.small_site import SmallSite


async def come_in(site: SmallSite, token: str) -> Caller:
    """Authenticate by a token."""
    return await site.daemon.store.read(
        site.daemon.context.authenticator.of_token, digest_of(token)
    )


async def call_with(site: SmallSite, token: str, method: str, **params: Any) -> Any:
    call = Call(context=site.daemon.context, caller=await come_in(site, token))
    return await invoke(call, method, params)


async def make(site: SmallSite, user: str, label: str = "ci", **params: Any) -> str:
    made = await site.tenant(user).call("token.create", label=label, **params)
    return str(made["token"])


def in_seconds(seconds: float) -> str:
    return datetime.fromtimestamp(time.time() + seconds, UTC).isoformat()


async def test_a_token_acts_as_its_user(site: SmallSite) -> None:
    token = await make(site, "rita")
    info = await call_with(site, token, "system.info")
    assert (info["user"], info["admin"], info["roles"]) == ("rita", False, {"red": "member"})
    assert (info["via"], info["readonly"]) == ("token ci", False)


async def test_a_token_is_shown_once_and_stored_as_a_hash(site: SmallSite) -> None:
    token = await make(site, "rita", readonly=True, project="red")
    [listed] = (await site.tenant("rita").call("token.list"))["items"]
    assert "token" not in listed
    assert (listed["label"], listed["user"], listed["project"]) == ("ci", "rita", "red")
    assert (listed["readonly"], listed["expires"], listed["last_used"]) == (True, None, None)
    secret = token.removeprefix("haas_").encode()
    for file in site.folder.iterdir():
        if file.is_file():
            assert secret not in file.read_bytes(), file


async def test_tokens_are_random_and_recognizable(site: SmallSite) -> None:
    made = [await make(site, "rita", f"t{n}") for n in range(20)]
    assert len(set(made)) == 20
    assert all(len(token) == 48 and token.startswith("haas_") for token in made)


async def test_a_user_has_only_so_many_tokens(site: SmallSite) -> None:
    for number in range(100):
        await make(site, "rita", f"t{number}")
    with pytest.raises(HaasError, match="has 100 tokens"):
        await make(site, "rita", "one-more")
    await site.tenant("rita").call("token.revoke", label="t0")
    await make(site, "rita", "one-more")


async def test_a_read_only_token_changes_nothing(site: SmallSite) -> None:
    token = await make(site, "rita", readonly=True)
    await call_with(site, token, "node.list")
    with pytest.raises(DeniedError, match="Your token is read-only"):
        await call_with(site, token, "network.create", project="red", network="net")
    with pytest.raises(DeniedError):
        await call_with(site, token, "token.create", label="more")


async def test_a_token_for_one_project_sees_no_other(site: SmallSite) -> None:
    await site.call("project.create", project="green")
    await site.call("project.add_member", project="green", user="rita")
    await site.network("green", "other")
    token = await make(site, "rita", project="red")
    info = await call_with(site, token, "system.info")
    assert info["projects"] == ("red",) or list(info["projects"]) == ["red"]
    listed = await call_with(site, token, "project.list")
    assert [item["project"] for item in listed["items"]] == ["red"]
    assert not (await call_with(site, token, "network.list"))["items"]
    with pytest.raises(HaasError, match=r"There is no project green\."):
        await call_with(site, token, "network.create", project="green", network="net")
    await call_with(site, token, "network.create", project="red", network="net")
    with pytest.raises(DeniedError, match="makes no tokens"):
        await call_with(site, token, "token.create", label="wider")


async def test_an_admin_s_token_for_one_project_is_not_an_admin(site: SmallSite) -> None:
    made = await site.call("token.create", label="deploy", project="red")
    token = made["token"]
    assert (await call_with(site, token, "system.info"))["roles"] == {"red": "owner"}
    await call_with(site, token, "network.create", project="red", network="net")
    for method, params in (("user.list", {}), ("project.show", {"project": "blue"})):
        with pytest.raises(HaasError):
            await call_with(site, token, method, **params)


async def test_a_token_ends_at_its_time(site: SmallSite) -> None:
    token = await make(site, "rita", expires=in_seconds(60))
    await come_in(site, token)
    await site.sql("UPDATE token SET expires = ?", (time.time(),))
    with pytest.raises(DeniedError, match="is not valid"):
        await come_in(site, token)
    with pytest.raises(HaasError, match="has passed already"):
        await make(site, "rita", "late", expires="2020-01-01T00:00:00Z")


async def test_a_revoked_token_and_those_made_with_it_end_at_once(site: SmallSite) -> None:
    first = await make(site, "rita", expires=in_seconds(3600))
    second = (await call_with(site, first, "token.create", label="child"))["token"]
    with pytest.raises(HaasError, match="ends with it"):
        await call_with(site, first, "token.create", label="x", expires=in_seconds(7200))
    assert (await come_in(site, second)).expires == (await come_in(site, first)).expires
    await site.tenant("rita").call("token.revoke", label="ci")
    for token in (first, second):
        with pytest.raises(DeniedError):
            await come_in(site, token)


async def test_a_revoked_token_closes_only_its_own_connections(site: SmallSite) -> None:
    tokens = {label: await make(site, "rita", label) for label in ("lost", "kept")}
    child = (await call_with(site, tokens["lost"], "token.create", label="child"))["token"]
    sockets = [
        await site.http.ws_connect("http://haas/rpc", headers={"Authorization": f"Bearer {token}"})
        for token in (tokens["lost"], child, tokens["kept"])
    ]
    await site.tenant("rita").call("token.revoke", label="lost")
    for socket in sockets[:2]:
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
    kept = sockets[2]
    await kept.send_json({"jsonrpc": "2.0", "method": "system.info", "id": 1})
    assert (await kept.receive_json())["result"]["user"] == "rita"
    for socket in sockets:
        await socket.close()


async def test_an_admin_is_told_whose_token_has_that_label(site: SmallSite) -> None:
    await make(site, "rita", "deploy")
    refused = await site.refused("token.revoke", label="deploy")
    assert "rita has: name it with  --user rita" in refused.message
    with pytest.raises(HaasError, match=r"^bob has no token deploy\.$"):
        await site.tenant("bob").call("token.revoke", label="deploy")


async def test_whoever_finds_a_token_may_revoke_it_and_nobody_reads_it_later(
    site: SmallSite,
) -> None:
    token = await make(site, "rita")
    await site.tenant("bob").call("token.revoke", token=token)
    with pytest.raises(DeniedError):
        await come_in(site, token)
    assert token not in str(await site.call("audit.list"))


async def test_a_token_ends_with_its_user_its_membership_and_its_project(site: SmallSite) -> None:
    of_user = await make(site, "bob")
    of_member = await make(site, "rita", project="red")
    of_project = (await site.call("token.create", label="p", project="blue"))["token"]
    await site.call("user.delete", user="bob")
    await site.call("user.create", user="bob")  # another person
    await site.call("project.remove_member", project="red", user="rita")
    await site.call("project.delete", project="blue")
    await site.call("project.create", project="blue")
    for token in (of_user, of_member, of_project):
        with pytest.raises(DeniedError, match="is not valid"):
            await come_in(site, token)


async def test_only_admins_make_tokens_for_others(site: SmallSite) -> None:
    for params in ({"user": "bob"}, {"user": "nobody-here"}):
        with pytest.raises(DeniedError, match="Only an admin may deal with other users' tokens"):
            await site.tenant("rita").call("token.create", label="ci", **params)
    made = await site.call("token.create", label="for-bob", user="bob")
    assert (await come_in(site, made["token"])).user == "bob"
    assert not (await site.tenant("rita").call("token.list"))["items"]
    assert [t["user"] for t in (await site.call("token.list", user="bob"))["items"]] == ["bob"]
    refused = await site.refused("token.create", label="x", user="nobody-here")
    assert refused.kind == "not_found"


async def test_a_token_of_an_os_admin_is_good_while_it_is_one(site: SmallSite) -> None:
    """Root, as which the tests run or seem to run, is no HaaS user."""
    made = await site.call("token.create", label="of root")
    assert (await come_in(site, made["token"])).admin
    await site.sql("UPDATE token SET user = 'bin'")  # an OS user who is no admin any more
    with pytest.raises(DeniedError):
        await come_in(site, made["token"])
