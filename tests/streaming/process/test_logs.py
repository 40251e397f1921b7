import io
import json
import logging
import re
import warnings

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.settings import BotSettings
from streaming.process.logs import MASK, PATTERNS, Redactor, configure_logging, secrets_of, settings_of_command
from tests.support.regex_steps import StepCounter

BOT_TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.GaBcDe.aaaaaaaaaabbbbbbbbbbccccccccccdddddd12"


def settings(**values):
    return BotSettings(_env_file=None, **values)


@pytest.fixture
def lines(monkeypatch):
    """Configure logging on a buffer and give a function that returns its lines."""
    stream = io.StringIO()
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)

    def configured(**values):
        configure_logging(settings(**values), stream)
        return lambda: stream.getvalue().splitlines()

    return configured


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer I0.b2F1dGgyLmJkYy5zY2h3YWIuY29t.abc123@", "b2F1dGgyLmJkYy5zY2h3YWIuY29t"),
        ('{"refresh_token": "abcdefghijkl", "expires_in": 1800}', "abcdefghijkl"),
        ("{'access_token': 'abcdefghijkl'}", "abcdefghijkl"),
        ("grant_type=authorization_code&code=C0.abcdefgh1234%40&x=1", "abcdefgh1234"),
        ("redis://default:hunter2@example.org:6379/0", "hunter2"),
        ("redis://:hunter2@example.org:6379/0", "hunter2"),
        (f"static token {BOT_TOKEN} used", BOT_TOKEN),
        ("POST /api/v10/interactions/1234/aW50ZXJhY3Rpb246MTIz/callback", "aW50ZXJhY3Rpb246MTIz"),
        ("PATCH /webhooks/987/aW50ZXJhY3Rpb246MTIz/messages/@original", "aW50ZXJhY3Rpb246MTIz"),
        ("Authorization: Basic Y2xpZW50OnNlY3JldA==", "Y2xpZW50OnNlY3JldA"),
        ("x?password=hunter2&y=1", "hunter2"),
        ("unix:///run/r.sock?db=0&password=ab", "ab"),
        ("token-eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "eyJzdWIiOiIxIn0"),
        ("id eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl end", "eyJzdWIiOiIxIn0"),
    ],
)
def test_what_looks_like_a_secret_is_masked_wherever_it_stands(text, secret):
    redacted = Redactor()(text)
    assert secret not in redacted
    assert MASK in redacted


@pytest.mark.parametrize(
    "text",
    [
        "job schwab-stream runs again in 1.5 s",
        "close code 1006, 12 frames, token refresh in 300 s",
        "redis://127.0.0.1:6379/0 answers",
        "SPXW  260820C06400000 bid 12.5",
        "gex:snapshot:NQ_NDX 2026-08-20T13:40:00.123Z",
    ],
)
def test_ordinary_lines_stay_as_they_are(text):
    assert Redactor()(text) == text


def test_configured_secrets_are_masked_even_when_they_look_like_nothing(lines):
    read = lines(schwab_client_secret="plainword", redis_url="redis://:p%40ss-word@127.0.0.1/0")
    logging.getLogger("x").warning("value plainword and %s and %s", "p@ss-word", "p%40ss-word")
    assert read()[-1].endswith("value *** and *** and ***")


def test_a_traceback_is_redacted_and_the_record_stays_one_line(lines):
    read = lines(discord_bot_token="not-a-shape-we-know")
    try:
        int("bad token not-a-shape-we-know\nand Bearer abcdefghijklmnop")
    except ValueError:
        logging.getLogger("x").exception("it\nfailed")
    (line,) = read()
    assert "ValueError" in line
    assert "Traceback" in line
    assert "not-a-shape-we-know" not in line
    assert "abcdefghijklmnop" not in line


def test_a_line_begins_with_the_utc_time_and_names_level_and_logger(lines):
    read = lines()
    logging.getLogger("bot.x").warning("hello")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING bot\.x: hello", read()[0])


