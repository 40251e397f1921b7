"""A market made of a chain says over the wire what the file said."""

import pytest

from streaming.chains.files.chain_files import load_chain
from tests.data_builders.chains import made
from tests.support.wire_chain import check_levels_survive


@pytest.mark.parametrize("name", ["spx_intraday.csv", "spy_ameritrade.json", "rut_feed.json"])
def test_the_levels_of_a_chain_survive_the_wire(tmp_path, name):
    check_levels_survive(load_chain(made(name).write(tmp_path / name)))
