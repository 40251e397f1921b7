"""NumPy's libraries use one thread in every process that computes, unless somebody says otherwise."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
THREADS = """
import os, sys
import streaming
print("numpy" in sys.modules, os.environ["OPENBLAS_NUM_THREADS"])
"""


@pytest.mark.parametrize(("given", "used"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")])
def test_the_package_says_so_before_numpy_is_loaded(given: dict[str, str], used: str):
    rest = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", THREADS], env=rest | given, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", used]
