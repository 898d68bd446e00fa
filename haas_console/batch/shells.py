"""Completion scripts for bash, zsh and fish.

:func:`script` lists the options of a program and its first words, from its own argument parser.
:func:`asking_script` asks the program for candidates at each TAB, see
:mod:`haas_console.batch.completing`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import NamedTuple

SHELLS = ("bash", "zsh", "fish")

_FILES = ("FILE", "PATH", "FOLDER")
"""The metavars of arguments that are paths."""


class Option(NamedTuple):
    """An option: its names, what it takes (None: nothing), and its help."""

    names: tuple[str, ...]
    takes: str | None
    help: str

    @property
    def is_path(self) -> bool:
        """True if the option takes a path."""
        return self.takes in _FILES


def script(shell: str, parser: argparse.ArgumentParser) -> str:
    """Return the script that completes the parser's program in a shell of :data:`SHELLS`."""
    make = {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell]
    return make(parser.prog, list(_options(parser)), _words(parser))


def asking_script(shell: str, program: str) -> str:
    """Return the script of a program that knows the candidates itself, for a shell of SHELLS."""
    # zsh loads a function by the name of its file, _PROGRAM
    function = f"_{program}" if shell == "zsh" else f"_{program.replace('-', '_')}"
    return _ASKING[shell].replace("FUNCTION", function).replace("PROGRAM", program).strip("\n")


_ASKING = {
    "bash": r"""
# completion of PROGRAM for bash
FUNCTION() {
    local line=${COMP_LINE:0:COMP_POINT} found
    mapfile -t found < <("$1" __complete "$line" 2>/dev/null </dev/null)
    if [[ ${found[0]} == :files ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
        return
    fi
    COMPREPLY=("${found[@]}")
    # readline takes a colon for the end of a word: leave out what stands before it
    local word=${line##*[[:space:]]}
    if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*:}"}"}")
    fi
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *: ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -F FUNCTION PROGRAM
""",
    "zsh": r"""
#compdef PROGRAM
FUNCTION() {
    local -a found
    found=("${(@f)$(${words[1]} __complete "${(j: :)words[1,CURRENT]}" 2>/dev/null </dev/null)}")
    if [[ $found[1] == :files ]]; then
        _files
    elif [[ -n $found[1] ]]; then
        compadd -S '' -- ${(M)found:#*:}
        compadd -- ${found:#*:}
    fi
}
if [[ $funcstack[1] == FUNCTION ]]; then
    FUNCTION "$@"
else
    compdef FUNCTION PROGRAM
fi
""",
    "fish": r"""
# completion of PROGRAM for fish
function FUNCTION
    set -l words (commandline -opc)
    set -l found ($words[1] __complete (commandline -cp | string collect) 2>/dev/null </dev/null)
    if test "$found[1]" = :files
        __fish_complete_path (commandline -ct)
    else
        printf '%s\n' $found
    end
end
complete -c PROGRAM -f -a '(FUNCTION)'
""",
}


def _options(parser: argparse.ArgumentParser) -> Iterator[Option]:
    # argparse has no public list of a parser's arguments.
    for action in parser._actions:
        if action.option_strings and action.help != argparse.SUPPRESS:
            takes = None
            if action.nargs != 0:
                takes = str(action.metavar or action.dest.upper())
            yield Option(tuple(action.option_strings), takes, _first_part(action.help or ""))


def _first_part(text: str) -> str:
    return text.partition(";")[0].partition(". ")[0]


def _words(parser: argparse.ArgumentParser) -> list[str]:
    """Return the words that the program may begin with: its subcommands."""
    return [
        str(word)
        for action in parser._actions
        if not action.option_strings and action.choices
        for word in action.choices
    ]


def _bash(program: str, options: list[Option], words: list[str]) -> str:
    function = f"_{program.replace('-', '_')}"
    paths = "|".join(name for one in options if one.is_path for name in one.names)
    values = "|".join(
        name for one in options if one.takes and not one.is_path for name in one.names
    )
    names = " ".join(name for one in options for name in one.names)
    branches = [
        f"        {pattern}) {action} ;;"
        for pattern, action in (
            (paths, 'COMPREPLY=($(compgen -f -- "$current")) && return'),
            (values, "return"),
        )
        if pattern
    ]
    return "\n".join(
        (
            f"# completion of {program} for bash",
            f"{function}() {{",
            "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}",
            "    COMPREPLY=()",
            '    case "$previous" in',
            *branches,
            "    esac",
            "    if [[ $current == -* ]]; then",
            f'        COMPREPLY=($(compgen -W "{names}" -- "$current"))',
            "    elif (( COMP_CWORD == 1 )); then",
            f'        COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$current"))',
            "    fi",
            "}",
            f"complete -o filenames -F {function} {program}",
        )
    )


def _zsh(program: str, options: list[Option], words: list[str]) -> str:
    lines = []
    for one in options:
        takes = "" if one.takes is None else f":{one.takes}:{'_files' if one.is_path else ''}"
        text = one.help.replace("[", "(").replace("]", ")").replace(":", " -").replace("'", "")
        lines += [f"    '{name}[{text}]{takes}'" for name in one.names]
    first = f"    '1:command:({' '.join(words)})'"
    return "\n".join((f"#compdef {program}", "_arguments -s \\", " \\\n".join([*lines, first])))


def _fish(program: str, options: list[Option], words: list[str]) -> str:
    lines = [f"# completion of {program} for fish", f"complete -c {program} -f"]
    lines += [f"complete -c {program} -n __fish_use_subcommand -a {word}" for word in words]
    for one in options:
        flags = " ".join(
            f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in one.names
        )
        takes = "" if one.takes is None else " -r -F" if one.is_path else " -x"
        text = one.help.replace("\\", "").replace("'", "")
        lines.append(f"complete -c {program} {flags}{takes} -d '{text}'")
    return "\n".join(lines)
