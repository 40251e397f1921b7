"""One live message per channel: when to write, what changed, who writes, what is remembered."""
