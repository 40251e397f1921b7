"""Bytes into option chains, whoever sends them, and whether to believe them."""
