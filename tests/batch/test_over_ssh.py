"""What may be typed after ``ssh HOST`` where the console is sshd's ForceCommand."""

from __future__ import annotations

import pytest

from haas_console.arguments import make_parser, over_ssh


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("--socket /tmp/x node list", "over SSH there is no --socket"),
        ("--url=https://elsewhere node list", "over SSH there is no --url"),
        ("--config /etc/shadow node list", "over SSH there is no --config"),
        ("--ca /etc/shadow node list", "over SSH there is no --ca"),
        ("--demo", "over SSH there is no --demo"),
        ("--script /etc/shadow", "over SSH a script comes on stdin: --script -"),
        ("--script=/etc/shadow", "over SSH a script comes on stdin: --script -"),
        ("--json 'node", "No closing quotation"),
    ],
)
def test_over_ssh_no_daemon_and_no_file_is_chosen(
    words: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as wrong:
        over_ssh(make_parser(), {"SSH_ORIGINAL_COMMAND": words})
    assert wrong.value.code == 2
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "arguments", "text"),
    [
        ("", [], None),
        ("node list -o json", [], "node list -o json"),
        ("node list\nnode list", [], "node list\nnode list"),
        ("--json node show 'n 1'", ["--json", "node", "show", "n 1"], None),
        ("--script - --keep-going", ["--script", "-", "--keep-going"], None),
        ("-c --socket", ["-c", "--socket"], None),  # a command, though a wrong one
        ("inventory --list", ["inventory", "--list"], None),
    ],
)
def test_what_is_typed_after_ssh(words: str, arguments: list[str], text: str | None) -> None:
    assert over_ssh(make_parser(), {"SSH_ORIGINAL_COMMAND": words}) == (arguments, text)
