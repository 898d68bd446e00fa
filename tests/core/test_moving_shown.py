"""How the console shows a headnode that is to move, and the plan that moves it."""

from __future__ import annotations

from msgspec.structs import replace

from haas_console.core.details import Answers, details
from haas_console.core.inventory import Inventory
from haas_console.core.master import state_text
from haas_console.core.objects import Ref
from haas_console.core.plandiff import SIGNS
from haas_console.core.tables import HEADNODES, headnode_line
from haas_schemas.headnode import Headnode
from tests.core.test_topology_picture import drawn
from tests.tui.sites import small_site


def moving(site: Inventory) -> Headnode:
    [(key, headnode)] = site.headnodes.items()
    site.headnodes[key] = replace(headnode, moving_to="hv2")
    return site.headnodes[key]


def test_lists_say_where_a_headnode_moves() -> None:
    site = small_site()
    headnode = moving(site)
    assert headnode.staged
    line = headnode_line(site, headnode)
    assert HEADNODES.cell("state", line) == "running, moving to hv2*"
    assert HEADNODES.cell("hypervisor", line) == "master → hv2*"
    assert state_text(replace(headnode, running=False)) == "running → stopped, moving to hv2*"


def test_details_say_where_a_headnode_moves() -> None:
    site = small_site()
    headnode = moving(site)
    ref = Ref("headnode", f"{headnode.project}/{headnode.headnode}")
    [place] = [fact for fact in details(site, ref, Answers()) if fact.name == "hypervisor"]
    assert (place.text, place.look) == ("master  → hv2* with the next apply", "staged")


def test_the_picture_marks_it() -> None:
    site = small_site()
    moving(site)
    assert any("%login% running, moving to" in line for line in drawn(site, 120))


def test_the_steps_of_a_move_have_their_words() -> None:
    assert SIGNS["headnode.prepare"] == ("=", "checked")
    assert SIGNS["headnode.copy"] == ("+", "copied")
