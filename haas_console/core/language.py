"""The command language: converts a line to a command, and back.

Each method of the API is a command, ``noun verb words --options``. The console adds a few words of
its own, such as ``use`` and ``apply``. :class:`Language` parses and formats; it sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from haas_console.core import binding, values
from haas_console.core.api import Api, Method, Param, near_miss
from haas_console.core.binding import PROJECT
from haas_console.core.commands import (
    Apply,
    ApplyFile,
    Call,
    Command,
    ExportSite,
    Find,
    Follow,
    Help,
    ImportSite,
    May,
    SavePlan,
    Use,
)
from haas_console.core.errors import CommandSyntaxError
from haas_console.core.lexer import quote_word, split_line
from haas_console.core.planwords import first_word, is_file, take_out
from haas_console.core.suggest import command_for
from haas_console.core.topics import TOPICS

_SUGAR = {
    "use": "use [PROJECT]",
    "connect": "connect NODE:NIC NETWORK [--tagged]",
    "disconnect": "disconnect NODE:NIC [NETWORK]",
    "why": "why NODE:NIC",
    "plan": "plan [PROJECT | --site] [--target NODE|NETWORK] [--device DEVICE] [--out FILE]",
    "apply": "apply [PROJECT | --site | FILE] [--target NODE|NETWORK] [--digest DIGEST]"
    " [--confirm SECONDS]",
    "site import": "site import FILE [--dry_run] [--merge]",
    "site export": "site export [FILE] [--tenants]",
    "find": "find TEXT",
    "events": "events [follow]",
    "job follow": "job follow JOB",
    "may": "may NOUN VERB [PROJECT]",
    "help": "help [NOUN [VERB] | dialects | states | exit-codes]",
}
_TEXT: Mapping[str, Any] = {"type": "string", "minLength": 1}


class Language:
    """The commands of one API."""

    def __init__(self, api: Api) -> None:
        self.api = api

    # --- lines to commands ---

    def parse_line(self, line: str, project: str | None = None) -> Command | None:
        """Parse one line; None if it is blank or a comment. Raises CommandSyntaxError."""
        words = split_line(line)
        return self.parse(words, project) if words else None

    def parse(self, words: Sequence[str], project: str | None = None) -> Command:
        """Parse the words of one command; ``project`` is the one in use, if any.

        Raises CommandSyntaxError, which says what is possible instead.
        """
        first, rest = words[0], list(words[1:])
        if words[-1] in ("--help", "-h") and "--" not in words:
            return self._parse_help([word for word in words[:-1] if not word.startswith("-")][:2])
        if first == "use":
            return _parse_use(rest)
        if first == "help":
            return self._parse_help(rest)
        if first in ("connect", "disconnect"):
            return self._parse_connect(first, rest, project)
        if first == "why":
            return self._parse_nic("nic.show", rest, _SUGAR["why"], project)
        if first == "may":
            return self._parse_may(rest, project)
        if first == "find":
            return _parse_find(rest)
        if tuple(words) in (("events",), ("events", "follow")):
            return Follow()
        if list(words[:2]) == ["job", "follow"]:
            return _parse_follow(words[2:])
        verbs = self.api.nouns.get(first)
        if verbs is None:
            known = self.sugar_nouns | self.api.nouns.keys()
            meant = _did_you_mean(words, self.api) or near_miss(first, known)
            raise CommandSyntaxError(
                f'no such command "{first}"{meant}; there are: {", ".join(sorted(known))}'
            )
        verb = rest[0].replace("-", "_") if rest else ""
        if first in ("plan", "apply") and verb not in verbs:
            return self._parse_plan(first, rest, project)
        if verb not in verbs:
            meant = _did_you_mean(words, self.api) or near_miss(verb, verbs)
            reason = f'"{first}" has no "{rest[0]}"{meant}' if rest else "say which"
            raise CommandSyntaxError(
                f"{reason}; there are: {', '.join(verbs)}", f"{first} VERB ..."
            )
        method = verbs[verb]
        if method.name in ("site.import", "site.export"):
            return self._parse_site(method, rest[1:], project)
        return Call(method.name, binding.bind(self.api, method, rest[1:], project))

    @property
    def sugar_nouns(self) -> set[str]:
        """The first words that the console adds to the API."""
        return {name for name in _SUGAR if " " not in name}

    def _parse_help(self, topic: list[str]) -> Help:
        if len(topic) > 2:
            raise CommandSyntaxError("too many words", _SUGAR["help"])
        if len(topic) == 1 and topic[0].replace("_", "-") in TOPICS:
            return Help((topic[0].replace("_", "-"),))
        if topic and topic[0] not in self.sugar_nouns:
            verbs = self.api.nouns.get(topic[0])
            if verbs is None:
                raise CommandSyntaxError(
                    f'no help on "{topic[0]}"'
                    + near_miss(topic[0], [*self.api.nouns, *TOPICS, *self.sugar_nouns]),
                    _SUGAR["help"],
                )
            if len(topic) == 2 and topic[1].replace("-", "_") not in verbs:
                raise CommandSyntaxError(
                    f'"{topic[0]}" has no "{topic[1]}"; there are: {", ".join(verbs)}'
                )
        return Help(tuple(word.replace("-", "_") for word in topic))

    def _parse_may(self, words: list[str], project: str | None) -> May:
        if not 2 <= len(words) <= 3:
            raise CommandSyntaxError("may one do what? Say a noun and a verb", _SUGAR["may"])
        noun, verb = words[0], words[1].replace("-", "_")
        verbs = self.api.nouns.get(noun, {})
        if verb not in verbs:
            wrong, known = (verb, verbs) if verbs else (noun, self.api.nouns)
            near = near_miss(wrong, known)
            raise CommandSyntaxError(
                f'there is no command "{noun} {words[1]}"{near}', _SUGAR["may"]
            )
        return May(verbs[verb].name, words[2] if len(words) == 3 else project)

    def _parse_connect(self, sugar: str, words: list[str], project: str | None) -> Call:
        return self._parse_nic(f"nic.{sugar}", words, _SUGAR[sugar], project)

    def _parse_nic(self, name: str, words: list[str], usage: str, project: str | None) -> Call:
        """A command on one nic, which is given as ``NODE:NIC``."""
        method = self.api.methods.get(name)
        if method is None:
            raise CommandSyntaxError(f'this daemon has no "{name}"')
        at = next((i for i, word in enumerate(words) if not word.startswith("--")), None)
        node, colon, nic = words[at].partition(":") if at is not None else ("", "", "")
        if at is None or not (node and colon and nic):
            raise CommandSyntaxError("say which nic as NODE:NIC", usage)
        try:
            params = binding.bind(
                self.api, method, [*words[:at], node, nic, *words[at + 1 :]], project
            )
        except CommandSyntaxError as error:
            raise CommandSyntaxError(error.message, usage) from None
        return Call(method.name, params)

    def _parse_plan(self, sugar: str, words: list[str], project: str | None) -> Command:
        target = "plan.show" if sugar == "plan" else "apply.start"
        method = self.api.methods.get(target)
        if method is None:
            raise CommandSyntaxError(f'this daemon has no "{target}"')
        site = "--site" in words
        words = [word for word in words if word != "--site"]
        file: str | None = None
        if sugar == "plan":
            words, file = take_out(words)
        elif is_file(first := first_word(words)):
            return self._parse_apply_file(method, words, first, site=site)
        try:
            # Ignore the project in use here, so that `apply other` can name another.
            params = binding.bind(self.api, method, words, None)
        except CommandSyntaxError as error:
            raise CommandSyntaxError(error.message, _SUGAR[sugar]) from None
        if not site and project and PROJECT not in params:
            params[PROJECT] = project
        if site and PROJECT in params:
            raise CommandSyntaxError("a project or --site, not both", _SUGAR[sugar])
        if not site and params.get(PROJECT) is None:
            raise CommandSyntaxError(
                f"{sugar} what? Name a project, `use` one, or say --site", _SUGAR[sugar]
            )
        if sugar == "plan":
            return Call(method.name, params) if file is None else SavePlan(file, params)
        return Apply(
            params.get(PROJECT),
            params.get("digest"),
            params.get("confirm"),
            params.get("target"),
        )

    def _parse_apply_file(
        self, method: Method, words: list[str], file: str, *, site: bool
    ) -> ApplyFile:
        """``apply FILE``: the file says of what; only how it is confirmed can be added."""
        usage = "apply FILE [--confirm SECONDS]"
        confirm = tuple(param for param in method.params if param.name == "confirm")
        given = Method(method.name, (Param("file", True, _TEXT), *confirm))
        if site:
            raise CommandSyntaxError(
                f"{file} says what it is a plan of, so --site has no place", usage
            )
        try:
            params = binding.bind(self.api, given, words, None)
        except CommandSyntaxError as error:
            raise CommandSyntaxError(error.message, usage) from None
        return ApplyFile(file, params.get("confirm"))

    def _parse_site(self, method: Method, words: list[str], project: str | None) -> Command:
        """``site import FILE`` and ``site export FILE``; ``--site TEXT`` calls the method."""
        if any(word.partition("=")[0] == "--site" for word in words):
            return Call(method.name, binding.bind(self.api, method, words, project))
        params = binding.bind(self.api, _with_file(method), words, project)
        file = params.pop("file", None)
        if method.name == "site.import":
            return ImportSite(file, params)
        return Call(method.name, params) if file is None else ExportSite(file, params)

    # --- commands to lines ---

    def format(self, command: Command, project: str | None = None) -> str:
        """The line for a command; ``project`` as in :meth:`parse`.

        Raises ValueError if no line can express it.
        """
        return " ".join(quote_word(word) for word in self._words(command, project))

    def _words(self, command: Command, project: str | None) -> list[str]:
        match command:
            case Use(name):
                return ["use"] if name is None else ["use", name]
            case Help(topic):
                return ["help", *topic]
            case Apply(name, digest, confirm, part):
                tail = [] if digest is None else [f"--digest={digest}"]
                tail += [] if confirm is None else [f"--confirm={confirm:g}"]
                tail += [] if part is None else [f"--target={part}"]
                return ["apply", *self._scope("apply", name, project), *tail]
            case SavePlan(file, params):
                words = self._words(Call("plan.show", params), project)
                return [*words, f"--out={file}"]
            case ApplyFile(file, confirm):
                tail = [] if confirm is None else [f"--confirm={confirm:g}"]
                plain = is_file(file) and not file.startswith("--")
                return ["apply", file if plain else f"./{file}", *tail]
            case ImportSite(file, params):
                method = _with_file(self.api.methods["site.import"])
                words = binding.unbind(self.api, method, {**params, "file": file}, project)
                return ["site", "import", *words]
            case May(name, of):
                asked = self.api.methods[name]
                return ["may", asked.noun, asked.verb, *([of] if of not in (None, project) else [])]
            case Find(text):
                return ["find", text]
            case Follow(job):
                return ["events"] if job is None else ["job", "follow", str(job)]
            case ExportSite(file, params):
                rest = self.api.methods["site.export"]
                words = binding.unbind(self.api, rest, params, project)
                return ["site", "export", *words, *(["--"] if file.startswith("--") else []), file]
            case Call():
                return self._call_words(command, project)

    def _call_words(self, call: Call, project: str | None) -> list[str]:
        method = self.api.methods[call.method]
        if call.method == "plan.show" and set(call.params) <= {PROJECT, "target", "device"}:
            given = {name: call.params.get(name) for name in ("target", "device")}
            tail = [f"--{name}={value}" for name, value in given.items() if value is not None]
            return ["plan", *self._scope("plan", call.params.get(PROJECT), project), *tail]
        words = binding.unbind(self.api, method, call.params, project)
        if call.method in ("nic.connect", "nic.disconnect") and len(words) > 1:
            node, nic = words[:2]
            if node and nic and ":" not in node and not node.startswith("--"):
                return [method.verb, f"{node}:{nic}", *words[2:]]
        if call.method == "site.import":
            # As an option, so that the text is not taken for the name of a file.
            rest = Method(method.name, tuple(p for p in method.params if p.name != "site"))
            others = {name: value for name, value in call.params.items() if name != "site"}
            options = binding.unbind(self.api, rest, others, project)
            schema = method.by_name["site"].schema
            text = values.word_of(self.api, schema, call.params.get("site"))
            return ["site", "import", f"--site={text}", *options]
        return [method.noun, method.verb, *words]

    def _scope(self, noun: str, name: str | None, project: str | None) -> list[str]:
        """The words for the project of a plan, or for the whole site."""
        if name is None:
            return ["--site"]
        if name == project:
            return []
        if name.startswith("--") or name.replace("-", "_") in self.api.nouns[noun]:
            return [f"--project={name}"]
        return [name]

    # --- about commands ---

    def method_of(self, command: Command) -> Method | None:
        """The method that a command calls; None if it calls none."""
        match command:
            case Call(method):
                return self.api.methods[method]
            case Apply() | ApplyFile():
                return self.api.methods["apply.start"]
            case SavePlan():
                return self.api.methods["plan.show"]
            case ImportSite():
                return self.api.methods["site.import"]
            case ExportSite():
                return self.api.methods["site.export"]
            case _:
                return None

    def mutates(self, command: Command) -> bool:
        """The command changes something on the daemon."""
        method = self.method_of(command)
        return method is not None and method.mutates

    def usage(self, noun: str, verb: str = "", project: str | None = None) -> str:
        """The usage line of a command, also of those that the console adds."""
        sugar = _SUGAR.get(f"{noun} {verb}".strip())
        if sugar is not None:
            return sugar
        return binding.usage(self.api, self.api.nouns[noun][verb], project)


def _with_file(method: Method) -> Method:
    """``site.import`` or ``site.export`` with the name of a file in place of the text."""
    file = Param("file", method.name == "site.import", _TEXT)
    return Method(method.name, (file, *(p for p in method.params if p.name != "site")))


def _parse_find(words: list[str]) -> Find:
    if not words or words[0].startswith("--"):
        raise CommandSyntaxError("find what? Say a part of a name, a MAC or a tag", _SUGAR["find"])
    return Find(" ".join(words))


def _parse_follow(words: Sequence[str]) -> Follow:
    if len(words) != 1 or not words[0].isascii() or not words[0].isdigit():
        raise CommandSyntaxError("follow which job? Say its number", _SUGAR["job follow"])
    return Follow(int(words[0]))


def _did_you_mean(words: Sequence[str], api: Api) -> str:
    guess = command_for(words, api)
    return f', did you mean "{guess}"?' if guess else ""


def _parse_use(words: list[str]) -> Use:
    if len(words) > 1 or (words and (not words[0] or words[0].startswith("--"))):
        raise CommandSyntaxError("use takes one project, or none to stop", _SUGAR["use"])
    return Use(words[0] if words else None)
