"""The local Discord's gateway."""
