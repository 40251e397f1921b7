"""How much of the work is whose."""

import pytest

from bot.wire.crew_member import part_of


@pytest.mark.parametrize(("total", "among"), [(6, 3), (7, 3), (1, 4), (16, 5)])
def test_parts_are_even_and_make_up_the_whole(total, among):
    parts = [part_of(total, rank, among) for rank in range(among)]
    assert sum(parts) == total
    assert max(parts) - min(parts) <= 1
