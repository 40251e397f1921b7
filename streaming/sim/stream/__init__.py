"""The local Schwab's streamer."""
