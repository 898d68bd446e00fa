"""The full-screen console. Textual is imported here and nowhere else.

How to add a screen
-------------------
1. Write ``haas_console/tui/screens/NAME.py`` with a subclass of
   :class:`haas_console.tui.screen.ConsoleScreen`. It has

   * ``compose_body()``: its widgets, between the bar on top and those at the bottom;
   * ``changed(changes)``: called when something changed that may concern it, with a set of nouns
     (``node network headnode project switch drift job info status use call command``), and once,
     with all of them, when the screen is shown;
   * ``self.session`` (:class:`haas_console.core.session.Session`): ``session.inventory`` is what
     is known, ``session.project`` the current project, ``session.sync.call(method, params)`` asks
     the daemon, ``session.sync.log`` holds the calls and the commands made;
   * ``self.send(gesture_or_commands)``: sends :class:`~haas_console.core.commands.Call` s (or a
     :class:`~haas_console.core.gestures.Gesture`), shows the line and the error, if any, at the
     bottom, and gives the :class:`~haas_console.core.session.Outcome`. Nothing else changes the
     daemon's state;
   * ``self.say(text)`` and ``self.fail(text)``: the line at the bottom;
   * ``await self.ask(prompt, ...)`` for a word or a choice, ``await self.confirm(question)``;
   * Bindings with an ``id`` (``"jobs.cancel"``): help, key hints, palette and the keymap of the
     config file are made from them. Actions named in ``CHANGES`` are greyed by ``--readonly`` and
     while the daemon is lost.
2. Give it a line in :data:`haas_console.tui.table.SCREENS`: its name, key, title and class. The
   module is imported when the screen is first opened, so it costs nothing before.

Lists of any length: :class:`haas_console.tui.lines.Lines` draws only what is seen, and sends only
lines that changed. Never use LoadingIndicator, ListView or OptionList (bytes over SSH).
"""
