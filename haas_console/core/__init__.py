"""What batch mode and the full-screen console share: client, commands, jobs, configuration.

Nothing in here draws: it imports neither Textual nor rich.
"""
