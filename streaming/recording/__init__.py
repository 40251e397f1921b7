"""Snapshots and ticks on disk: daily files that survive a crash, and their way back."""
