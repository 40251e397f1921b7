"""The local Discord's servers, channels, members and messages."""
