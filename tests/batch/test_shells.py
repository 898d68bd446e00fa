"""What the shells complete; each script is read by its own shell, where that is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from haas_console.batch.shells import SHELLS
from haas_console.cli import main


def complete_in_bash(script: Path, *words: str) -> set[str]:
    """Return what bash offers for the last of these words of a command line."""
    line = " ".join(f"'{word}'" for word in words)
    code = (
        f"source '{script}'; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _haas_console;"
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.fixture
def scripts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Path]:
    made = {}
    for shell in SHELLS:
        assert main(["completion", shell]) == 0
        made[shell] = tmp_path / shell
        made[shell].write_text(capsys.readouterr().out)
    return made


def test_bash_completes_words_options_and_files(scripts: dict[str, Path], tmp_path: Path) -> None:
    script = scripts["bash"]
    assert complete_in_bash(script, "haas-console", "") >= {"info", "completion"}
    assert complete_in_bash(script, "haas-console", "--s") == {"--socket", "--site", "--script"}
    file = tmp_path / "change.haas"
    file.touch()
    assert complete_in_bash(script, "haas-console", "--script", f"{tmp_path}/ch") == {str(file)}
    assert complete_in_bash(script, "haas-console", "-c", "no") == set()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_reads_its_script(scripts: dict[str, Path], shell: str) -> None:
    text = scripts[shell].read_text()
    assert "keep-going" in text
    if shutil.which(shell):
        subprocess.run([shell, "-n", str(scripts[shell])], check=True)


@pytest.mark.parametrize("words", [["completion"], ["completion", "ksh"], ["info", "bash"]])
def test_an_unknown_shell_is_wrong_usage(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert "bash, zsh, fish" in capsys.readouterr().err
