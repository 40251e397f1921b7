"""Fixtures every room of the test tree may use."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of captured data beside the project; tests that need it skip when it is absent."""
    if not SHARED.is_dir():
        pytest.skip("captured data is not beside the project")
    return SHARED
