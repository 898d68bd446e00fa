"""What a terminal sends, given to an app: all that tests use of Textual 8.2.8's private parts.

A pilot cannot do this: it waits after each key, and sends moves of the mouse without a button.
"""

from __future__ import annotations

import asyncio

from textual.app import App
from textual.events import Callback, Event
from textual.keys import _character_to_key


def send(app: App[int], event: Event) -> None:
    """Give an event to the app as its terminal's driver does."""
    assert app._driver is not None
    app._driver.send_message(event)


async def taken(app: App[int]) -> None:
    """Wait until the app has taken all that it was given.

    Waiting until it has nothing to do is not enough: on a busy machine it may not have begun.
    """
    reached = asyncio.Event()
    send(app, Callback(callback=reached.set))
    await reached.wait()


def key_of(letter: str) -> str:
    """Textual's name of the key that types a letter."""
    return _character_to_key(letter)
