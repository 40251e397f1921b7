"""Where chains and snapshots come from."""
