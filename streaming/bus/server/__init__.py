"""The embedded Redis-protocol server."""
