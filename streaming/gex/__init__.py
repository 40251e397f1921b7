"""Gamma exposure: pure functions over numpy arrays, and the engine that decides when to run them."""
