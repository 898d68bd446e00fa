"""Scripts: read and parsed completely before anything is sent."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from haas_console.batch import views
from haas_console.batch.views import View
from haas_console.core.commands import Command, Use
from haas_console.core.errors import CommandSyntaxError, ConsoleError, ReadonlyError
from haas_console.core.language import Language
from haas_console.core.lexer import BadStatement, Statement, statements

_LONGEST = 16 << 20  # bytes; a longer file is no script


class Place(msgspec.Struct, frozen=True):
    """The place of a command: ``FILE:LINE``, ``-:LINE`` for stdin, ``-c:N`` for the Nth ``-c``.

    A command that is the program's own words has no place: "". With several contexts, the one in
    which the command is run comes first.
    """

    source: str
    line: int
    context: str = ""

    def __str__(self) -> str:
        parts = [f"context {self.context}"] if self.context else []
        return ": ".join([*parts, f"{self.source}:{self.line}"] if self.source else parts)


Placed = tuple[Place, Statement | BadStatement]


@dataclass(frozen=True)
class Parsed:
    """A command with its place, its full line, and how its data is shown."""

    place: Place
    command: Command
    line: str
    view: View


def read_script(file: str) -> list[Placed]:
    """Read a file, or stdin for ``-``; raises ConsoleError, which names the file."""
    try:
        with contextlib.ExitStack() as stack:
            source = sys.stdin.buffer if file == "-" else stack.enter_context(open(file, "rb"))
            data = source.read(_LONGEST + 1)
        if len(data) > _LONGEST:
            raise ConsoleError(f"{file}: longer than {_LONGEST >> 20} MiB, so it is no script")
        text = data.decode("utf-8")
    except OSError as error:
        raise ConsoleError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConsoleError(f"{file}:{line}: not UTF-8 text") from error
    return [(Place(file, found.line), found) for found in statements(text)]


def read_words(commands: Iterable[str]) -> list[Placed]:
    """The statements of the ``-c`` options."""
    return [
        (Place("-c", number), found)
        for number, text in enumerate(commands, 1)
        for found in statements(text)
    ]


def one_command(words: Sequence[str]) -> list[Placed]:
    """One command, whose words a shell has split already."""
    return [(Place("", 1), Statement(1, tuple(words)))]


def wants_json(words: Sequence[str]) -> bool:
    """Whether a command asks for JSON, so that its error is a document as well."""
    try:
        return views.take(words)[1].format == "json"
    except ConsoleError:
        return False


def quote_errors(script: Iterable[Placed]) -> list[tuple[Place, ConsoleError]]:
    """The errors that do not depend on the API."""
    return [(place, found.error) for place, found in script if isinstance(found, BadStatement)]


def parse(
    script: Iterable[Placed], language: Language, *, readonly: bool = False
) -> tuple[list[Parsed], list[tuple[Place, ConsoleError]]]:
    """Parse all commands, tracking the project in use; return commands and errors."""
    parsed: list[Parsed] = []
    errors: list[tuple[Place, ConsoleError]] = []
    project: str | None = None
    for place, found in script:
        try:
            if isinstance(found, BadStatement):
                raise found.error
            words, view = views.take(found.words)
            if not words:
                raise CommandSyntaxError("there is no command before the options")
            command = language.parse(words, project)
            if view.watch is not None and language.mutates(command):
                raise CommandSyntaxError("--watch repeats only what changes nothing")
            if readonly and language.mutates(command):
                raise ReadonlyError(
                    f'"{" ".join(found.words[:2])}" would change something; this is --readonly'
                )
            line = _canonical(language, command)
        except (CommandSyntaxError, ReadonlyError) as error:
            errors.append((place, error))
            continue
        if isinstance(command, Use):
            project = command.project
        parsed.append(Parsed(place, command, line, view))
    return parsed, errors


def _canonical(language: Language, command: Command) -> str:
    try:
        return language.format(command)
    except ValueError:
        method = language.method_of(command)  # a value that no line can express
        return f"{method.noun} {method.verb}" if method else str(command)
