"""The screens beside the board; each is named in ``haas_console.tui.table``."""
