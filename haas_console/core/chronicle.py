"""Calls, commands and news as one list in the order of their coming. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from haas_console.core.calllog import CallRecord, CommandRecord, Log, NewsRecord

KINDS = ("all", "commands", "calls", "events")


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened: ``text`` is what one would copy, ``note`` what came of it."""

    at: float
    kind: str
    """``command``, ``call`` or ``event``."""
    text: str
    note: str = ""
    ok: bool = True
    ms: float | None = None

    @property
    def detail(self) -> list[str]:
        """All that is known of it, in lines."""
        told = [self.text]
        name, brace, params = self.text.partition(" {")
        if self.kind == "call" and brace:
            told = [name, *json.dumps(json.loads("{" + params), indent=2).splitlines()]
        if self.ms is not None:
            told.append(f"answered within {self.ms:.1f} ms")
        return told + ([self.note] if self.note else [])


def happenings(log: Log, kind: str = "all", words: str = "") -> list[Happening]:
    """Give what happened, oldest first; only of a ``kind``, and with all the words in it."""
    found = sorted(_all(log, kind), key=lambda each: each.at)
    wanted = words.lower().split()
    if not wanted:
        return found
    return [each for each in found if _fits(f"{each.text} {each.note}".lower(), wanted)]


def _fits(text: str, words: list[str]) -> bool:
    return all((word[1:] not in text) if word.startswith("!") else word in text for word in words)


def _all(log: Log, kind: str) -> Iterator[Happening]:
    if kind in ("all", "calls"):
        yield from (_call(call) for call in log.calls if not call.quiet)
    if kind in ("all", "commands"):
        yield from (_command(command) for command in log.commands)
    if kind in ("all", "events"):
        yield from (_news(news) for news in log.news)


def _call(call: CallRecord) -> Happening:
    params = f" {json.dumps(dict(call.params), ensure_ascii=False)}" if call.params else ""
    return Happening(call.at, "call", f"{call.method}{params}", call.outcome, call.ok, call.ms)


def _command(command: CommandRecord) -> Happening:
    note = command.message or command.state
    return Happening(command.at, "command", command.line, note, command.state != "failed")


def _news(news: NewsRecord) -> Happening:
    whose = f" of {news.project}" if news.project and news.noun != "project" else ""
    return Happening(news.at, "event", f"{news.noun} {news.name}{whose}: {news.verb}")
