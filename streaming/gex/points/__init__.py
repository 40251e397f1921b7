"""Levels in points of other instruments: by ratio, by basis."""
