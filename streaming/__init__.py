"""Gexcord's market data, without Discord: Schwab's wire, gamma exposure, the Redis bus."""

__version__ = "0.1.0"
