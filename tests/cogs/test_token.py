import pytest

from bot.operators import Operators
from streaming.errors import LoginRequiredError, RequestError, TransientError

ADDRESS = "https://127.0.0.1:8182/?code=C0.abc%40&session=1&state=s1"


def buttons(message):
    return {button["label"]: button for row in message.components for button in row["components"]}


async def submit(room, asked, address=ADDRESS):
    field = asked.modal["components"][0]["component"]
    return await room.operator.submit_modal(asked, {field["custom_id"]: address})


@pytest.fixture
async def shown(room):
    return (await room.operator.slash(room.channel, "token login")).response


async def test_status_says_until_when_the_login_lasts(room):
    result = await room.operator.slash(room.channel, "token status")
    assert result.response.ephemeral
    assert "**Schwab login: good** for 3d" in result.response.content


async def test_refresh_renews_and_reports(room):
    result = await room.operator.slash(room.channel, "token refresh")
    assert room.host.login.refreshes == 1
    assert result.response.content.startswith("The access token was renewed.")
    assert result.response.ephemeral


async def test_a_refused_login_is_told_with_its_remedy(room):
    room.host.login.error = LoginRequiredError("Schwab refuses the login.", remedy="Run `token login`.")
    result = await room.operator.slash(room.channel, "token refresh")
    assert result.response.content == "Schwab refuses the login. Run `token login`."
    assert room.env.errors


async def test_weather_is_told_as_weather(room):
    room.host.login.error = TransientError("Schwab answered 503.")
    result = await room.operator.slash(room.channel, "token refresh")
    assert result.response.content == "Schwab answered 503."
    assert room.env.errors


async def test_login_offers_a_private_link_and_a_form(shown):
    assert shown.ephemeral
    assert buttons(shown)["Open Schwab's login page"]["url"] == "https://schwab.example/authorize?state=s1"
    assert "Paste the redirect URL" in buttons(shown)
    assert "good for 30 seconds" in shown.content


async def test_the_pasted_address_finishes_the_login_and_says_until_when_it_lasts(room, shown):
    asked = await room.operator.click(shown, label="Paste the redirect URL")
    assert asked.modal["title"] == "Finish the Schwab login"
    message = (await submit(room, asked)).response
    assert room.host.login.finished == [("s1", ADDRESS)]
    assert message.id == shown.id
    assert message.content.startswith("You are logged in at Schwab.\n**Schwab login: good** for 3d")
    assert not message.components


async def test_a_refused_address_is_told_and_another_may_be_pasted(room, shown):
    room.host.login.error = RequestError("This redirect URL belongs to another login.", remedy="Use the newest.")
    asked = await room.operator.click(shown, label="Paste the redirect URL")
    result = await submit(room, asked)
    (told,) = result.followups
    assert told.content == "This redirect URL belongs to another login. Use the newest."
    assert told.ephemeral
    room.host.login.error = None
    await submit(room, await room.operator.click(shown, label="Paste the redirect URL"))
    assert len(room.host.login.finished) == 2
    assert room.env.errors


class StandInCallback:
    """Where the browser comes back to, in the process that has the port."""

    def __init__(self, login, *, is_served=True):
        self._login = login
        self.is_served = is_served

    def begin(self, done):
        self.done = done
        return self._login.begin_login()


async def test_a_login_that_arrives_by_itself_is_shown_in_place_of_the_buttons(room):
    for trouble, words in ((None, "You are logged in at Schwab."), (RequestError("Not this one."), "Not this one.")):
        callback = StandInCallback(room.host.login)
        object.__setattr__(room.bot.services, "callback", callback)
        shown = (await room.operator.slash(room.channel, "token login")).response
        assert "the browser comes back to the bot" in shown.content
        assert "Paste the redirect URL" in buttons(shown)
        await callback.done(trouble)
        assert shown.content.startswith(words)
        assert not shown.components


async def test_while_another_process_has_the_port_the_address_is_pasted(room):
    object.__setattr__(room.bot.services, "callback", StandInCallback(room.host.login, is_served=False))
    shown = (await room.operator.slash(room.channel, "token login")).response
    assert "good for 30 seconds" in shown.content


async def test_the_doctor_says_in_discord_what_it_says_in_a_shell(room):
    async def examine():
        findings = ["ok    clock: agrees with Schwab's.", "FAIL  login: the login is over since 2026-12-07 15:30 UTC."]
        return [*findings, "Begin with: the login is over since 2026-12-07 15:30 UTC."]

    object.__setattr__(room.bot.services, "examine_login", examine)
    result = await room.operator.slash(room.channel, "token doctor")
    assert result.response.ephemeral
    assert result.response.content == (
        "Begin with: the login is over since <t:1796657400:f>.\nok    clock: agrees with Schwab's.\n"
        "**FAIL  login: the login is over since <t:1796657400:f>.**"
    )


async def test_who_is_no_operator_any_more_cannot_finish(room, shown):
    asked = await room.operator.click(shown, label="Paste the redirect URL")
    room.bot.operators = Operators({12345}, lambda: None)
    result = await submit(room, asked)
    assert "for the bot's operators" in result.response.content
    assert room.host.login.finished == []
    assert room.env.errors
