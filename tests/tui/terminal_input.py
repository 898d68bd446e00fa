"""What a terminal sends, given to an app: all that tests use of Textual 8.2.8's private parts.

A pilot cannot do this: it waits after each key, and sends moves of the mouse without a button.
"""

from __future__ import annotations

from textual.app import App
from textual.events import Event
from textual.keys import _character_to_key


def send(app: App[int], event: Event) -> None:
    """Give an event to the app as its terminal's driver does."""
    assert app._driver is not None
    app._driver.send_message(event)


def key_of(letter: str) -> str:
    """Textual's name of the key that types a letter."""
    return _character_to_key(letter)
