"""Which channels are whose."""

from collections import Counter

from bot.feed.part import WHOLE, FeedPart
from bot.sandbox.world.snowflakes import fixed_id


def test_every_channel_is_in_exactly_one_part_and_the_parts_are_alike_in_size():
    made_at_once = [fixed_id(number) for number in range(600)]
    made_over_years = [(1_700_000_000_000 + 86_400_017 * day) << 22 for day in range(600)]
    for channels in (made_at_once, made_over_years):
        sizes = Counter(part for channel in channels for part in range(6) if FeedPart(part, 6).has(channel))
        assert sum(sizes.values()) == 600
        assert min(sizes.values()) > 70


def test_the_whole_has_all_and_the_first_part_keeps_the_names_of_the_whole():
    assert all(WHOLE.has(channel) for channel in range(1000))
    assert (FeedPart(0, 3).key("metrics"), FeedPart(2, 3).key("metrics")) == ("metrics", "metrics:2")
