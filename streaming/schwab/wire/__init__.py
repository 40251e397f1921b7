"""Schwab's wire: numbers become names, text becomes rows."""
