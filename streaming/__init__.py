"""Gexcord's market data, without Discord: Schwab's wire, gamma exposure, the Redis bus."""

import os

__version__ = "0.1.0"

# NumPy's libraries read these when they load. Our matrices are small: a second thread makes a product ten times slower.
for _library in ("OPENBLAS", "OMP", "MKL", "VECLIB", "NUMEXPR"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")
