"""Gexcord's commands on Discord: an interaction becomes one call and one reply."""
