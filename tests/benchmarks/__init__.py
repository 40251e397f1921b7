"""Benchmarks compute as the program does: `streaming`, imported before NumPy, has it use one thread."""

import streaming as streaming
