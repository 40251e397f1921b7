"""A sample of the storms in virtual time; ten thousand are `python -m tests.fuzz.virtual_storm 1 10000`."""

import pytest

from tests.fuzz.virtual_storm import storm


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 69, 4037, 5142, 9495])
def test_after_and_amid_trouble_each_channel_has_one_current_message(seed: int) -> None:
    """In 69 a call once went out in another's turn and drew a 429.

    4037 ends amid a replacement; in 5142 a bot that ends waits for a call in a channel, and so does the other channel;
    in 9495 a refusal is read after the word that the channel may be written to again.
    """
    assert storm(seed).reasons == ()


def test_one_seed_is_one_trace() -> None:
    assert storm(129).trace == storm(129).trace
