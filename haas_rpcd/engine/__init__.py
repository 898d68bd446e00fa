"""Applies: jobs, one worker for each device, the journal, and picking up after a restart.

:mod:`~haas_rpcd.engine.engine` queues jobs, :mod:`~haas_rpcd.engine.run` carries one out,
:mod:`~haas_rpcd.engine.worker` owns the one session to a device, :mod:`~haas_rpcd.engine.journal`
writes what becomes of each step and tells who is watching.
"""
