"""The simulated market's options."""
