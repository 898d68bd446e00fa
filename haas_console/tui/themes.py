"""The console's own themes, and the styles that it adds to every theme.

All colours are of the 240 that terminals with 256 colours and those with 24 bits show alike, so
nothing is lost in tmux or without COLORTERM. Text has a contrast of at least 4.5 to 1 (WCAG 2.2,
1.4.3) on every background that it can have; ``tests/tui/test_themes.py`` computes it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from rich.style import Style
from rich.theme import Theme as RichTheme
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from haas_console.core.colours import COLOURS


class Palette(msgspec.Struct, frozen=True):
    """The colours of a theme, by what they mean."""

    background: str
    surface: str
    """Behind titles, the prompt and the palette."""
    header: str
    """Behind the line on top."""
    cursor: str
    blur: str
    """Behind the line of the cursor, in the list with the focus and in others."""
    text: str
    muted: str
    rule: str
    """Borders. They carry no meaning, so their contrast may be low."""
    primary: str
    staged: str
    bad: str
    good: str
    mark: str
    networks: tuple[str, ...]

    @property
    def backgrounds(self) -> tuple[str, ...]:
        """Every background that text can have, except for that of a target."""
        return (self.background, self.surface, self.header, self.cursor, self.blur)

    @property
    def inks(self) -> tuple[str, ...]:
        """Every colour that text can have on those."""
        return (
            self.text,
            self.muted,
            self.primary,
            self.staged,
            self.bad,
            self.good,
            self.mark,
            *self.networks,
        )

    def theme(self, name: str, *, dark: bool) -> Theme:
        """As a theme of Textual's."""
        own = {
            "muted": self.muted,
            "muted-style": "none",
            "rule": self.rule,
            "staged": self.staged,
            "bad": self.bad,
            "good": self.good,
            "mark": self.mark,
            "ink": self.background,
            "cursor-background": self.cursor,
            "cursor-style": "bold",
            "blur-background": self.blur,
            "blur-style": "none",
            "header-background": self.header,
            "header-style": "none",
            "title-background": self.surface,
            "title-style": "bold",
        }
        own |= {f"net{number}": colour for number, colour in enumerate(self.networks)}
        return Theme(
            name=name,
            primary=self.primary,
            secondary=self.primary,
            warning=self.staged,
            error=self.bad,
            success=self.good,
            accent=self.mark,
            foreground=self.text,
            background=self.background,
            surface=self.surface,
            panel=self.header,
            dark=dark,
            variables={**own, "border": self.rule, "border-blurred": self.rule},
        )


DARK = Palette(
    background="#1c1c1c",
    surface="#262626",
    header="#303030",
    cursor="#3a3a3a",
    blur="#303030",
    text="#dadada",
    muted="#a8a8a8",
    rule="#585858",
    primary="#87afff",
    staged="#ffd75f",
    bad="#ff8787",
    good="#87d75f",
    mark="#ffaf5f",
    networks=(
        "#5fffaf",
        "#00d7d7",
        "#87ffff",
        "#5fafff",
        "#d787ff",
        "#ffafd7",
        "#d7af87",
        "#87af5f",
    ),
)
LIGHT = Palette(
    background="#ffffff",
    surface="#eeeeee",
    header="#e4e4e4",
    cursor="#e4e4e4",
    blur="#eeeeee",
    text="#262626",
    muted="#585858",
    rule="#b2b2b2",
    primary="#005faf",
    staged="#875f00",
    bad="#af0000",
    good="#005f00",
    mark="#af005f",
    networks=(
        "#005f5f",
        "#005fd7",
        "#0000af",
        "#00005f",
        "#8700ff",
        "#af00af",
        "#87005f",
        "#5f00af",
    ),
)

THEMES: Mapping[str, Theme] = {
    "haas-dark": DARK.theme("haas-dark", dark=True),
    "haas-light": LIGHT.theme("haas-light", dark=False),
}

DEFAULT = "haas-dark"
FEW_COLOURS = {"haas-dark": "ansi-dark", "haas-light": "ansi-light"}
"""What is used in place of our themes by terminals with 16 colours or none: their own colours."""

_TEXTS = ("muted", "primary", "staged", "good")
_TERMINALS = (
    "bright_green", "cyan", "bright_cyan", "bright_blue", "magenta", "bright_magenta", "white",
    "green",
)  # fmt: skip


def names() -> list[str]:
    """The names of all themes, our own first."""
    return [*THEMES, *sorted(BUILTIN_THEMES)]


def fitting(chosen: str | None, colour_system: str | None, *, no_colour: bool) -> str:
    """The theme to use: the ``chosen`` one, or if the terminal has few colours, these for ours.

    ``colour_system`` is what Rich calls the colours that the terminal has.
    """
    wanted = chosen or DEFAULT
    many = colour_system in ("256", "truecolor") and not no_colour
    return wanted if many or wanted not in THEMES else FEW_COLOURS[wanted]


def defaults(colours: Mapping[str, str]) -> dict[str, str]:
    """The console's own styles in a theme that has none, from the colours that it has."""
    found = {
        "muted": colours["foreground"],
        "muted-style": "dim",
        "rule": colours["foreground-muted"],
        "staged": colours["warning"],
        "bad": colours["error"],
        "good": colours["success"],
        "mark": colours["accent"],
        "ink": colours["background"],
        "cursor-background": "transparent",
        "cursor-style": "reverse",
        "blur-background": "transparent",
        "blur-style": "underline",
        "header-background": "transparent",
        "header-style": "reverse",
        "title-background": "transparent",
        "title-style": "underline",
    }
    return found | {f"net{n}": f"ansi_{_TERMINALS[n]}" for n in range(COLOURS)}


def texts(variables: Mapping[str, str]) -> RichTheme:
    """The styles that texts in bars name, in the colours of a theme.

    ``dim``, ``yellow`` and ``bold red`` are Rich's own names, for which it would take the
    terminal's colours.
    """
    bad = Style(color=Color.parse(variables["bad"]).rich_color, bold=True)
    if variables["header-style"] == "reverse":
        return RichTheme(
            {"bold red": bad, "brand": "bold", "good": "", "badge": "bold not reverse"}
        )
    ink = {name: Style(color=Color.parse(variables[name]).rich_color) for name in _TEXTS}
    styles = {"dim": ink["muted"], "bold dim": ink["muted"] + Style(bold=True), "bold red": bad}
    styles["yellow"] = ink["staged"]
    brand, badge = ink["primary"] + Style(bold=True), ink["staged"] + Style(bold=True)
    return RichTheme(styles | {"brand": brand, "good": ink["good"], "badge": badge})
