"""Splitting lines into words as a shell does."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haas_console.core.errors import CommandSyntaxError
from haas_console.core.lexer import BadStatement, Statement, quote_word, split_line, statements
from tests.laws import law

LINES = st.text(st.sampled_from("ab-= \t'\"\\{:"), max_size=24)


@law(100)
@given(LINES)
def test_words_are_split_as_a_shell_splits_them(line: str) -> None:
    try:
        expected = shlex.split(line)
    except ValueError:
        with pytest.raises(CommandSyntaxError):
            split_line(line)
    else:
        assert split_line(line) == expected


@law(100)
@given(st.text(st.characters(blacklist_characters="\n", blacklist_categories=["Cs"])))
def test_every_word_without_a_line_break_can_be_quoted(word: str) -> None:
    assert split_line(f"x {quote_word(word)}") == ["x", word]


def test_a_hash_inside_a_word_begins_no_comment() -> None:
    assert split_line("node show node#1 # the broken one") == ["node", "show", "node#1"]
    assert split_line("note '# not a comment'") == ["note", "# not a comment"]


def test_a_backslash_continues_a_line_and_the_command_keeps_its_first_line_number() -> None:
    script = "# morning\n\nnetwork create \\\n   alpha net\nnode list\r\n"
    assert statements(script) == [
        Statement(3, ("network", "create", "alpha", "net")),
        Statement(5, ("node", "list")),
    ]


def test_a_backslash_in_a_comment_continues_no_line() -> None:
    assert [found.line for found in statements("# C:\\\nnode list\n")] == [2]


def test_an_unclosed_quote_is_reported_on_its_own_line_and_hides_no_other_error() -> None:
    found = statements("node list\nnode show 'node-1\nnode show 'node-2'\n")
    assert [type(item) for item in found] == [Statement, BadStatement, Statement]
    assert isinstance(found[1], BadStatement)
    assert found[1].line == 2
    assert "quote ' is not closed" in str(found[1].error)
