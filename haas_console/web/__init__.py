"""The console in a browser: ``haas-console serve``.

``server`` asks for a token of the daemon, and gives each page a console of its own: a process
(``session``) that talks to the daemon with that token, on a ``terminal`` that is the page's
WebSocket. The page's terminal emulator is textual-serve's; its server is not used, since it lets
anybody in.
"""
