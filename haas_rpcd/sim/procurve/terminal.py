"""The terminal of a ProVision session: everything is typed on its last row."""

from __future__ import annotations

from haas_rpcd.sim.cli import Session

ROW = 24
CLEAR_ROW = f"\x1b[{ROW};1H\x1b[2K"
SCREEN_SETUP = "\x1b[2J\x1b[?7l\x1b[3;23r\x1b[?6l\x1b[1;1H"
CLEAR_SCREEN = "\x1b[2J"


class ProcurveSession(Session):
    """A session whose prompts and echoes are positioned on the last row."""

    _column = 1

    def _write(self, text: str) -> None:
        """Position prompts and echoes; whole lines of output scroll by."""
        if text.startswith("\x1b"):
            painted = text
        elif text == "\n":
            painted, self._column = f"\x1b[{ROW};0H\x1bE{CLEAR_ROW}\x1b[{ROW};1H", 1
        elif text.endswith("\n"):
            painted, self._column = text, 1
        else:
            begin, self._column = self._column, self._column + len(text)
            clear = f"\x1b[1;{ROW}r{CLEAR_ROW}\x1b[?25h" if begin == 1 else ""
            painted = (
                f"{clear}\x1b[{ROW};{begin}H{text}\x1b[{ROW};{begin}H\x1b[?25h"
                f"\x1b[{ROW};{self._column}H"
            )
        super()._write(painted)
