"""Who is in a project, and that it is not left without anybody who may change that."""

from __future__ import annotations

import pytest

from haas_rpcd.errors import HaasError
from tests.rpc.small_site import SmallSite


@pytest.fixture
async def owned(site: SmallSite) -> SmallSite:
    """rita is the only owner of red, and bob a member."""
    await site.call("project.add_member", project="red", user="rita", role="owner")
    await site.call("project.add_member", project="red", user="bob")
    return site


async def test_the_last_owner_leaves_only_after_another_one_is_there(owned: SmallSite) -> None:
    rita = owned.tenant("rita")
    for method, params in (
        ("project.remove_member", {}),
        ("project.add_member", {"role": "member"}),
    ):
        with pytest.raises(HaasError, match="rita is the only owner of project red: make another"):
            await rita.call(method, project="red", user="rita", **params)
    await rita.call("project.add_member", project="red", user="bob", role="owner")
    shown = await rita.call("project.remove_member", project="red", user="rita")
    assert shown["roles"] == {"bob": "owner"}


async def test_an_owner_who_is_alone_may_leave(owned: SmallSite) -> None:
    rita = owned.tenant("rita")
    await rita.call("project.remove_member", project="red", user="bob")
    assert (await rita.call("project.remove_member", project="red", user="rita"))["roles"] == {}


async def test_an_admin_who_deletes_the_last_owner_is_told(owned: SmallSite) -> None:
    deleted = await owned.call("user.delete", user="rita")
    assert deleted["deleted"]
    assert "rita was the only owner of red: make another member an owner" in deleted["note"]
    assert (await owned.call("user.delete", user="bob"))["note"] is None


async def test_an_owner_may_invite_somebody_who_is_no_user_yet(owned: SmallSite) -> None:
    """And learns by that of nobody whether it is one; an admin is told."""
    rita = owned.tenant("rita")
    shown = await rita.call("project.add_member", project="red", user="new", role="reader")
    assert shown["roles"]["new"] == "reader"
    assert (await owned.call("user.create", user="new"))["projects"] == ["red"]
    assert (await owned.tenant("new").call("project.list"))["items"][0]["project"] == "red"
    refused = await owned.refused("project.add_member", project="red", user="nobody-yet")
    assert (refused.kind, "user create nobody-yet" in refused.message) == ("not_found", True)
