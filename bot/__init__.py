"""Gexcord's host: settings, wiring, background jobs, and how things look."""
