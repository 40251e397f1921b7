"""streaming/commands/status.py"""

import argparse

import pytest

from streaming.bus import keys
from streaming.bus.metrics_store import write_metrics
from streaming.commands import status
from streaming.errors import RequestError


async def test_a_part_has_a_line_for_each_field_and_one_that_told_nothing_has_none(redis):
    await write_metrics(redis, keys.HISTORY_METRICS, {"state": "keeping", "journal_days": 1, "last_day": None})
    assert status.block_of("history", await status.told(redis, "history")) == (
        "history\n  journal_days  1\n  state         keeping\n"
    )
    assert status.block_of("recorder", await status.told(redis, "recorder")) == ""


def test_a_part_that_there_is_not_is_the_callers_move():
    parser = argparse.ArgumentParser()
    status.register(parser.add_subparsers())
    arguments = parser.parse_args(["status", "history", "weather"])
    with pytest.raises(RequestError, match="'weather' tells nothing"):
        arguments.func(arguments)
