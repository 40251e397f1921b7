"""A local stand-in for Schwab: OAuth, REST, streamer, and a market that moves."""
