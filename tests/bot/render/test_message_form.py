"""bot/render/message_form.py: the shapes that many answers have."""

from bot.render.message_form import code_block, listed, listed_roots


def test_a_block_ends_no_line_with_blanks():
    assert code_block(["one  ", "", " two "], "ansi") == "```ansi\none\n\n two\n```"
    assert code_block(["one"]) == "```\none\n```"


def test_a_list_is_cut_after_as_many_as_asked_for_and_says_how_many_are_left():
    assert listed(["a", "b"], 2) == "a, b"
    assert listed(["a", "b", "c", "d"], 2) == "a, b and 2 more"
    assert listed([], 2) == ""


def test_a_root_says_its_way_where_that_is_known():
    assert listed_roots([(6400.0, 1), (6500.0, -1), (6600.0, 0)], 2) == "6400.00 ↑, 6500.00 ↓ and 1 more"
    assert listed_roots([(6400.0, 0)], 2, {1: "upwards"}) == "6400.00"
