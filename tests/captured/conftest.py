"""A second opinion: what is proven on made data elsewhere, once more on files that third parties captured.

The files lie beside the project, in `../shared`, and are not part of it; without them this folder is not collected.
"""

from pathlib import Path

import pytest

from tests.e2e.conftest import demo, home
from tests.support.captured import CAPTURED

__all__ = ["captured_data", "demo", "home"]


@pytest.fixture(scope="session")
def captured_data() -> Path:
    """The folder of captured data."""
    return CAPTURED
