"""Removes redundant codes from the output: styles already in force, and long forms of colours.

Textual ends each piece of text with a reset and names all colours anew for the next, which takes
about 40 bytes for two RGB colours. Here only the difference to the style before is sent.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_SGR = re.compile(r"\x1b\[([0-9;]*)m")
_MOVES = re.compile(r"(?:\n|\x1b\[[0-9;]*H|\x1b\[\?[0-9;]*[hl])*")
"""Sequences that draw nothing: ends of lines, cursor positions and modes."""

_OFF = {1: 22, 2: 22, 3: 23, 4: 24, 5: 25, 7: 27, 8: 28, 9: 29}
"""Attributes, each with the code that ends it (ECMA-48, 8.3.117)."""

_SHOWN_BY_BLANKS = frozenset((4, 7, 9))
"""Attributes that are visible on a blank; others, and its foreground, are not."""

_STEPS = (0, 95, 135, 175, 215, 255)
"""The values of each channel in xterm's cube of 216 colours (xterm's 256colres.pl)."""


class _Pen(NamedTuple):
    """The style of text: attributes, and the codes of both colours (empty: the default)."""

    attributes: frozenset[int] = frozenset()
    foreground: str = ""
    background: str = ""


_PLAIN = _Pen()


def squeeze(output: str) -> str:
    """Shorten an output that begins and ends with the default style; it looks the same."""
    made: list[str] = []
    sent = wanted = _PLAIN
    at = 0
    for found in _SGR.finditer(output):
        if found.start() > at:
            sent = _text(made, output[at : found.start()], sent, wanted)
        wanted = _applied(wanted, found[1])
        at = found.end()
    if at < len(output):
        sent = _text(made, output[at:], sent, wanted)
    made.append(_change(sent, wanted))
    return "".join(made)


def _text(made: list[str], text: str, sent: _Pen, wanted: _Pen) -> _Pen:
    """Append a text, and before its first visible character the change to its style."""
    if sent is wanted or sent == wanted:
        made.append(text)
        return sent
    moves = _MOVES.match(text)
    drawn = moves.end() if moves else 0
    if drawn == len(text):
        made.append(text)
        return sent
    if text[drawn:].isspace() and not (sent.attributes | wanted.attributes) & _SHOWN_BY_BLANKS:
        wanted = _Pen(sent.attributes, sent.foreground, wanted.background)
    made += (text[:drawn], _change(sent, wanted), text[drawn:])
    return wanted


@lru_cache(4096)
def _applied(pen: _Pen, codes: str) -> _Pen:
    """The style after a sequence of codes."""
    attributes, foreground, background = set(pen.attributes), pen.foreground, pen.background
    left = iter((codes or "0").split(";"))
    for code in left:
        number = int(code or 0)
        match number:
            case 0:
                attributes, foreground, background = set(), "", ""
            case 38 | 48:
                kind = next(left, "")
                colour = [next(left, "0") for _ in range(3 if kind == "2" else 1)]
                text = ";".join((code, *_short(kind, colour)))
                foreground, background = (text, background) if number == 38 else (foreground, text)
            case 39:
                foreground = ""
            case 49:
                background = ""
            case _ if 30 <= number <= 37 or 90 <= number <= 97:
                foreground = code
            case _ if 40 <= number <= 47 or 100 <= number <= 107:
                background = code
            case _ if number in _OFF.values():
                attributes -= {each for each, off in _OFF.items() if off == number}
            case _:
                attributes.add(number)
    return _Pen(frozenset(attributes), foreground, background)


def _short(kind: str, colour: list[str]) -> list[str]:
    """A colour by its number, if it is one that is the same in every terminal.

    Not 16 to 21: base16-shell puts other colours there.
    """
    if kind != "2":
        return [kind, *colour]
    red, green, blue = map(int, colour)
    if {red, green, blue} <= set(_STEPS):
        at = [_STEPS.index(each) for each in (red, green, blue)]
        number = 16 + 36 * at[0] + 6 * at[1] + at[2]
        return ["5", str(number)] if number > 21 else [kind, *colour]
    if red == green == blue and red % 10 == 8 and red <= 238:
        return ["5", str(232 + (red - 8) // 10)]
    return [kind, *colour]


@lru_cache(4096)
def _change(before: _Pen, after: _Pen) -> str:
    """The shortest sequence from one style to another."""
    if before == after:
        return ""
    anew = ["0", *map(str, sorted(after.attributes)), after.foreground, after.background]
    gone = before.attributes - after.attributes
    if not gone <= _OFF.keys():
        return _sequence(anew)
    ended = {_OFF[each] for each in gone}
    kept = {each for each in before.attributes & after.attributes if _OFF.get(each) not in ended}
    codes = [str(each) for each in sorted(ended)]
    codes += [str(each) for each in sorted(after.attributes - kept)]
    if before.foreground != after.foreground:
        codes.append(after.foreground or "39")
    if before.background != after.background:
        codes.append(after.background or "49")
    return min(_sequence(anew), _sequence(codes), key=len)


def _sequence(codes: list[str]) -> str:
    text = ";".join(filter(None, codes))
    return "\x1b[m" if text == "0" else f"\x1b[{text}m"
