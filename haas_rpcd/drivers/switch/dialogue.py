"""The dialogue with one family of switches: its prompts, login, pager, questions and errors.

Data, without I/O: :mod:`haas_rpcd.drivers.switch.login` and :mod:`haas_rpcd.drivers.switch.session`
hold the dialogue.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass

from haas_rpcd.drivers.switch import patterns
from haas_rpcd.drivers.switch.patterns import at_end, at_start
from haas_rpcd.drivers.switch.sessionlist import SessionList

_CLOCK = re.compile(r"\d{1,2}:\d\d(?::\d\d)?")

FindError = Callable[["Dialogue", str, "re.Match[str]"], str | None]
"""Returns the error in an answer without echo and log messages, or None. The match is that of the
prompt behind the answer."""


def first_error_line(dialogue: Dialogue, answer: str, prompt: re.Match[str]) -> str | None:
    """Return the first line that starts like an error and like none of the benign ones."""
    if not dialogue.errors:
        return None
    for match in _line_like(dialogue.errors).finditer(answer):
        if not _starts_like(dialogue.benign, text := match[0].strip()):
            return text
    return None


@dataclass(frozen=True, kw_only=True)
class Dialogue:
    """What one family prints, and the input that it expects. The defaults suit most families."""

    # --- prompts ---
    host: str = r"(?:\([^\s#>()\[\]]*\))?[^\s#>()\[\]]+"
    """Regular expression for the host name in a prompt. (A host name that ends in parentheses, as
    in ``27N2(2960_PoE)>``, looks like one with a mode, which does no harm.)"""

    prompt: str = r"HOST(?:\([^()\r\n]*\)[^\s#>()\[\]]*)*[>#] ?"
    """Regular expression for the prompts of all modes; ``HOST`` stands for the host name."""

    host_chars: int = 16
    """Characters of the host name that every prompt shows. Some families shorten the name to make
    room for the mode."""

    first_prompt: re.Pattern[str] | None = None
    """The prompt at the end of a login, if ``setup`` replaces it by ``prompt``."""

    user_mode: re.Pattern[str] = re.compile(r">\Z")
    """Matches the prompts of a mode in which nothing can be configured."""

    configuring: re.Pattern[str] | None = re.compile(r"\(config[^()]*\)#")
    """Matches the prompts of configuration mode; None if there is no such mode."""

    echoes: bool = True
    """True if the switch echoes its input. An answer then starts after the line's echo, and a
    prompt counts only if the next line's echo follows it, or nothing."""

    window: int = 16
    """Number of lines that may be sent ahead of their answers."""

    # --- logging in and out ---
    username: re.Pattern[str] = patterns.USERNAME
    password: re.Pattern[str] = patterns.PASSWORD
    login_failed: re.Pattern[str] = patterns.LOGIN_FAILED
    """A refusal. It counts after a password was sent, unless a prompt follows: a message of the
    day may warn of ``Invalid login attempts``."""

    new_password: re.Pattern[str] = patterns.NEW_PASSWORD
    password_expired: re.Pattern[str] = patterns.PASSWORD_EXPIRED
    no_free_session: re.Pattern[str] = patterns.NO_FREE_SESSION
    """The message when all sessions are in use. It counts unless the switch asks for a login: a
    banner may mention ``too many sessions``."""

    press_key: re.Pattern[str] | None = patterns.PRESS_KEY
    enable: str | None = None
    """The line that leads from the user mode to the privileged mode, if the family has them."""

    enable_failed: re.Pattern[str] | None = None
    setup: tuple[str, ...] = ()
    """Lines sent after login: turn paging off, widen the terminal. A refusal is no error, because
    some models of a family lack the command; their pages are turned instead."""

    logout: tuple[str, ...] = ("exit",)

    # --- answers ---
    pager: re.Pattern[str] | None = patterns.PAGER
    question: re.Pattern[str] | None = patterns.QUESTION
    replies: tuple[tuple[str, str], ...] = (
        (r"yes/no", "yes\r\n"),
        (r"y/n", "y"),
        ("", "\r\n"),
    )
    """The input for a question in the middle of a command: that of the first regular expression
    that is found in the question (case is ignored). By default: ``yes`` and Enter if it asks for a
    word, the key ``y`` if it asks for a key, and Enter alone for a file name or ``[confirm]``."""

    errors: tuple[str, ...] = ()
    """Regular expressions for the start of error lines (case is ignored)."""

    benign: tuple[str, ...] = ()
    """Regular expressions for the start of lines that match ``errors`` but are harmless."""

    find_error: FindError = first_error_line

    optional_lines: tuple[str, ...] = ()
    """Regular expressions for lines that remove what only some models have. A model that does not
    know such a line has nothing to remove, so ``unknown_command`` is no error there."""

    unknown_command: re.Pattern[str] = re.compile(
        r"%?\s*(?:invalid (?:input|command)|unrecognized command)", re.I
    )
    """The beginning of the error of a line that the model does not know."""

    busy: re.Pattern[str] | None = None
    """Errors that go away by themselves: another session holds the configuration lock."""

    sessions: SessionList | None = None
    """How the switch lists its sessions; None if that is not known."""

    # --- modes ---
    enter_config: tuple[str, ...] = ()
    leave_config: tuple[str, ...] = ()
    save: tuple[str, ...] = ()
    """Lines that save the configuration; none if a restart loses nothing, or all."""

    saved: re.Pattern[str] | None = None
    """Found in the answers to ``save`` if, and only if, the configuration was saved."""

    def __post_init__(self) -> None:
        if self.save and self.saved is None:
            raise ValueError("a dialogue with lines that save needs a pattern for their success")

    @property
    def any_prompt(self) -> re.Pattern[str]:
        """The prompt of any switch of this family, at the end of the output of a login."""
        return self.first_prompt or at_end(
            self.prompt.replace("HOST", self.host), ignore_case=False
        )

    @property
    def any_host(self) -> re.Pattern[str]:
        """The prompt of any switch of this family, at the start of a line."""
        return at_start(self.prompt.replace("HOST", self.host))

    def own_prompt(self, prompt: str) -> re.Pattern[str]:
        """Return a pattern for the prompts of the switch that shows this one, in all modes."""
        found = re.search(self.prompt.replace("HOST", f"(?P<host>{self.host})"), prompt)
        host = found["host"] if found and "HOST" in self.prompt else prompt.rstrip("#>$% ")
        fixed = _CLOCK.split(host)
        if len(fixed) > 1:  # a clock is part of the prompt (EOS: ``prompt %H.%D{%T}%v%P``)
            shown = r"[\d:]+".join(map(re.escape, fixed))
        else:
            shown = re.escape(host[: self.host_chars])
        more = r"[^\s#>()\[\]]*" if len(host) > self.host_chars else ""
        return at_start(self.prompt.replace("HOST", shown + more))

    def unprivileged(self, prompt: str) -> bool:
        """Return whether the prompt belongs to a mode in which nothing can be configured."""
        return self.user_mode.search(prompt) is not None

    def reply(self, question: str) -> str:
        """Return the input for a question that the switch asks in the middle of a command."""
        return next(
            (typed for asked, typed in self.replies if re.search(asked, question, re.I)), "\r\n"
        )

    def error_in(self, answer: str, prompt: re.Match[str]) -> str | None:
        """Return the error in an answer without echo and log messages, or None."""
        return self.find_error(self, answer, prompt)

    def tolerates(self, line: str, error: str) -> bool:
        """Return whether an error in the answer to a line is harmless; see ``optional_lines``."""
        optional = any(re.fullmatch(one, line) for one in self.optional_lines)
        return optional and self.unknown_command.match(error) is not None

    def looks_like_error(self, text: str) -> bool:
        """Return whether a line of an answer starts like an error."""
        return _starts_like(self.errors, text)

    def confirms_save(self, answer: str) -> bool:
        """Return whether the answers to ``save`` say that the configuration was saved."""
        return self.saved is not None and self.saved.search(answer) is not None


def _starts_like(expressions: tuple[str, ...], text: str) -> bool:
    return bool(expressions and text) and _any_of(expressions).match(text) is not None


@functools.cache
def _any_of(expressions: tuple[str, ...]) -> re.Pattern[str]:
    """Compile the expressions into one pattern: long answers are searched line by line."""
    return re.compile("|".join(f"(?:{expression})" for expression in expressions), re.I)


@functools.cache
def _line_like(expressions: tuple[str, ...]) -> re.Pattern[str]:
    """Compile the expressions into one pattern for whole lines: answers may have many."""
    return re.compile(rf"^[^\S\n]*(?:{_any_of(expressions).pattern})[^\n]*", re.I | re.M)
