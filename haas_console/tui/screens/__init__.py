"""All screens but the board. Those of the menu are listed in ``haas_console.tui.table``."""
