"""Curves as SVG, on logarithmic axes: a straight line is a power, its slope the exponent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 900, 520
LEFT, RIGHT, TOP, BOTTOM = 70, 270, 20, 50
COLOURS = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7f3c8d", "#666666",
)  # fmt: skip
"""Those that Okabe and Ito chose to be told apart by the colour-blind, and two more."""

CURVES = (
    "apply of the whole site",
    "drift check of the whole site",
    "plan of the whole site",
    "list of all nodes",
    "apply of one port",
    "console: first paint",
    "one page of 100 nodes",
    "one node",
)


def picture(sizes: Sequence[Mapping[str, float]], names: Sequence[str] = CURVES) -> str:
    """Draw seconds over the number of nodes, a curve for each name."""
    nodes = [size["nodes"] for size in sizes]
    values = [size[name] for size in sizes for name in names]
    across = _Axis(min(nodes), max(nodes), LEFT, WIDTH - RIGHT)
    up = _Axis(min(values), max(values), HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for tick in across.ticks:
        x = across.at(tick)
        parts.append(_line(x, TOP, x, HEIGHT - BOTTOM))
        parts.append(_text(x, HEIGHT - BOTTOM + 18, f"{tick:,.0f}", "middle"))
    for tick in up.ticks:
        y = up.at(tick)
        parts.append(_line(LEFT, y, WIDTH - RIGHT, y))
        parts.append(_text(LEFT - 8, y + 4, f"{tick:g} s", "end"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "nodes", "middle"))
    labels = _apart([up.at(sizes[-1][name]) for name in names])
    for name, colour, label in zip(names, COLOURS, labels, strict=False):
        points = [(across.at(size["nodes"]), up.at(size[name])) for size in sizes]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        parts.append(_text(WIDTH - RIGHT + 12, label + 4, name, "start", colour))
    return "\n".join([*parts, "</svg>\n"])


class _Axis:
    """A logarithmic axis between two places of the picture."""

    def __init__(self, least: float, most: float, begin: float, end: float) -> None:
        self._low = math.floor(math.log10(least))
        self._high = max(math.ceil(math.log10(most)), self._low + 1)
        self._begin, self._end = begin, end

    @property
    def ticks(self) -> list[float]:
        """The powers of ten."""
        return [10.0**power for power in range(self._low, self._high + 1)]

    def at(self, value: float) -> float:
        """The place of a value."""
        share = (math.log10(value) - self._low) / (self._high - self._low)
        return self._begin + share * (self._end - self._begin)


def _apart(places: Sequence[float], gap: float = 17) -> list[float]:
    """Move labels downwards until none is upon another."""
    result = [0.0] * len(places)
    last = -math.inf
    for index in sorted(range(len(places)), key=lambda index: places[index]):
        last = result[index] = max(places[index], last + gap)
    return result


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="#ddd"/>'


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#333") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"'
    return f"<text {place}>{escape(text)}</text>"
