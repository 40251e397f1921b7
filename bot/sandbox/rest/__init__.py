"""The local Discord's REST interface, its limits and its rules."""
