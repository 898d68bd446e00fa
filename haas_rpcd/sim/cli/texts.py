"""What a vendor's command line says around its commands: modes, login, enable, pager."""

from __future__ import annotations

from dataclasses import dataclass


class RejectedError(Exception):
    """The switch understood a line and will not have it; the arguments are the lines it prints."""

    @property
    def lines(self) -> list[str]:
        """What is printed."""
        return [str(line) for line in self.args]


@dataclass(frozen=True, eq=False)
class Mode:
    """Where a session's next line is read.

    ``name``: for the records. ``prompt``: ``{host}`` and ``{label}`` are filled in. ``parent``:
    where ``exit`` leads; None closes the session. ``configures``: it is a configuration mode.
    ``falls_to``: the mode in which a line is tried that this one does not know; if it fits there,
    the session goes there first.
    """

    name: str
    prompt: str
    parent: Mode | None = None
    configures: bool = False
    falls_to: Mode | None = None


@dataclass(frozen=True)
class Login:
    """The dialogue at the beginning of a telnet session.

    ``user`` may hold ``{host}``. ``before``: printed before the first question, after the message
    of the day. ``wrong``: after a wrong answer. ``closing``: after the last of ``tries``, in place
    of ``wrong``. ``none_set``: where neither user nor password is set; None lets everybody in.
    ``stars``: what a password's characters are echoed as.
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
    """``enable``: its question, and what is said to a wrong answer and to the last of them.

    ``none_set``: where no password is set; None lets everybody through. Which answers count is up
    to `CliSwitch.enables`.
    """

    question: str = "Password: "
    wrong: tuple[str, ...] = ()
    last: tuple[str, ...] = ("% Bad secrets", "")
    none_set: tuple[str, ...] | None = None
    tries: int = 3
    stars: str = ""


@dataclass(frozen=True)
class Pager:
    """What halts long output.

    ``length``: lines a page at the beginning of a session; 0 is no paging. ``keeps``: lines of a
    page that stay free. ``erase``: what is written over ``more`` before the output goes on.
    ``quits``: keys that end the output; None: all but blank and Return. Others do nothing.
    """

    more: str = " --More-- "
    erase: str = "\b" * 10 + " " * 10 + "\b" * 10
    length: int = 24
    keeps: int = 1
    quits: str | None = None
