"""The local Schwab's REST interface and its sign-in."""
