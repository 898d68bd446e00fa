"""A trivial Textual app, to try the harness on and to compare the console with."""

from __future__ import annotations

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Static


class SampleApp(App[None]):
    """Shows a greeting, then the last thing that its user did; ctrl+q ends it."""

    def compose(self) -> ComposeResult:
        yield Static("hello", id="said")

    def _say(self, what: str) -> None:
        self.query_one("#said", Static).update(what)

    def on_key(self, event: events.Key) -> None:
        self._say(f"key {event.key}")
        if event.key == "y":
            self.copy_to_clipboard("yanked")

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._say(f"down {event.screen_x},{event.screen_y}")

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if event.button:
            self._say(f"drag {event.screen_x},{event.screen_y} with {event.button}")

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self._say(f"up {event.screen_x},{event.screen_y}")

    def on_mouse_scroll_down(self) -> None:
        self._say("wheel down")

    def on_resize(self, event: events.Resize) -> None:
        if event.size != (120, 40):
            self._say(f"size {event.size.width}x{event.size.height}")


if __name__ == "__main__":
    SampleApp().run()
