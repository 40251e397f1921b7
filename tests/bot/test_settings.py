"""Settings: what is accepted, and what a person reads when something is not."""

import re
from pathlib import Path

import pytest

from bot.choices import Choices
from bot.settings import BotSettings
from streaming.errors import ConfigurationError
from streaming.settings import load_settings, load_what_is_right

ENV_BACK = Path(__file__).resolve().parents[2] / ".env.back"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in BotSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def problems(monkeypatch, **environment):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(BotSettings)
    assert caught.value.exit_status == 78
    return caught.value.problems


def documented():
    """Setting -> the comment lines above it in `.env.back`."""
    found, comments = {}, []
    for line in ENV_BACK.read_text().splitlines():
        if match := re.fullmatch(r"#?([A-Z][A-Z0-9_]*)=(.*)", line):
            found[match[1]] = (match[2], " ".join(comments))
            comments = []
        elif line.startswith("# "):
            comments.append(line[2:])
        else:
            comments = []
    return found


def test_the_example_file_names_every_setting_and_nothing_else():
    assert set(documented()) == {name.upper() for name in BotSettings.model_fields}


def test_the_example_file_shows_the_defaults_and_says_what_is_accepted():
    for name, (value, comment) in documented().items():
        field = BotSettings.model_fields[name.lower()]
        assert comment, f"{name} has no explanation"
        assert field.description in comment, f"{name} does not say: {field.description}"
        default = field.default
        if default is None or default in ((), {}):
            assert value == "", f"{name} has no default, so no value either"
        else:
            text = ",".join(default) if isinstance(default, tuple) else str(default)
            assert value == (text.lower() if isinstance(default, bool) else text), name


def test_the_example_file_as_it_is_loads_as_the_defaults(tmp_path):
    (tmp_path / ".env").write_text(ENV_BACK.read_text())
    from_file = load_settings(BotSettings)
    (tmp_path / ".env").unlink()
    assert from_file == load_settings(BotSettings)


def test_the_defaults_are_those_of_the_owners_notes():
    settings = load_settings(BotSettings)
    assert settings.gex_feed_update_seconds == 1
    assert settings.gex_feed_refresh_minutes == 5
    assert settings.gex_feed_window_seconds == 60
    assert settings.gex_feed_metrics_key == "metrics:gex_feed"
    assert settings.gex_source == "schwab"
    assert settings.schwab_token_path == Path(".tokens/schwab_token.json")
    assert [ticker.name for ticker in settings.tickers] == ["NQ_NDX"]


