"""Schwab's streamer: one connection, what it wants, and what comes of it."""
