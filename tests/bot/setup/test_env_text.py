"""Values written into the text of an `.env` read back as they were, and the rest of it stays."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.setup.env_text import names_in, with_values

TEXT = "# mine\nexport A=1\n\n# of b\nB=\nC='x y' # why\nA=2\n"


def test_a_value_takes_the_place_of_its_line_and_comments_stay():
    assert with_values(TEXT, {"A": "9", "B": "two words"}) == ("# mine\nA=9\n\n# of b\nB='two words'\nC='x y' # why\n")


def test_a_new_name_is_added_at_the_end():
    assert with_values("A=1", {"D": "x"}) == "A=1\nD=x\n"
    assert with_values("", {"D": "x"}) == "D=x\n"


def test_what_has_a_value_is_listed():
    assert names_in(TEXT) == {"A": "2", "C": "x y"}


@pytest.mark.parametrize(
    "value", ["a'b\\c", '"', "# no comment", "${HOME}", " spaced ", "a\nb", "\\n", "end \\", "\\\\ '", "$SPX,/MNQ:XCME"]
)
def test_odd_values_read_back(value):
    assert names_in(with_values(TEXT, {"B": value}))["B"] == value


@settings(max_examples=25)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), min_size=1))
def test_any_value_reads_back(value):
    assert names_in(with_values(TEXT, {"B": value}))["B"] == value
