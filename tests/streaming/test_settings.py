import pytest

from streaming.errors import ConfigurationError
from streaming.settings import StreamSettings, load_settings, load_what_is_right


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in StreamSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_symbols_come_in_schwabs_form_each_once_in_order(monkeypatch):
    monkeypatch.setenv("SCHWAB_SYMBOLS", " spy, /mnq:xcme,$spx,SPX,/MNQ , BAC/PRK")
    assert load_settings(StreamSettings).schwab_symbols == ("SPY", "/MNQ", "$SPX", "BAC/PRK")


def test_a_url_loses_its_trailing_slash(monkeypatch):
    monkeypatch.setenv("SCHWAB_API_URL", "http://127.0.0.1:8000/")
    assert load_settings(StreamSettings).schwab_api_url == "http://127.0.0.1:8000"


def test_the_callback_url_stays_exactly_as_registered(monkeypatch):
    monkeypatch.setenv("SCHWAB_CALLBACK_URL", "https://127.0.0.1:8182/")
    assert load_settings(StreamSettings).schwab_callback_url == "https://127.0.0.1:8182/"


@pytest.mark.parametrize("url", ["redis://h:6379/0", "rediss://u:p@h/1", "unix:///run/redis.sock"])
def test_every_kind_of_redis_url_is_taken(monkeypatch, url):
    monkeypatch.setenv("REDIS_URL", url)
    assert load_settings(StreamSettings).redis_url.get_secret_value() == url


def test_the_log_level_may_be_written_small(monkeypatch):
    monkeypatch.setenv("LOG_LEVEL", "debug")
    assert load_settings(StreamSettings).log_level == "DEBUG"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [("", ("ticks", "level2", "candles")), ("level2, ticks,level2", ("level2", "ticks")), ("none", ())],
)
def test_the_events_that_are_published_are_some_of_three_kinds_or_none(monkeypatch, text, kinds):
    monkeypatch.setenv("REDIS_EVENTS", text)
    assert load_settings(StreamSettings).redis_events == kinds


@pytest.mark.parametrize("text", ["trades", "none,ticks", "TICKS"])
def test_another_kind_of_event_is_one_sentence(monkeypatch, text):
    monkeypatch.setenv("REDIS_EVENTS", text)
    with pytest.raises(ConfigurationError, match="REDIS_EVENTS is not valid: expected ticks, level2 and candles"):
        load_settings(StreamSettings)


def test_settings_of_the_discord_side_are_not_this_sides_business(monkeypatch):
    monkeypatch.setenv("GEX_FEED_UPDATE_SECONDS", "nonsense")
    assert load_settings(StreamSettings).gex_source == "schwab"


def test_an_override_is_checked_like_any_value():
    with pytest.raises(ConfigurationError, match="GEX_SCOPE is not valid: expected zero, one, full"):
        load_settings(StreamSettings, gex_scope="some")


@pytest.mark.parametrize(
    ("name", "value", "index"), [("SCHWAB_SYMBOLS", "SPY,SPXW", "$SPX"), ("GEX_SOURCE_MAP", "NDXP:cboe", "NDX")]
)
def test_a_root_of_weekly_options_in_a_setting_is_told_whose_it_is(monkeypatch, name, value, index):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(StreamSettings)
    (problem,) = caught.value.problems
    assert problem.startswith(f"{name} is not valid: ")
    assert problem.endswith(f"weekly options that are part of {index}. Use {index}.")


def test_a_symbol_of_a_kind_that_is_not_streamed_gets_one_sentence(monkeypatch):
    monkeypatch.setenv("SCHWAB_SYMBOLS", "SPY,EUR/USD")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(StreamSettings)
    (problem,) = caught.value.problems
    assert problem.startswith(
        "SCHWAB_SYMBOLS is not valid: Options on futures and pairs of currencies are not streamed."
    )


def test_settings_do_not_change_after_they_were_read():
    settings = load_settings(StreamSettings)
    with pytest.raises(ValueError, match="frozen"):
        settings.gex_source = "redis"


def refused():
    with pytest.raises(ConfigurationError) as caught:
        load_settings(StreamSettings)
    assert caught.value.exit_status == 78
    return caught.value


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le"])
def test_a_file_that_is_not_utf_8_is_one_sentence(tmp_path, encoding):
    (tmp_path / ".env").write_bytes("# für Schwab\nLOG_LEVEL=DEBUG\n".encode(encoding))
    error = refused()
    assert str(error) == ".env is not UTF-8 text."
    assert "UTF-8" in error.remedy


def test_a_file_with_a_byte_order_mark_is_read_like_any_other(tmp_path):
    (tmp_path / ".env").write_bytes("LOG_LEVEL=DEBUG\n".encode("utf-8-sig"))
    assert load_settings(StreamSettings).log_level == "DEBUG"


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("LOG_LEVEL=DEBUG\n")

    def refuse(*_args, **_more):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_text", refuse)  # root may read whatever mode a file has
    error = refused()
    assert str(error) == ".env cannot be read (Permission denied)."
    assert error.remedy


