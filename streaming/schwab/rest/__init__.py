"""Schwab's REST interface."""
