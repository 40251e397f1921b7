"""What the bot remembers across restarts, in Redis."""