def test_the_time_is_utc_whatever_the_machine_thinks(lines):
    read = lines()
    record = logging.makeLogRecord({"name": "x", "levelno": 30, "levelname": "WARNING", "msg": "m", "created": 0.0})
    logging.getLogger().handle(record)
    assert read()[0].startswith("1970-01-01T00:00:00")


def test_libraries_that_print_payloads_stay_quiet_even_on_debug(lines):
    read = lines(log_level="DEBUG")
    for name in ("httpx", "websockets.client"):
        logging.getLogger(name).debug("whole payload")
        logging.getLogger(name).info("GET https://x/?code=C0.abcdefgh")
    assert read() == []
    logging.getLogger("bot").debug("ours")
    assert len(read()) == 1


def test_configuring_twice_does_not_print_twice(lines):
    lines()
    read = lines()
    logging.getLogger("x").warning("once")
    assert len(read()) == 1


def test_every_secret_setting_is_known_to_the_redactor():
    found = secrets_of(
        settings(
            discord_bot_token="one-secret",
            schwab_client_id="two-secret",
            schwab_client_secret="three-secret",
            redis_url="redis://user:four%2dsecret@h/0?password=five-secret",
        )
    )
    assert found == {"one-secret", "two-secret", "three-secret", "four-secret", "four%2dsecret", "five-secret"}


def test_an_address_without_a_password_stays_readable(lines):
    read = lines(redis_url="redis://127.0.0.1:6379/0")
    logging.getLogger("x").warning("Redis at redis://127.0.0.1:6379/0 does not answer.")
    assert read()[-1].endswith("Redis at redis://127.0.0.1:6379/0 does not answer.")


def test_settings_print_no_password_of_an_address():
    shown = repr(settings(redis_url="redis://user:hunter2@h/0?password=hunter3"))
    assert "hunter" not in shown


def test_a_shell_command_logs_like_the_bot_and_only_what_matters(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REDIS_URL", "redis://:plain-word@127.0.0.1/0")
    settings_of_command()
    logging.getLogger("streaming.x").info("chatter")
    logging.getLogger("streaming.x").warning("value plain-word\nand more")
    said = capsys.readouterr().err.splitlines()
    assert [line.partition("Z ")[2] for line in said] == ["WARNING streaming.x: value *** ⏎ and more"]


PIECES = ("eyJ", "a", "-", ".", "code", "=", ":", '"', "'", "://", "@", " ", "Bearer", "C0.", "/webhooks/", "1", "&")
UNIT = st.lists(st.sampled_from([*PIECES, "aaaaaaaa"]), min_size=1, max_size=4).map("".join)


def steps(text: str) -> int:
    total = 0
    for pattern, _ in PATTERNS:
        counter = StepCounter(pattern)
        assert counter.spans(text) == [match.span() for match in pattern.finditer(text)]
        total += counter.steps
    return total


@given(start=UNIT, unit=UNIT)
@example(start="eyJ", unit="eyJaaaaaaaa-")
@example(start="a", unit="a-")
@example(start="code='", unit='code="')
@example(start="a://u:", unit=":")
@example(start="Bearer", unit=" ")
def test_a_line_four_times_as_long_costs_about_four_times_as_much(start, unit):
    count = 240 // len(unit) + 1
    assert steps(start + unit * (4 * count)) < 5.5 * steps(start + unit * count)


def test_as_json_a_record_is_one_object_without_secrets(lines):
    read = lines(log_format="json", discord_bot_token='not"a\\shape')
    error = ValueError('with not"a\\shape\nand a second line')
    logging.getLogger("a.room").error('it %s "so"\u2028said', 'not"a\\shape', exc_info=error)
    (line,) = read()
    told = json.loads(line)
    assert list(told) == ["at", "level", "logger", "message", "traceback"]
    assert (told["level"], told["logger"], told["message"]) == ("ERROR", "a.room", f'it {MASK} "so"\u2028said')
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told["at"])
    assert "shape" not in line
    assert told["traceback"].endswith("and a second line")
