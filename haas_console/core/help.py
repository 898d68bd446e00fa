"""Help as text, made from the API's own description."""

from __future__ import annotations

from haas_console.core import values
from haas_console.core.api import Method
from haas_console.core.commands import Help, Language

_OWN = {
    "use": "fill in this project from here on; alone: stop that",
    "connect": "connect a nic to a network",
    "disconnect": "take a nic off its network",
    "plan": "show what an apply would change, line by line",
    "apply": "carry the plan out, show progress, and wait for the end",
    "help": "this",
}


def help_text(language: Language, topic: Help) -> str:
    """Help on everything, on a noun, or on one command; ends with a line break."""
    match topic.topic:
        case ():
            lines = _overview(language)
        case (noun,):
            lines = _noun(language, noun)
        case (noun, verb):
            method = language.api.nouns.get(noun, {}).get(verb)
            lines = _noun(language, noun) if method is None else _command(language, method)
        case _:
            raise AssertionError(topic)
    return "\n".join(lines) + "\n"


def _overview(language: Language) -> list[str]:
    lines = ["noun verb words... --option value", ""]
    width = max(map(len, language.api.nouns))
    for noun, verbs in sorted(language.api.nouns.items()):
        lines.append(f"  {noun:{width}}  {', '.join(verbs)}")
    lines += ["", "and in short:", *_table([(language.usage(own), _OWN[own]) for own in _OWN])]
    return [*lines, "", "`help NOUN` and `help NOUN VERB` say more; # begins a comment."]


def _noun(language: Language, noun: str) -> list[str]:
    verbs = language.api.nouns.get(noun, {})
    rows = [(language.usage(noun, verb), method.summary) for verb, method in verbs.items()]
    if noun in _OWN:
        rows.insert(0, (language.usage(noun), _OWN[noun]))
    return _table(rows)


def _command(language: Language, method: Method) -> list[str]:
    lines = [f"usage: {language.usage(method.noun, method.verb)}", ""]
    lines += [text for text in (method.summary, method.description) if text]
    rows = []
    for param in method.params:
        kind = values.describe(language.api, param.schema)
        note = [kind]
        if param.schema.get("default") is not None:
            note.append(f"default {param.schema['default']}")
        if param.description:
            note.append(param.description)
        rows.append((param.name if param.required else param.option, "; ".join(note)))
    if rows:
        lines += ["", *_table(rows)]
    if method.role == "admin":
        lines += ["", "For admins."]
    if "." in method.name:
        lines += ["", f"Calls {method.name}."]
    return lines


def _table(rows: list[tuple[str, str]]) -> list[str]:
    """Two columns; a long left cell gets a line of its own."""
    width = min(44, max((len(left) for left, _ in rows), default=0))
    lines = []
    for left, right in rows:
        if len(left) > width:
            lines += [f"  {left}", f"  {'':{width}}  {right}".rstrip()]
        else:
            lines.append(f"  {left:{width}}  {right}".rstrip())
    return lines
