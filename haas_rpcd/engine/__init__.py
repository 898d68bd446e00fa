"""Runs jobs, with one worker for each device, and resumes them after a restart.

:mod:`~haas_rpcd.engine.engine` queues jobs, :mod:`~haas_rpcd.engine.run` runs one,
:mod:`~haas_rpcd.engine.gate` keeps its devices in step, :mod:`~haas_rpcd.engine.worker` owns the
session to a device, :mod:`~haas_rpcd.engine.sending` sends a batch over it, and
:mod:`~haas_rpcd.engine.journal` records and publishes the progress. :mod:`~haas_rpcd.engine.drift`
compares devices with what was applied to them.
"""
