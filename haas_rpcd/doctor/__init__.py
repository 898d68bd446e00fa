"""``haas-rpcd doctor``: checks a master, and says how to mend what is wrong.

The checks are data: :data:`haas_rpcd.doctor.checks.CHECKS` lists them, each a small function of a
:class:`World` that returns findings. No check changes anything.
"""

from haas_rpcd.doctor.finding import Finding, Level, World

__all__ = ["Finding", "Level", "World"]
