"""Help as text, generated from the description of the API."""

from __future__ import annotations

import textwrap

from haas_console.core import values
from haas_console.core.api import Method, Param
from haas_console.core.commands import Help
from haas_console.core.language import Language
from haas_console.core.topics import TOPICS, Topic

_WIDTH = 100  # columns
_OWN = {
    "use": "fill in this project from here on; alone: stop that",
    "connect": "connect a nic to a network",
    "disconnect": "take a nic off its network",
    "plan": "show what an apply would change, line by line; --out saves that for  apply FILE",
    "apply": "carry the plan out, show progress, and wait for the end",
    "events": "print what happens, until interrupted",
    "job follow": "print a job's progress until its end",
    "help": "this",
    "may": "whether you may use a command, in a project; if not, why",
    "why": "who staged what a nic's port carries, which job set it, what the switch said",
}


def help_text(language: Language, topic: Help) -> str:
    """Help on everything, on a noun, or on one command, with a final line break."""
    match topic.topic:
        case ():
            lines = _overview(language)
        case (name,) if name in TOPICS:
            lines = topic_lines(TOPICS[name])
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
    lines += ["", "and in short:", *_table(_own_rows(language))]
    lines += [
        "",
        "What a command reads is shown as you like at its end:",
        "  -o table|wide|json|yaml|name|csv  --columns A,B  --watch[=SECONDS]   plan --exit-code",
    ]
    names = ", ".join(f"`help {name}`" for name in TOPICS)
    lines += ["", f"{names} explain the words and numbers."]
    return [*lines, "", "`help NOUN` and `help NOUN VERB` say more; # begins a comment."]


def topic_lines(topic: Topic) -> list[str]:
    """A topic as text."""
    lines = [topic.title, "", *_table(list(topic.rows))]
    return [*lines, "", *textwrap.wrap(topic.remark, _WIDTH)] if topic.remark else lines


def command_rows(language: Language) -> list[tuple[str, str]]:
    """Every command with what it does: those of the console, then those of the API by noun."""
    rows = _own_rows(language)
    for noun, verbs in sorted(language.api.nouns.items()):
        rows += [(language.usage(noun, verb), each.summary) for verb, each in verbs.items()]
    return rows


def _own_rows(language: Language) -> list[tuple[str, str]]:
    return [(language.usage(*name.split()), text) for name, text in _OWN.items()]


def _noun(language: Language, noun: str) -> list[str]:
    verbs = language.api.nouns.get(noun, {})
    rows = [(language.usage(noun, verb), method.summary) for verb, method in verbs.items()]
    own = [(name, text) for name, text in _OWN.items() if name.split()[0] == noun]
    return _table([*((language.usage(*name.split()), text) for name, text in own), *rows])


def _command(language: Language, method: Method) -> list[str]:
    lines = [f"usage: {language.usage(method.noun, method.verb)}", ""]
    for text in (method.summary, method.description):
        lines += textwrap.wrap(text.replace("``", "`"), _WIDTH)
    rows = [(_name(param), _note(language, param)) for param in method.params]
    if rows:
        lines += ["", *_table(rows)]
    if method.role == "admin":
        lines += ["", "For admins."]
    if "." in method.name:
        lines += ["", f"Calls {method.name}."]
    return lines


def _name(param: Param) -> str:
    return param.name if param.required else param.option


def _note(language: Language, param: Param) -> str:
    """The values of a param: kind, rule, default."""
    texts = [param.description]
    texts += [str(c.get("description", "")) for c in values.choices(language.api, param.schema)]
    note = [values.describe(language.api, param.schema), *(t.rstrip(".") for t in texts if t)]
    if param.schema.get("default") is not None:
        note.append(f"default {param.schema['default']}")
    return "; ".join(note)


def _table(rows: list[tuple[str, str]]) -> list[str]:
    """Two columns; a long left cell gets its own line."""
    width = min(36, max((len(left) for left, _ in rows), default=0))
    lines = []
    for left, right in rows:
        text = textwrap.wrap(right.replace("``", "`"), _WIDTH - width - 4) or [""]
        if len(left) > width:
            lines.append(f"  {left}")
            left = ""
        lines += [f"  {left:{width}}  {text[0]}".rstrip()]
        lines += [f"  {'':{width}}  {line}" for line in text[1:]]
    return lines
