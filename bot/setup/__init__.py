"""How a bot is set up, kept and moved to another machine."""
