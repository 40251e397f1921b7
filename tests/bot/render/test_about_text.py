from bot.render.about_text import HelpLine, about_text, help_text
from streaming import __version__


def test_help_begins_with_what_it_is_for_and_ends_with_where_words_are_explained():
    first, command, last = help_text([HelpLine("gex status", "The figures")]).split("\n")
    assert "zero gamma" in first
    assert command == "`/gex status` The figures"
    assert "/gex explain" in last


def test_about_says_who_runs_it_and_what_is_kept_of_people():
    text = about_text("<@1>")
    assert f"Gexcord {__version__}" in text and "<@1>" in text
    assert "90 days" in text and "/alert" in text
    assert "not known before I am logged in" in about_text("")
