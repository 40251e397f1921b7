"""Market events to Redis, in order and in batches."""
