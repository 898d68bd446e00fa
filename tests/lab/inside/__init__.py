"""The tests that run inside the lab's kernel, and their fixtures."""
