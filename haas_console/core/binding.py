"""Converts the words after ``noun verb`` to the params of a method, and back.

Words fill the required params in order, then the optional ones; a list takes all remaining words.
Options name their param (``--vlan 104``, ``--vlan=104``). The option of a list may be repeated,
that of a boolean has no value (``--tagged``, ``--no-tagged``). ``--no-X`` leaves any other X empty.
``--`` ends the options.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from haas_console.core import values
from haas_console.core.api import Api, Method, Param, near_miss
from haas_console.core.errors import CommandSyntaxError

PROJECT = "project"


def fills_project(method: Method) -> bool:
    """``use`` fills in the method's project: not if the project is the object itself."""
    return PROJECT in method.by_name and method.noun != PROJECT


def usage(api: Api, method: Method, project: str | None = None) -> str:
    """The usage line, e.g. ``network create PROJECT NETWORK [--vlan VLAN]``."""
    words = [method.noun, method.verb]
    positional, by_option = _order(api, method, project)
    required = [param for param in positional if param.required]
    for param in required:
        dots = "..." if values.item_schema(api, param.schema) is not None else ""
        words.append(_metavar(param) + dots)
    for param in method.params:
        if param in required or (project and param.name == PROJECT and fills_project(method)):
            continue
        text = param.option
        if not values.is_boolean(api, param.schema):
            text += f" {_metavar(param)}"
        if values.item_schema(api, param.schema) is not None:
            text += " ..."
        words.append(text if param in by_option else f"[{text}]")
    return " ".join(words)


def positional(api: Api, method: Method, project: str | None = None) -> list[Param]:
    """The params that take words, in order; not a project that is in use."""
    return _order(api, method, project)[0]


def _metavar(param: Param) -> str:
    return param.name.upper().replace("_", "-")


def _order(api: Api, method: Method, project: str | None) -> tuple[list[Param], list[Param]]:
    """The params that take words, in order, and the required ones that need an option.

    Nothing can follow a list, which takes all remaining words.
    """
    hidden = PROJECT if project and fills_project(method) else None
    required = [p for p in method.params if p.required and p.name != hidden]
    optional = [p for p in method.params if not p.required and p.name != hidden]
    positional: list[Param] = []
    for param in required + optional:
        positional.append(param)
        if values.item_schema(api, param.schema) is not None:
            break
    return positional, [param for param in required if param not in positional]


# --- words to params ------------------------------------------------------------------------------


def bind(api: Api, method: Method, words: Sequence[str], project: str | None) -> dict[str, Any]:
    """Convert words to params; ``project`` is the one in use, if any.

    Raises CommandSyntaxError, which names the param that is wrong or missing.
    """
    try:
        return _Binder(api, method, project).bind(words)
    except CommandSyntaxError as error:
        again = ""
        if project and fills_project(method) and _names_it_again(api, method, words, project):
            again = f"; {project} is the project in use, so leave it out"
        raise CommandSyntaxError(error.message + again, usage(api, method, project)) from None


def _names_it_again(api: Api, method: Method, words: Sequence[str], project: str) -> bool:
    """Return whether the words are valid without the first one, the project in use."""
    if list(words[:1]) != [project]:
        return False
    try:
        _Binder(api, method, project).bind(words[1:])
    except CommandSyntaxError:
        return False
    return True


