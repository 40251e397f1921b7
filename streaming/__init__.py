"""Gexcord's market data, without Discord: Schwab's wire, gamma exposure, the Redis bus."""

import os
import sys

__version__ = "0.1.0"

# NumPy's libraries read these when they load. Our matrices are small: a second thread makes a product ten times slower.
for _library in ("OPENBLAS", "OMP", "MKL", "VECLIB", "NUMEXPR"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

# Where httpx finds rich and click it loads them for its shell command (5 MB), and pydantic looks for plug-ins in every
# package that is installed. We need neither.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # how an import is refused
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