def test_the_environment_wins_over_the_file_and_the_file_is_not_touched(monkeypatch, tmp_path):
    env = tmp_path / ".env"
    env.write_text("GEX_FEED_SYMBOL=SPX\nGEX_FEED_UPDATE_SECONDS=2\n")
    before = (env.read_bytes(), env.stat().st_mtime_ns)
    monkeypatch.setenv("GEX_FEED_SYMBOL", "ndx")
    settings = load_settings(BotSettings)
    assert (settings.gex_feed_symbol, settings.gex_feed_update_seconds) == ("NDX", 2)
    assert (env.read_bytes(), env.stat().st_mtime_ns) == before


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("GEX_FEED_UPDATE_SECONDS", "0", "a number of seconds from 0.25 to 3600"),
        ("GEX_FEED_UPDATE_SECONDS", "soon", "a number of seconds from 0.25 to 3600"),
        ("GEX_FEED_REFRESH_MINUTES", "61", "a whole number of minutes from 1 to 60"),
        ("GEX_FEED_WINDOW_SECONDS", "-1", "a number of seconds from 1 to 3600"),
        ("GEX_FEED_ENABLED", "maybe", "true or false"),
        ("GEX_FEED_FORCE_WINDOW", "perhaps", "true or false"),
        ("GEX_FEED_SYMBOL", "S P X", "a ticker such as SPX"),
        ("GEX_FEED_SYMBOL", "SPX,NDX", "a ticker such as SPX"),
        ("GEX_FEED_SYMBOLS", "SPX,&&&", "tickers separated by commas"),
        ("GEX_FEED_CHANNEL_MAP", "SPX=123", "TICKER:channel id pairs"),
        ("GEX_FEED_CHANNEL_MAP", "SPX:general", "TICKER:channel id pairs"),
        ("GEX_FEED_CHANNEL_MAP", "SPX:1:weight=vega", "TICKER:channel id pairs"),
        ("GEX_FEED_CHANNEL_MAP", "SPX:1:colour=red", "TICKER:channel id pairs"),
        ("GEX_PRICE_CHANNEL_MAP", "SPX:1:weight=vol", "TICKER:channel id pairs"),
        ("DISCORD_GEX_FEED_CHANNEL_IDS", "123,general", "Discord channel ids"),
        ("DISCORD_GEX_FEED_CHANNEL_IDS", str(2**70), "Discord channel ids"),
        ("DISCORD_OPERATOR_IDS", "me", "Discord user ids"),
        ("DISCORD_API_URL", "localhost:80", "an https URL, or http on this machine"),
        ("DISCORD_GATEWAY_URL", "http://localhost", "a wss URL, or ws on this machine"),
        ("DISCORD_GATEWAY_URL", "ws://gateway.example.com", "a wss URL, or ws on this machine"),
        ("SCHWAB_SYMBOLS", "SPY,???", "symbols to stream"),
        ("SCHWAB_API_URL", "ftp://x", "an https URL, or http on this machine"),
        ("REDIS_URL", "http://localhost", "redis://"),
        ("GEX_SOURCE", "tea leaves", "schwab, cboe, gexbot, redis or replay"),
        ("GEX_SOURCE_MAP", "SPX", "TICKER:source pairs"),
        ("GEX_SOURCE_MAP", "SPX:tea", "TICKER:source pairs"),
        ("GEX_SOURCE_MAP", "S P X:cboe", "TICKER:source pairs"),
        ("GEX_SOURCE_MAP", "NQ:cboe,NQ_NDX:redis", "each ticker once"),
        ("CBOE_POLL_SECONDS", "1", "a number of seconds from 15 to 3600"),
        ("CBOE_API_URL", "cdn.cboe.com", "an https URL, or http on this machine"),
        ("GEXBOT_POLL_SECONDS", "0", "a number of seconds from 1 to 3600"),
        ("GEXBOT_API_KEY", "two words", "API key from gexbot.com"),
        ("LOG_LEVEL", "loud", "DEBUG, INFO, WARNING or ERROR"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_setting_and_what_it_takes(monkeypatch, name, value, accepted):
    (problem,) = problems(monkeypatch, **{name: value})
    assert problem.startswith(f"{name} is not valid: expected ")
    assert accepted in problem
    assert problem.endswith(".")


@pytest.mark.parametrize(
    ("name", "value"),
    [("GEX_FEED_SYMBOL", "SPXW"), ("GEX_FEED_SYMBOLS", "NDX,spxw"), ("GEX_FEED_CHANNEL_MAP", "SPXW:1")],
)
def test_a_root_of_weekly_options_leads_to_its_index(monkeypatch, name, value):
    (problem,) = problems(monkeypatch, **{name: value})
    assert problem == f"{name} is not valid: SPXW names weekly options that are part of SPX. Use SPX."


def test_every_wrong_setting_gets_its_own_sentence(monkeypatch):
    found = problems(monkeypatch, LOG_LEVEL="loud", GEX_SOURCE="none", GEX_FEED_ENABLED="maybe")
    assert len(found) == 3


def test_what_was_written_is_never_repeated(monkeypatch):
    found = problems(
        monkeypatch, REDIS_URL="secret-9f2c", GEX_FEED_CHANNEL_MAP="secret-9f2c", SCHWAB_SYMBOLS="secret-9f2c?!"
    )
    assert "secret-9f2c" not in " ".join(found).lower()


def test_a_repr_of_the_settings_shows_no_secret(monkeypatch):
    for name in ("DISCORD_BOT_TOKEN", "SCHWAB_CLIENT_ID", "SCHWAB_CLIENT_SECRET"):
        monkeypatch.setenv(name, "hunter2-hunter2")
    assert "hunter2" not in repr(load_settings(BotSettings))


def test_plain_channels_show_the_symbols_in_turn_and_the_last_repeats(monkeypatch):
    monkeypatch.setenv("DISCORD_GEX_FEED_CHANNEL_IDS", "1, 2,3")
    monkeypatch.setenv("GEX_FEED_SYMBOLS", "SPX,nq")
    boards = load_settings(BotSettings).boards
    assert {channel: ticker.name for channel, (ticker,) in boards.items()} == {1: "SPX", 2: "NQ_NDX", 3: "NQ_NDX"}


def test_the_map_comes_first_and_may_name_several_tickers_for_a_channel(monkeypatch):
    monkeypatch.setenv("DISCORD_GEX_FEED_CHANNEL_IDS", "1,2")
    monkeypatch.setenv("GEX_FEED_CHANNEL_MAP", "NDX:2,SPY:5,NDX:6,SPX:5,SPX:5")
    settings = load_settings(BotSettings)
    assert {channel: [ticker.name for ticker in tickers] for channel, tickers in settings.boards.items()} == {
        2: ["NDX"],
        6: ["NDX"],
        5: ["SPY", "SPX"],
        1: ["NQ_NDX"],
    }
    assert {ticker.name for ticker in settings.tickers} == {"NDX", "SPY", "SPX", "NQ_NDX"}


def test_whoever_builds_the_settings_names_channels_alone_or_with_what_is_chosen():
    chosen = {"SPX": (1,), "NDX": {2: Choices(weight="vol")}}
    settings = BotSettings(_env_file=None, gex_feed_channel_map=chosen)
    assert settings.gex_feed_channel_map == {"SPX": {1: Choices()}, "NDX": {2: Choices(weight="vol")}}


TOO_MANY = ",".join(f"T{letter}:1" for letter in "ABCDEFGHIJKLM")


def test_a_channel_for_more_tickers_than_a_message_holds_is_refused(monkeypatch):
    (problem,) = problems(monkeypatch, GEX_FEED_CHANNEL_MAP=TOO_MANY)
    assert "more than 12 tickers" in problem


def test_an_empty_value_is_the_default(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "")
    monkeypatch.setenv("GEX_FEED_UPDATE_SECONDS", "")
    settings = load_settings(BotSettings)
    assert settings.redis_url is None
    assert settings.gex_feed_update_seconds == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("DISCORD_API_URL", "http://127.0.0.1:1/api/v10"), ("DISCORD_GATEWAY_URL", "ws://127.0.0.1:1/")],
)
def test_the_two_addresses_of_discord_go_together(monkeypatch, name, value):
    (problem,) = problems(monkeypatch, **{name: value})
    assert problem == "set both DISCORD_API_URL and DISCORD_GATEWAY_URL, or neither."


