"""The Discord surface: an interaction becomes one call and one reply."""
