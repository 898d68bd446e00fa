"""What batch mode and the full-screen console stand on: client, commands, jobs, configuration.

Nothing in here draws: it imports neither Textual nor rich.
"""
