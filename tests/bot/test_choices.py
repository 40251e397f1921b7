"""What is chosen for one channel: read from the settings, and written down again."""

import pytest

from bot.choices import Choices, PictureName, choices_text, read_choices
from bot.render.charts.chart_spec import KINDS


def test_what_is_written_down_is_what_was_read():
    chosen = read_choices(["weight=vol", "style=card", "picture=ladder", "silent=false", "refresh=0", "scope=zero"])
    assert chosen == Choices(
        weight="vol", style="card", picture="ladder", silent=False, refresh_minutes=0, scope="zero"
    )
    assert read_choices(choices_text(chosen).split(":")[1:]) == chosen
    assert choices_text(Choices()) == ""


@pytest.mark.parametrize("word", ["weight", "weight=vega", "colour=red", "refresh=61", "refresh=soon", "silent=maybe"])
def test_what_is_no_choice_is_refused(word):
    with pytest.raises(ValueError, match=r"scope, weight|Invalid|Expected"):
        read_choices([word])


def test_mixed_is_no_one_weight():
    assert [Choices(weight=weight).one_weight for weight in ("mixed", "oi", "vol", None)] == [None, "oi", "vol", None]


def test_every_kind_of_chart_can_be_chosen():
    assert PictureName.__args__ == ("none", *KINDS)