def test_a_dollar_sign_in_a_secret_is_just_a_character(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    (tmp_path / ".env").write_text("SCHWAB_CLIENT_SECRET=a${HOME}b$HOME\n")
    secret = load_settings(StreamSettings).schwab_client_secret
    assert secret.get_secret_value() == "a${HOME}b$HOME"


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com", "http://10.0.0.1:8080", "http://127.0.0.1.example.com", "http://[::2]",
        "http://user@127.0.0.1", "https://user:hunter2@api.example.com", "https://api.example.com/x?key=hunter2",
        "https://", "http://0x7f.1",
    ],
)  # fmt: skip
def test_an_address_in_the_clear_is_only_on_this_machine_and_none_of_http_holds_a_password(monkeypatch, url):
    for name in ("SCHWAB_API_URL", "CBOE_API_URL", "GEXBOT_API_URL"):
        monkeypatch.setenv(name, url)
    error = refused()
    assert len(error.problems) == 3
    assert all("an https URL, or http on this machine" in problem for problem in error.problems)
    assert "hunter2" not in error.sentence


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost:1/x", "http://[::1]:5", "https://a.example"]
)
def test_addresses_with_tls_or_of_this_machine_are_taken(monkeypatch, url):
    monkeypatch.setenv("SCHWAB_API_URL", url)
    assert load_settings(StreamSettings).schwab_api_url == url


@pytest.mark.parametrize("url", ["unix://", "unix:///", "redis://", "redis:///0"])
def test_a_redis_url_that_names_no_place_is_refused(monkeypatch, url):
    monkeypatch.setenv("REDIS_URL", url)
    assert refused().problems[0].startswith("REDIS_URL is not valid")


def test_a_check_goes_on_with_the_defaults_in_place_of_what_is_refused(monkeypatch):
    monkeypatch.setenv("LOG_LEVEL", "loud")
    monkeypatch.setenv("METRICS_PORT", "many")
    monkeypatch.setenv("REDIS_URL", "hunter2")
    monkeypatch.setenv("SCHWAB_API_URL", "http://hunter2")
    monkeypatch.setenv("GEX_CHAIN_DAYS", "30")
    settings, problems = load_what_is_right(StreamSettings)
    assert (settings.log_level, settings.metrics_port, settings.redis_url) == ("INFO", 0, None)
    assert settings.gex_chain_days == 30
    assert "hunter2" not in " ".join(problems)
    assert "LOG_LEVEL is not valid: expected DEBUG, INFO, WARNING or ERROR, not 'LOUD'." in problems
    assert "METRICS_PORT is not valid: expected a port number from 1 to 65535, or 0 for none, not 'many'." in problems
    assert len(problems) == 4


def test_what_may_be_a_secret_in_the_wrong_place_is_not_shown(monkeypatch):
    monkeypatch.setenv("METRICS_PORT", "a-token-of-a-length-that-secrets-have")
    monkeypatch.setenv("GEX_REPLAY_START", "hunter2")
    _, problems = load_what_is_right(StreamSettings)
    assert "secrets" not in " ".join(problems) and "hunter2" not in " ".join(problems)


def test_a_file_that_is_no_text_leaves_the_environment(tmp_path, monkeypatch):
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00")
    monkeypatch.setenv("GEX_CHAIN_DAYS", "30")
    settings, problems = load_what_is_right(StreamSettings)
    assert settings.gex_chain_days == 30
    assert problems == (".env is not UTF-8 text. Save it again with the encoding UTF-8.",)


@pytest.mark.parametrize("token", ["short", "a token with spaces in between", "ü" * 30, "line\nbreak" * 5])
def test_a_token_that_can_be_guessed_or_that_no_header_holds_is_refused(monkeypatch, token):
    monkeypatch.setenv("API_TOKEN", token)
    with pytest.raises(ConfigurationError, match="API_TOKEN is not valid: expected 24 or more characters"):
        load_settings(StreamSettings)


def test_origins_are_taken_as_browsers_send_them(monkeypatch):
    monkeypatch.setenv("API_ORIGINS", "https://Charts.example/, http://localhost:3000,*")
    assert load_settings(StreamSettings).api_origins == ("https://charts.example", "http://localhost:3000", "*")


@pytest.mark.parametrize("origin", ["charts.example", "https://charts.example/page", "file:///x", "https://"])
def test_what_no_browser_sends_as_an_origin_is_refused(monkeypatch, origin):
    monkeypatch.setenv("API_ORIGINS", origin)
    with pytest.raises(ConfigurationError, match="API_ORIGINS is not valid: expected origins separated by commas"):
        load_settings(StreamSettings)
