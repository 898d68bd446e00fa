"""A terminal that knows only ASCII gets only ASCII."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from haas_console.tui.glyphs import ASCII, UNICODE, knows_unicode, plain
from tests.tui.harness import Terminal, keys

DEMO = [sys.executable, "-m", "haas_console", "--demo"]


@pytest.mark.parametrize(
    ("environ", "coerced", "known"),
    [
        ({"LANG": "de_AT.UTF-8"}, False, True),
        ({"LC_CTYPE": "UTF-8"}, False, True),  # macOS
        ({"LANG": "C"}, False, False),
        ({"LANG": "de_AT.ISO-8859-1"}, False, False),
        ({"LANG": "C.UTF-8", "LC_ALL": "POSIX"}, False, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True, False),  # Python's own doing
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False, True),
        ({}, False, True),
    ],
)
def test_the_locale_says_what_the_terminal_knows(
    environ: dict[str, str], coerced: bool, known: bool
) -> None:
    assert knows_unicode(environ, coerced=coerced) is known


def test_every_sign_has_an_ascii_one_of_the_same_width() -> None:
    assert plain("● live, lab → web*, ✗ gone …") == "* live, lab > web*, x gone ~"
    assert plain("Zoë 漢") == "Zo? ??"
    for state, sign in UNICODE.states.items():
        assert cell_len(plain(sign)) == cell_len(sign) == len(ASCII.states[state])


def test_a_terminal_without_unicode_gets_only_ascii(tmp_path: Path) -> None:
    with Terminal(DEMO, home=tmp_path, environ={"LANG": "C"}) as terminal:
        terminal.wait_for("* live")
        terminal.settle()
        terminal.type("Anlab\r")
        terminal.wait_for("# lab")
        terminal.type("cla\r")
        terminal.wait_for("parked > lab*")
        for key, shows in (("t", "access"), ("w", "Gi1/0/1"), ("H", "Headnodes"), ("?", "Keys")):
            terminal.type(key)
            terminal.wait_for(shows)
        terminal.type("a")
        terminal.wait_for("switchport access vlan")
        terminal.type("y")
        terminal.wait_for("succeeded")
        terminal.feed(keys.ESCAPE)
        terminal.wait_for("Next switch")  # the face plate was opened from the topology
        terminal.feed(keys.ESCAPE)
        terminal.wait_for("nothing staged in astro")
        terminal.type("x:nonsense\r")
        terminal.wait_for(" x ")
        assert terminal.output().decode().isascii()
