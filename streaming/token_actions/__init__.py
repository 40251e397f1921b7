"""What `python -m streaming token` and `verify-refresh` do, an action per module."""
