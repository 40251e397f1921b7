"""The Schwab login: tokens, their file, their refresh."""
