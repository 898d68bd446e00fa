"""The full-screen console. Textual is imported here and nowhere else.

How the modules depend on each other
------------------------------------
``app`` puts everything together and opens the board; ``navigation`` opens all other screens.
Screens derive from ``screen.ConsoleScreen`` and consist of widgets and of parts that they hold,
such as ``staging`` or ``connecting``. Screens and parts know the app, and parts know their screen,
only by the protocols in ``console``. ``textual_private`` contains all that depends on Textual's
private parts.

How to add a screen
-------------------
1. Write ``haas_console/tui/screens/NAME.py`` with a subclass of
   :class:`haas_console.tui.screen.ConsoleScreen`. It has

   * ``compose_body()``: its widgets, between the bar on top and those at the bottom;
   * ``changed(changes)``: called with a set of nouns (``node network headnode project switch drift
     job info status use call command event``) when something changed, and once with all of them
     when the screen is shown;
   * ``self.session`` (:class:`haas_console.core.session.Session`): ``session.inventory`` is what
     is known, ``session.project`` the current project, ``session.sync.call(method, params)`` reads
     from the daemon, ``session.sync.log`` contains the calls and commands made so far;
   * ``await self.send(commands)`` or ``await self.send(plan)``: the only way to change anything on
     the daemon. It shows the line of the command, or the error, and gives the
     :class:`~haas_console.core.session.Outcome`. ``plan`` is a function that plans a
     :class:`~haas_console.core.gestures.Gesture` from the inventory; it is called once the results
     of all earlier commands are in the inventory;
   * ``@in_turn`` before an action that looks at the inventory before it sends something, or that
     asks a question. The action begins once the results of all earlier commands are known; keys
     that are typed meanwhile wait. In it, ``await self.ask(prompt, ...)`` asks for a word or a
     choice, and ``await self.confirm(question)`` for y or n;
   * ``self.say(text)`` and ``self.fail(text)``: the message at the bottom; with a ``cause`` it goes
     away when that does not hold any more;
   * ``self.console.navigation``: the ways to other screens. Enter on a line calls
     ``open_details(ref)`` with what the line is about (:mod:`haas_console.core.objects`); Esc must
     leave the screen: say in ``leave()`` what else it does first;
   * bindings with an ``id`` (``"jobs.cancel"``): help, key hints, the palette and the keymap of the
     config file are made from them. The help page shows the first line of the action's docstring.
     Actions named in ``CHANGES`` are greyed by ``--readonly`` and while the daemon is lost;
     ``METHODS`` names the method of an action, which is grey for whoever may not call it.
2. Add a line to :data:`haas_console.tui.table.SCREENS`: its name, key, title and class. The module
   is imported when the screen is first opened, so it costs nothing before.

For lists, derive from :class:`haas_console.tui.lines.Lines`, which draws only visible lines and
sends only what changed. Its parts name styles of :data:`haas_console.tui.lines.STYLES`, that of a
network by :func:`haas_console.core.colours.network_look`; a sign or a word says the same.

Never use LoadingIndicator, ListView or OptionList: they send too much.
"""
