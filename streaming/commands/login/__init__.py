"""The commands of `python -m streaming token`."""
