"""Captured frames and recordings, played again."""
