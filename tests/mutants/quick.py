"""A pytest plugin for mutants: a law that fails is not shrunk to its smallest example.

Nobody reads the example, and shrinking takes longer than all the other tests together.
"""

from __future__ import annotations

from hypothesis import Phase, settings

settings.register_profile("mutants", phases=[Phase.explicit, Phase.generate], database=None)
settings.load_profile("mutants")