class _Binder:
    def __init__(self, api: Api, method: Method, project: str | None) -> None:
        self.api = api
        self.method = method
        self.project = project
        self.params: dict[str, Any] = {}
        self.emptied: set[str] = set()
        self.lists: dict[str, list[str]] = {}

    def bind(self, words: Sequence[str]) -> dict[str, Any]:
        positional = self._take_options(words)
        for name, items in self.lists.items():
            self._set_list(self.method.by_name[name], items)
        if self.project and fills_project(self.method) and not self._given(PROJECT):
            self._set_word(self.method.by_name[PROJECT], self.project)
        elif self._leaves_project_out(positional):
            self._set_word(self.method.by_name[PROJECT], self.project or "")
        self._take_positional(positional)
        missing = [p for p in self.method.params if p.required and p.name not in self.params]
        if missing:
            raise CommandSyntaxError(f"{_metavar(missing[0])} is missing")
        return {p.name: self.params[p.name] for p in self.method.params if p.name in self.params}

    def _leaves_project_out(self, words: list[str]) -> bool:
        """A command on projects lacks one word, so it means the project in use.

        Not to create or delete one: these must name the project.
        """
        if not self.project or self.method.noun != PROJECT or self._given(PROJECT):
            return False
        wanted = [p for p in self.method.params if p.required and not self._given(p.name)]
        return self.method.verb not in ("create", "delete") and len(words) < len(wanted)

    def _given(self, name: str) -> bool:
        return name in self.params or name in self.emptied

    def _take_options(self, words: Sequence[str]) -> list[str]:
        """Bind all options; return the other words."""
        positional: list[str] = []
        left = list(words)
        while left:
            word = left.pop(0)
            if word == "--":
                return positional + left
            if not word.startswith("--"):
                positional.append(word)
                continue
            name, equals, text = word.partition("=")
            param, negative = self._find(name)
            if negative:
                if equals:
                    raise CommandSyntaxError(f"{name} takes no value")
                self._set_negative(param, name)
            elif equals:
                self._set_option(param, text)
            elif values.is_boolean(self.api, param.schema):
                follows = left and left[0].lower() in ("true", "false")
                self._set_option(param, left.pop(0) if follows else "true")
            elif not left or left[0].startswith("--"):
                raise CommandSyntaxError(f"{name} needs a value")
            else:
                self._set_option(param, left.pop(0))
        return positional

    def _find(self, name: str) -> tuple[Param, bool]:
        options = {param.option: param for param in self.method.params}
        asked = "--" + name[2:].replace("-", "_")  # --dry-run means --dry_run
        if asked in options:
            return options[asked], False
        if asked.startswith("--no_") and "--" + asked[5:] in options:
            return options["--" + asked[5:]], True
        there = f"there are {', '.join(options)}" if options else "it takes none"
        raise CommandSyntaxError(f'no option "{name}"{near_miss(asked, options)}; {there}')

    def _set_option(self, param: Param, word: str) -> None:
        if values.item_schema(self.api, param.schema) is not None:
            self.lists.setdefault(param.name, []).append(word)
            return
        if self._given(param.name):
            raise CommandSyntaxError(f"{param.option} is given twice")
        self._set_word(param, word)

    def _set_negative(self, param: Param, name: str) -> None:
        if self._given(param.name):
            raise CommandSyntaxError(f"{param.option} is given twice")
        if values.is_boolean(self.api, param.schema):
            self.params[param.name] = False
        elif values.nullable(self.api, param.schema):
            self.params[param.name] = None
        elif param.required:
            raise CommandSyntaxError(f"{name}: {param.name} cannot be left empty")
        else:
            self.emptied.add(param.name)

    def _take_positional(self, words: list[str]) -> None:
        order = _order(self.api, self.method, None)[0]  # a project in use is bound already
        for param in [param for param in order if not self._given(param.name)]:
            if not words:
                return
            if values.item_schema(self.api, param.schema) is not None:
                self._set_list(param, words)
                return
            self._set_word(param, words.pop(0))
        if words:
            raise CommandSyntaxError(f'too many words: "{words[0]}" has no place')

    def _set_word(self, param: Param, word: str) -> None:
        try:
            self.params[param.name] = values.value_of(self.api, param.schema, word)
        except ValueError as error:
            raise CommandSyntaxError(f"{param.name}: {error}") from None

    def _set_list(self, param: Param, words: list[str]) -> None:
        items = values.item_schema(self.api, param.schema) or {}
        try:
            self.params[param.name] = values.values_of(self.api, items, words)
            values.check(self.api, param.schema, self.params[param.name])
        except ValueError as error:
            raise CommandSyntaxError(f"{param.name}: {error}") from None


# --- params to words ------------------------------------------------------------------------------


def unbind(api: Api, method: Method, params: Mapping[str, Any], project: str | None) -> list[str]:
    """Convert params to words that :func:`bind` converts back, given the same ``project``.

    A null counts as missing. Raises ValueError if a required param is missing or a value cannot be
    written as a word.
    """
    positional: list[str] = []
    options: list[str] = []
    by_words = {param.name for param in _order(api, method, project)[0] if param.required}
    for param in method.params:
        spoken_for = bool(project) and param.name == PROJECT and fills_project(method)
        value = params.get(param.name)
        if value is None:
            if param.required and not values.nullable(api, param.schema):
                raise ValueError(f"{param.name} is missing")
            if param.required or spoken_for:
                options.append(f"--no-{param.option[2:]}")
        elif spoken_for and value == project:
            continue
        elif param.name in by_words:
            positional += _words(api, param, value)
        elif values.is_boolean(api, param.schema):
            options.append(param.option if value else f"--no-{param.option[2:]}")
        else:
            for word in _words(api, param, value):
                joined = word.startswith("--")
                options += [f"{param.option}={word}"] if joined else [param.option, word]
    unknown = set(params) - set(method.by_name)
    if unknown:
        raise ValueError(f"{method.name} has no {', '.join(sorted(unknown))}")
    if any(word.startswith("--") for word in positional):
        return [*options, "--", *positional]
    return positional + options


def _words(api: Api, param: Param, value: Any) -> list[str]:
    items = values.item_schema(api, param.schema)
    if items is None:
        return [values.word_of(api, param.schema, value)]
    return values.words_of(api, items, value)
