"""What batch mode and the full-screen console share. It imports neither Textual nor rich.

The connection
    ``target`` and ``config`` say which daemon to use, ``logins`` keeps its token, ``demo`` starts
    one, ``client`` connects to it, ``paging`` reads lists, ``attach`` opens the console of a
    machine. ``errors`` are the sentences that users read.
The command language
    ``api`` reads the OpenRPC document. ``language`` converts lines to ``commands``, and back, with
    ``lexer``, ``binding``, ``planwords`` and ``values``. ``completion``, ``help`` (with
    ``topics``), ``suggest``, ``forms`` and ``owncommands`` build on it.
The inventory
    ``sync`` keeps the ``inventory`` current: ``refresh`` decides what to ``fetch``. ``answers`` and
    ``affected`` do so for the user's own commands. ``log`` and ``timeline`` keep what happened.
The session
    ``session`` sends the commands of one user, with ``gestures``, undo in ``history``, and the
    typed lines in ``recall``.
Plans and jobs
    ``plandiff`` and ``sharedlines`` for plans; ``jobs`` follows one, ``jobwatch`` does so across a
    restart of the daemon; ``jobtree``, ``joblist`` and ``sentlog`` lay them out.
What screens show, as plain data
    ``rights``, ``leases``, ``board``, ``boardfilter``, ``boardcolumns``, ``areas``, ``guide``,
    ``failures``, ``faceplate``, ``objects``, ``details``, ``facts``, ``portviews``, ``topology``,
    ``topology_parts``, ``master``, ``contact``, ``pulse`` with ``nodecounts`` and ``sparkline``;
    all other ``tables`` with their ``columns``, ``auditlist``, ``sharelist``; as text ``text``,
    ``devicetext``, ``nictext``, ``whytext``, ``cablingtext``, ``trunktext``;
    ``colours``.
Tools
    ``filters``, ``happened``, ``natural``, ``times``, ``sitefile``, ``savedplan``, ``files``,
    ``streams``, ``tasks``, ``collector``, ``settings`` (written back to console.toml).
"""
