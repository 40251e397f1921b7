"""Readers' alerts: rules kept in Redis, watched on every snapshot, told once in a channel or by direct message."""
