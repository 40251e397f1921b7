"""The only rooms where the names of Schwab's wire appear."""
