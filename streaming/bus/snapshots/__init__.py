"""Snapshots in Redis: the newest, the day's, and every new one, whoever wrote them."""
