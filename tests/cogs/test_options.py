"""cogs/options.py: an option is worded once, comes with its choices, and a ticker completes itself."""

from discord import app_commands

from cogs.options import offered, options


def parameters(**own):
    @app_commands.command(description="made up")
    @options(**own)
    async def ask(interaction, symbol: str | None = None, scope: str = "full", days: int = 1) -> None:
        """Asks for nothing."""

    return {parameter.name: parameter for parameter in ask.parameters}


def test_shared_options_bring_words_choices_and_completion_and_others_their_own_words():
    asked = parameters(days="How many")
    assert str(asked["symbol"].description).startswith("A ticker such as SPX")
    assert asked["symbol"].autocomplete
    assert [choice.value for choice in asked["scope"].choices] == ["zero", "one", "full", "all"]
    assert (str(asked["days"].description), asked["days"].choices) == ("How many", [])


def test_a_commands_own_words_come_before_the_shared_ones():
    assert str(parameters(scope="Whatever", days="How many")["scope"].description) == "Whatever"


def test_discord_takes_25_choices_of_100_characters_at_most():
    choices = offered((f"{number} {'x' * 120}", number) for number in range(60))
    assert [choice.value for choice in choices] == list(range(25))
    assert {len(choice.name) for choice in choices} == {100}
