"""What all tests share."""

from __future__ import annotations

import signal

# Whoever starts the tests in the background of a script has them ignore Ctrl-C, and so would every
# program that they start, as nohup(1) wants it: but some of them are to be interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