@pytest.mark.parametrize("token", ["schlüssel", "two words", "line\nbreak"])
def test_a_bot_token_that_cannot_be_one_is_refused_before_discord_sees_it(monkeypatch, token):
    (problem,) = problems(monkeypatch, DISCORD_BOT_TOKEN=token)
    assert problem.startswith("DISCORD_BOT_TOKEN is not valid: expected the bot token")


def test_two_settings_that_do_not_go_together_are_both_left_out_of_a_check(monkeypatch):
    monkeypatch.setenv("DISCORD_API_URL", "http://127.0.0.1:1/api/v10")
    monkeypatch.setenv("GEX_FEED_CHANNEL_MAP", TOO_MANY)
    settings, problems = load_what_is_right(BotSettings)
    assert (settings.discord_api_url, settings.gex_feed_channel_map) == (None, {})
    assert len(problems) == 2


def test_a_secret_may_stand_in_a_file_that_the_environment_or_env_names(monkeypatch, tmp_path):
    (tmp_path / "token").write_text(" the-token\n")
    (tmp_path / "key").write_text("the-key\n")
    (tmp_path / ".env").write_text(f"SCHWAB_CLIENT_ID_FILE={tmp_path / 'key'}\n")
    monkeypatch.setenv("DISCORD_BOT_TOKEN_FILE", str(tmp_path / "token"))
    settings = load_settings(BotSettings)
    assert settings.discord_bot_token.get_secret_value() == "the-token"
    assert settings.schwab_client_id.get_secret_value() == "the-key"


def test_of_a_secret_and_its_file_the_environment_wins_then_its_file_then_env(monkeypatch, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"file-{name}")
    (tmp_path / ".env").write_text(f"SCHWAB_CLIENT_ID=line\nSCHWAB_CLIENT_ID_FILE={tmp_path / 'one'}\n")
    seen = [load_settings(BotSettings).schwab_client_id.get_secret_value()]
    monkeypatch.setenv("SCHWAB_CLIENT_ID_FILE", str(tmp_path / "two"))
    seen.append(load_settings(BotSettings).schwab_client_id.get_secret_value())
    monkeypatch.setenv("SCHWAB_CLIENT_ID", "variable")
    seen.append(load_settings(BotSettings).schwab_client_id.get_secret_value())
    assert seen == ["line", "file-two", "variable"]


def test_an_empty_secret_file_is_no_setting_and_one_that_cannot_be_read_is_a_sentence(monkeypatch, tmp_path):
    (tmp_path / "empty").write_text("\n")
    monkeypatch.setenv("DISCORD_BOT_TOKEN_FILE", str(tmp_path / "empty"))
    assert load_settings(BotSettings).discord_bot_token is None
    assert problems(monkeypatch, DISCORD_BOT_TOKEN_FILE=str(tmp_path / "away")) == (
        "The file that DISCORD_BOT_TOKEN_FILE names cannot be read (No such file or directory).",
    )


def test_only_secrets_are_read_from_files(monkeypatch, tmp_path):
    (tmp_path / "symbol").write_text("SPX")
    monkeypatch.setenv("GEX_FEED_SYMBOL_FILE", str(tmp_path / "symbol"))
    assert load_settings(BotSettings).gex_feed_symbol == "NQ_NDX"
