"""What the shells complete; each script is run by its own shell, where that is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from haas_console.arguments import make_parser
from haas_console.batch.completing import FILES, candidates
from haas_console.batch.shells import SHELLS, script
from haas_console.cli import main
from haas_rpcd.__main__ import make_parser as daemon_parser

if TYPE_CHECKING:
    from tests.batch.conftest import Program


@pytest.fixture
def scripts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Path]:
    made = {}
    for shell in SHELLS:
        assert main(["completion", shell]) == 0
        made[shell] = tmp_path / shell
        made[shell].write_text(capsys.readouterr().out)
    return made


class Shell:
    """A shell with the console's completion; ``after`` returns what TAB offers after a line."""

    def __init__(self, name: str, script: Path, console: Program) -> None:
        folder = console.folder / "bin"
        folder.mkdir(exist_ok=True)
        program = folder / "haas-console"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m haas_console "$@"\n')
        program.chmod(0o755)
        self._environ = {**console.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
        self.name, self._script, self._folder = name, script, console.folder

    def after(self, line: str) -> set[str]:
        code = getattr(self, f"_{self.name}")(line)
        done = subprocess.run(
            [self.name, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=self._folder,
            env=self._environ,
            timeout=60,
        )
        assert done.stderr == ""
        return {line.partition("\t")[0] for line in done.stdout.splitlines()} - {""}

    def _bash(self, line: str) -> str:
        words = line.split() + ([""] if line.endswith(" ") else [])
        array = " ".join(f"'{word}'" for word in words)
        return (
            f"source '{self._script}'; COMP_LINE='{line}'; COMP_POINT={len(line)};"
            f" COMP_WORDS=({array}); COMP_CWORD={len(words) - 1}; _haas_console haas-console;"
            ' printf "%s\\n" "${COMPREPLY[@]}"'
        )

    def _zsh(self, line: str) -> str:
        words = line.split() + ([""] if line.endswith(" ") else [])
        array = " ".join(f"'{word}'" for word in words)
        # compadd works within completion only: here it prints the candidates
        return (
            "compdef() { }; compadd() { while [[ $1 != -- ]]; do shift; done; shift;"
            f" print -l -- $@ }}; _files() {{ print -l *(N) }}; source '{self._script}';"
            f" words=({array}); CURRENT={len(words)}; _haas-console"
        )

    def _fish(self, line: str) -> str:
        return f"source '{self._script}'; complete -C '{line}'"


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, scripts: dict[str, Path], console: Program) -> Shell:
    if not shutil.which(request.param):
        pytest.skip(f"wants {request.param}")
    return Shell(request.param, scripts[request.param], console)


@pytest.mark.slow
def test_each_shell_completes_words_objects_and_files(shell: Shell, console: Program) -> None:
    assert shell.after("haas-console no") == {"node"}
    assert shell.after("haas-console --keep") == {"--keep-going"}
    node = console.free_node()
    project = f"tab-{shell.name}"
    console.json(f"project create {project}", f"node allocate {project} {node}")
    console.json(f"network create {project} wire")
    assert node in shell.after("haas-console node show ")
    nics = shell.after(f"haas-console connect {node}:p")
    # bash's readline takes the colon for the end of a word
    assert nics in ({f"{node}:primary-nic"}, {"primary-nic"})
    assert shell.after(f"haas-console plan {project} --target ") == {node, "wire"}
    (console.folder / "change.haas").touch()
    assert "change.haas" in shell.after("haas-console --script cha")


@pytest.mark.skipif(not shutil.which("zsh"), reason="wants zsh")
def test_zsh_completes_at_the_first_tab_where_the_script_is_autoloaded(
    scripts: dict[str, Path], offline: Program
) -> None:
    """As in /usr/share/zsh/vendor-completions: the file is the function's body."""
    folder = offline.folder / "functions"
    folder.mkdir()
    scripts["zsh"].rename(folder / "_haas-console")
    shell = Shell("zsh", folder / "_haas-console", offline)
    code = shell._zsh("haas-console no").replace(f"source '{folder}/_haas-console';", "")
    done = subprocess.run(
        ["zsh", "-c", f"fpath=({folder}); autoload -U _haas-console; {code}"],
        capture_output=True, text=True, check=True, env=shell._environ,
    )  # fmt: skip
    assert done.stdout.split() == ["node"]


def test_a_daemon_that_is_away_costs_only_the_objects(
    scripts: dict[str, Path], offline: Program
) -> None:
    shell = Shell("bash", scripts["bash"], offline)
    assert shell.after("haas-console node sh") == {"show"}
    assert shell.after("haas-console node show ") <= {"--node"}


def test_a_daemon_that_does_not_answer_is_not_waited_for(
    offline: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    monkeypatch.setattr("haas_console.batch.completing._PATIENCE", 0.05)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(offline.socket))
        silent.listen()
        line = f"haas-console --socket {offline.socket} switch show "
        assert candidates(line, make_parser()) == ["--switch"]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("haas-console node list -o ", ["table", "wide", "json", "yaml", "name", "csv"]),
        ("haas-console --script ", [FILES]),
        ("haas-console plan red --out ", [FILES]),
        ("haas-console site import ", [FILES]),
        ("haas-console completion z", ["zsh"]),
        ("haas-console inventory --l", ["--list"]),
        ("haas-console --json help net", ["network"]),
        ("haas-console 'never closed", []),
        ("haas-console node nonsense ", []),
    ],
)
def test_what_comes_next(line: str, offered: list[str]) -> None:
    assert candidates(line, make_parser()) == offered


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_reads_its_scripts(scripts: dict[str, Path], shell: str, tmp_path: Path) -> None:
    daemons = tmp_path / "rpcd"
    daemons.write_text(script(shell, daemon_parser()))
    assert "check-config" in daemons.read_text()
    if shutil.which(shell):
        for file in (scripts[shell], daemons):
            subprocess.run([shell, "-n", str(file)], check=True)


@pytest.mark.parametrize("words", [["completion"], ["completion", "ksh"], ["info", "bash"]])
def test_an_unknown_shell_is_wrong_usage(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert "bash, zsh, fish" in capsys.readouterr().err
