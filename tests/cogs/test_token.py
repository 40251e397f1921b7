from streaming.errors import LoginRequiredError, TransientError


async def test_status_says_until_when_the_login_lasts(room):
    result = await room.operator.slash(room.channel, "token status")
    assert result.response.ephemeral
    assert "**Schwab login: good** for 3d" in result.response.content


async def test_refresh_renews_and_reports(room):
    result = await room.operator.slash(room.channel, "token refresh")
    assert room.host.tokens.refreshes == 1
    assert result.response.content.startswith("The access token was renewed.")
    assert result.response.ephemeral


async def test_a_refused_login_is_told_with_its_remedy(room):
    room.host.tokens.error = LoginRequiredError("Schwab refuses the login.", remedy="Run `token login`.")
    result = await room.operator.slash(room.channel, "token refresh")
    assert result.response.content == "Schwab refuses the login. Run `token login`."
    assert room.env.errors


async def test_weather_is_told_as_weather(room):
    room.host.tokens.error = TransientError("Schwab answered 503.")
    result = await room.operator.slash(room.channel, "token refresh")
    assert result.response.content == "Schwab answered 503."
    assert room.env.errors
