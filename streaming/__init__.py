"""Market data without Discord: Schwab's wire, gamma exposure, the Redis bus."""
