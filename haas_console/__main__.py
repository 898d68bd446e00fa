"""``python -m haas_console``: the same as the program ``haas-console``."""

import sys

from haas_console.cli import main

sys.exit(main())
