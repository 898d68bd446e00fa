"""What runs inside the lab's kernel: its fixtures and its tests."""
