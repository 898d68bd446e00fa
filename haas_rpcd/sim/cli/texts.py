"""The texts around commands: prompts, login, ``enable`` and pager."""

from __future__ import annotations

from dataclasses import dataclass


class RejectedError(Exception):
    """The switch refuses a line that it understands. The arguments are the lines that it prints."""

    @property
    def lines(self) -> list[str]:
        """The lines that are printed."""
        return [str(line) for line in self.args]


@dataclass(frozen=True, eq=False)
class Mode:
    """A mode of the command line.

    ``name``: for the records. ``prompt``: ``{host}`` and ``{label}`` are replaced. ``parent``: the
    mode to which ``exit`` returns; None: ``exit`` closes the session. ``configures``: it is a
    configuration mode. ``falls_to``: the mode in which lines are tried that this one does not know.
    A line that matches there takes the session to that mode.
    """

    name: str
    prompt: str
    parent: Mode | None = None
    configures: bool = False
    falls_to: Mode | None = None


@dataclass(frozen=True)
class Login:
    """The dialogue at the beginning of a telnet session.

    ``user`` may contain ``{host}``. ``before`` is printed before the first question and after the
    message of the day, ``wrong`` after a wrong answer, ``closing`` in place of ``wrong`` after the
    last of ``tries``. ``none_set`` is printed if neither user nor password is set; with None,
    everybody gets in. ``stars``: the echo of a password's characters.
    """

    user: str = "Username: "
    password: str = "Password: "  # noqa: S105  (a prompt)
    before: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ("% Login invalid", "")
    closing: tuple[str, ...] = ()
    none_set: tuple[str, ...] | None = None
    tries: int = 3
    stars: str = ""


@dataclass(frozen=True)
class Enable:
    """The dialogue of ``enable``.

    ``wrong`` is printed after a wrong answer, ``last`` after the last of ``tries``, ``none_set`` if
    no password is set; with None, everybody gets through. `CliSwitch.enables` checks the answer.
    """

    question: str = "Password: "
    wrong: tuple[str, ...] = ()
    last: tuple[str, ...] = ("% Bad secrets", "")
    none_set: tuple[str, ...] | None = None
    tries: int = 3
    stars: str = ""


@dataclass(frozen=True)
class Pager:
    """How long output is paged.

    ``length``: lines per page at the beginning of a session; 0: no paging. ``keeps``: lines of a
    page that stay empty. ``erase`` is written over ``more`` before the output continues. ``quits``:
    keys that end the output; None: all except blank and Return. Other keys do nothing.
    """

    more: str = " --More-- "
    erase: str = "\b" * 10 + " " * 10 + "\b" * 10
    length: int = 24
    keeps: int = 1
    quits: str | None = None
