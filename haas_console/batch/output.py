"""Output of batch mode: data to stdout, everything else to stderr."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TextIO

import msgspec

from haas_console.batch import views
from haas_console.batch.views import View
from haas_console.core import devicetext, text, whytext
from haas_console.core.commands import Call
from haas_console.core.errors import ConsoleError, RpcError

_PLAIN = View()
_LINE = 72  # columns; a confirmation cuts longer commands


def wants_colour(stream: TextIO) -> bool:
    """The stream is a terminal, and NO_COLOR is not set (no-color.org)."""
    return can_move(stream) and not os.environ.get("NO_COLOR")


def can_move(stream: TextIO) -> bool:
    """The stream is a terminal that can move its cursor."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def size_of(stream: TextIO) -> os.terminal_size:
    """The terminal's columns and lines; 80 by 24 if it does not report them."""
    try:
        size = os.get_terminal_size(stream.fileno())
    except OSError:
        size = os.terminal_size((0, 0))
    return os.terminal_size((size.columns or 80, size.lines or 24))


class OutputError(Exception):
    """Standard output cannot be written."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(cause.strerror or str(cause))
        self.reader_gone = isinstance(cause, BrokenPipeError)


class Output:
    """Both streams. Writing to stdout raises OutputError if it fails.

    ``as_json`` prints each result as one JSON document on one line. ``echo`` prints each command
    before it is run, as ``set -x`` does in a shell. ``quiet`` prints errors only on stderr.
    """

    def __init__(
        self,
        *,
        as_json: bool = False,
        quiet: bool = False,
        echo: bool = False,
        out: TextIO | None = None,
        err: TextIO | None = None,
    ) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.echo = echo
        self.out = out or sys.stdout
        self.err = err or sys.stderr
        self._rounds = 0

    # --- talk ---

    def command(self, line: str) -> None:
        """Print a command that is about to be run, if ``echo`` is set."""
        if self.echo:
            self.flush()
            bold, plain = ("\x1b[1m", "\x1b[0m") if wants_colour(self.err) else ("", "")
            print(f"{bold}$ {text.clean(line)}{plain}", file=self.err, flush=True)

    def remark(self, sentence: str) -> None:
        """Print a remark on stderr, unless ``quiet`` is set."""
        if not self.quiet:
            print(text.clean(sentence), file=self.err, flush=True)

    def notice(self, sentence: str) -> None:
        """Print a remark on stderr while the terminal is raw: a line feed alone returns nowhere."""
        if not self.quiet:
            print(f"\r[{text.clean(sentence)}]", end="\r\n", file=self.err, flush=True)

    def error(self, place: object, error: ConsoleError | str) -> None:
        """Print an error and its place on stderr."""
        where = f"{place}: " if str(place) else ""
        print(text.clean(f"{where}{error}{_more(error)}"), file=self.err, flush=True)

    # --- data ---

    def document(self, value: Any) -> None:
        """Print a JSON document on one line."""
        self.lines([json.dumps(value, ensure_ascii=False)])

    def failure(self, error: ConsoleError) -> None:
        """Print a document for a failed command, so that each command has one."""
        if self.as_json:
            self.document(failed(error))

    def result(self, call: Call, result: Any, view: View = _PLAIN) -> None:
        """Print the result of a command that only reads. Raises ConsoleError as views.lines."""
        if call.method in ("cabling.check", "drift.check"):
            for sentence in devicetext.unreachable(result):
                self.error("", sentence)
        if self.as_json and view.format == "table":
            view = msgspec.structs.replace(view, format="json")
        if view.format != "table" or view.columns:
            noun = call.method.partition(".")[0]
            self.rows(noun, result, view)
            if not views.rows_of(result) and view.format in ("table", "wide"):
                self.remark("none")
        elif call.method in devicetext.METHODS:
            self._devices(call.method, result)
        elif call.method in whytext.METHODS:
            self.lines(whytext.why_lines(result))
        elif call.method == "plan.show":
            self.lines(text.plan_lines(result))
        elif call.method == "site.export":
            self.exact(result["site"])
        elif isinstance(result, Mapping) and "items" in result and "next" in result:
            self._page(result)
        elif isinstance(result, Mapping):
            self.lines(text.record_lines(result, **self._shape()))
        elif text.is_table(result):
            self.lines(text.table(result, **self._shape()))
        elif result is not None:
            self.lines([text.brief(result)])

    def rows(self, noun: str, result: Any, view: View) -> None:
        """Print the records of an answer in the view's format; raises as :func:`views.lines`."""
        self.lines(views.lines(view, noun, result, **self._shape()))

    def changed(self, line: str, call: Call, result: Any, view: View = _PLAIN) -> None:
        """Print the result of a change: on stdout if it says more than the command."""
        if not view.is_plain:
            self.result(call, result, view)
        elif self.as_json:
            self.document(result)
        elif call.method == "site.import":
            self.lines(text.site_lines(result))
        elif call.method in devicetext.METHODS:
            self._devices(call.method, result)
        elif said := text.change_text(result, call.params):
            self.lines([f"{text.clean(_short(line))}: {said}"])
        else:
            self.remark(f"{_short(line)}: done")

    def again(self, line: str) -> None:
        """Begin another round of a repeated command: on a terminal, in the place of the last one.

        Elsewhere a blank line is between two rounds, except of JSON, which is one document a line.
        """
        if can_move(self.out):
            self.exact("\x1b[H\x1b[2J")
            self.remark(f"{_short(line)}   {time.strftime('%H:%M:%S')}, ^C ends it")
        elif self._rounds and not self.as_json:
            self.lines([""])
        self._rounds += 1

    def event(self, event: Mapping[str, Any], view: View = _PLAIN) -> None:
        """Print one event: a line with the local time, or a document with the time in UTC."""
        if self.as_json or view.format == "json":
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            self.document({"time": stamp, **event})
            return
        where = f" ({event['project']})" if event.get("project") else ""
        what = f"{event['noun']} {event['name']}{where}: {event['verb'].replace('_', ' ')}"
        self.lines([f"{time.strftime('%H:%M:%S')}  {text.clean(what)}"])

    def exact(self, content: str) -> None:
        """Print text exactly, byte by byte."""
        with _output_errors():
            self.out.flush()
            self.out.buffer.write(content.encode("utf-8"))
            self.out.buffer.flush()

    def lines(self, lines: Iterable[str]) -> None:
        """Print lines of text and flush them."""
        with _output_errors():
            self.out.writelines(f"{line}\n" for line in lines)
            self.out.flush()

    def flush(self) -> None:
        """Write what is buffered."""
        with _output_errors():
            self.out.flush()

    def _devices(self, method: str, answer: Mapping[str, Any]) -> None:
        if lines := devicetext.answer_lines(method, answer, **self._shape()):
            self.lines(lines)
        for sentence in devicetext.remarks(method, answer):
            self.remark(sentence)
        if answer.get("next") is not None:
            self.remark(f"there is more: --after '{answer['next']}'")

    def _page(self, page: Mapping[str, Any]) -> None:
        if text.is_table(page["items"]):
            self.lines(text.table(page["items"], **self._shape()))
        elif page["items"]:
            self.lines([text.brief(item) for item in page["items"]])
        else:
            self.remark("none")
        if page["next"] is not None:
            self.remark(f"there is more: --after {page['next']}")

    def _shape(self) -> dict[str, Any]:
        width = size_of(self.out).columns if self.out.isatty() else None
        return {"width": width, "bold": wants_colour(self.out)}


@contextlib.contextmanager
def _output_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(error) from error


def failed(error: ConsoleError) -> dict[str, Any]:
    """The document that stands for the result of a failed command."""
    if isinstance(error, RpcError):
        return {"error": {"code": error.code, "message": error.message, "data": error.data}}
    return {"error": {"message": str(error)}}


def _short(line: str) -> str:
    """A command, cut to recognizable length."""
    return line if len(line) <= _LINE else f"{line[: _LINE - 1]}…"


def _more(error: ConsoleError | str) -> str:
    """The steps by which a plan has changed, if the daemon listed them."""
    if not isinstance(error, RpcError):
        return ""
    changes = [
        f"\n  {sign} {text.brief(step)}"
        for key, sign in (("removed", "-"), ("added", "+"))
        for step in error.data.get(key) or ()
    ]
    return "".join(changes)
