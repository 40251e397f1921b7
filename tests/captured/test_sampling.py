"""The sweep's samples against sums line by line, on captured chains."""

from pathlib import Path

import pytest

from streaming.chains.files.chain_files import load_chain
from tests.captured.test_chains_computed import NAMES
from tests.support.direct_sums import check_samples, swept


@pytest.mark.parametrize("name", NAMES)
def test_a_sweep_finds_the_sums_and_roots_of_adding_up_line_by_line(captured_data: Path, name: str):
    check_samples(swept(load_chain(captured_data / "gex" / f"{name}.gz")))
