"""Completion of command lines: nouns, verbs, options, and names from the inventory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from haas_console.core import binding, values
from haas_console.core.api import Method, Param
from haas_console.core.binding import PROJECT, fills_project
from haas_console.core.inventory import Inventory
from haas_console.core.joblist import newest_first
from haas_console.core.language import Language
from haas_console.core.objects import everything
from haas_console.core.topics import TOPICS

MOST = 200  # candidates; more would not help


class Completer:
    """Completes lines of one language with the names of one inventory.

    ``extra`` are further first words that the front end knows, such as its screens. With
    ``objects`` a noun may be followed by the name of an object.
    """

    def __init__(
        self,
        language: Language,
        inventory: Inventory,
        project: str | None,
        extra: Iterable[str] = (),
        *,
        objects: bool = False,
    ) -> None:
        self._language = language
        self._inventory = inventory
        self._project = project
        self._extra = tuple(extra)
        self._objects = objects

    def complete(self, text: str) -> list[str]:
        """The candidates for the last word of a line, in order; each is a whole word."""
        words = text.split()
        last = "" if not text or text[-1].isspace() else words.pop()
        found = [word for word in self._next(words, last) if word.startswith(last)]
        return list(dict.fromkeys(found))[:MOST]

    def _next(self, words: Sequence[str], last: str) -> Iterable[str]:
        language = self._language
        if not words:
            return sorted({*language.sugar_nouns, *language.api.nouns, *self._extra})
        first, rest = words[0], words[1:]
        verbs = language.api.nouns.get(first, {})
        match first:
            case "use":
                return self._projects() if not rest else ()
            case "help":
                if not rest:
                    return sorted({*language.api.nouns, *language.sugar_nouns, *TOPICS})
                return language.api.nouns.get(rest[0], {}) if len(rest) == 1 else ()
            case "may" if len(rest) < 2:
                return language.api.nouns.get(rest[0], ()) if rest else language.api.nouns
            case "may":
                return self._projects() if len(rest) == 2 else ()
            case "why":
                return self._nics(last) if not rest else ()
            case "connect" | "disconnect":
                return self._connect(first, rest, last)
            case "job" if not rest:
                return [*verbs, "follow"]
            case "events" if not rest:
                return [*verbs, "follow"]
            case "plan" | "apply" if not rest:
                return [*self._projects(), *verbs, "--site"]
            case "plan" | "apply" if rest[0] not in verbs:
                return self._plan_words(first, rest)
            case _ if not rest:
                return [*verbs, *self._named(first)]
        method = verbs.get(rest[0].replace("-", "_"))
        return () if method is None else self._params(method, rest[1:], last)

    def _named(self, noun: str) -> Iterable[str]:
        """The names of a noun's objects, which the front end opens."""
        if not self._objects or noun not in self._language.api.nouns:
            return ()
        return (ref.name for ref in everything(self._inventory) if ref.kind == noun)

    def _connect(self, sugar: str, rest: Sequence[str], last: str) -> Iterable[str]:
        method = self._language.api.methods.get(f"nic.{sugar}")
        if method is None:
            return ()
        if rest:
            node, _, nic = rest[0].partition(":")
            return self._params(method, [node, nic, *rest[1:]], last)
        return self._nics(last)

    def _nics(self, last: str) -> Iterable[str]:
        """``NODE:`` of the project's nodes, and with the colon the node's nics."""
        node, colon, _ = last.partition(":")
        if colon and node in self._inventory.nodes:
            return [f"{node}:{nic.nic}" for nic in self._inventory.nodes[node].nics]
        return [f"{name}:" for name in self._held()]

    def _plan_words(self, first: str, rest: Sequence[str]) -> Iterable[str]:
        """What follows the project of ``plan`` and ``apply``."""
        project = rest[0] if rest[0] in self._inventory.projects else self._project
        if rest[-1] == "--target":
            nodes = (node.node for node in self._inventory.nodes_of(project))
            networks = (n.name_for(project) for n in self._inventory.networks_of(project))
            return [*nodes, *networks]
        if rest[-1] in ("--out", "--digest", "--confirm"):
            return ()
        own = ("--out",) if first == "plan" else ("--digest", "--confirm")
        return [option for option in ("--target", *own) if option not in rest]

    # --- the params of a method ---

    def _params(self, method: Method, words: Sequence[str], last: str) -> Iterable[str]:
        """Options if one is begun, values after an option, or else values of the next word."""
        api = self._language.api
        options = {param.option: param for param in method.params}
        given: dict[str, str] = {}
        plain: list[str] = []
        waiting: Param | None = None
        for word in words:
            name, equals, value = word.partition("=")
            if waiting is not None:
                given[waiting.name], waiting = word, None
            elif word.startswith("--"):
                param = options.get("--" + name[2:].replace("-", "_"))
                if param is not None and equals:
                    given[param.name] = value
                elif param is not None and values.is_boolean(api, param.schema):
                    given[param.name] = "true"
                else:
                    waiting = param
            else:
                plain.append(word)
        order = binding.positional(api, method, self._project)
        takers = [param for param in order if param.name not in given]
        for param, word in zip(takers, plain, strict=False):
            given[param.name] = word
        if waiting is not None:
            return self._values(method, waiting, given)
        left = [option for option, param in options.items() if param.name not in given]
        if last.startswith("-"):
            return left
        return [*self._word(method, takers, plain, given), *left]

    def _word(
        self, method: Method, takers: list[Param], plain: list[str], given: dict[str, str]
    ) -> Iterable[str]:
        if len(plain) < len(takers):
            return self._values(method, takers[len(plain)], given)
        if takers and values.item_schema(self._language.api, takers[-1].schema) is not None:
            return self._values(method, takers[-1], given)
        return ()

    def _values(self, method: Method, param: Param, given: dict[str, str]) -> Iterable[str]:
        """The known values of a param."""
        known = self._names(method, given).get(param.name)
        if known is not None and not (
            method.verb in ("create", "register") and _own(method, param)
        ):
            return known()
        schema = param.schema
        for choice in values.choices(self._language.api, schema):
            if "enum" in choice:
                return [str(word) for word in choice["enum"]]
        return ("true", "false") if values.is_boolean(self._language.api, schema) else ()

    def _names(
        self, method: Method, given: dict[str, str]
    ) -> dict[str, Callable[[], Iterable[str]]]:
        inventory = self._inventory
        info = inventory.info

        def nics() -> Iterable[str]:
            node = inventory.nodes.get(given.get("node", ""))
            return [nic.nic for nic in node.nics] if node else ()

        def networks() -> Iterable[str]:
            node = inventory.nodes.get(given.get("node", ""))
            project = given.get(PROJECT) or (node.project if node else None) or self._project
            return [n.name_for(project) for n in inventory.networks_of(project)]

        def headnodes() -> Iterable[str]:
            project = given.get(PROJECT) or self._project
            return [h.headnode for h in inventory.headnodes_of(project)]

        def ports() -> Iterable[str]:
            return [p.port for p in inventory.ports.get(given.get("switch", ""), ())]

        return {
            "project": self._projects,
            "with": self._projects,
            "node": lambda: self._nodes_for(method),
            "nic": nics if method.noun == "nic" else tuple,
            "network": networks,
            "headnode": headnodes,
            "switch": lambda: sorted(inventory.switches),
            "port": ports,
            "ports": ports,
            "job": lambda: [str(job.job) for job in newest_first(inventory.jobs.values())],
            "image": lambda: info.images if info else (),
            "dialect": lambda: info.dialects if info else (),
            "tag": lambda: sorted({tag for n in inventory.nodes.values() for tag in n.tags}),
        }

    def _projects(self) -> list[str]:
        return sorted(self._inventory.projects)

    def _held(self) -> list[str]:
        return [node.node for node in self._inventory.nodes_of(self._project)]

    def _nodes_for(self, method: Method) -> list[str]:
        match method.name:
            case "node.allocate":
                return [n.node for n in self._inventory.nodes.values() if n.state == "free"]
            case "node.release" | "nic.connect" | "nic.disconnect":
                return self._held()
            case _:
                return list(self._inventory.nodes)


def _own(method: Method, param: Param) -> bool:
    """The param names what the method creates, so no existing name fits."""
    return param.name == method.noun and not (param.name == PROJECT and fills_project(method))
