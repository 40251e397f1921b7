"""streaming/setting_values.py"""

import pytest

from streaming.setting_values import doubtful_lines, doubtful_name, read_text
from streaming.settings import StreamSettings

KNOWN = {"SCHWAB_CLIENT_ID", "REDIS_URL"}


def test_a_value_is_taken_as_it_stands(tmp_path):
    path = tmp_path / ".env"
    path.write_text("SCHWAB_CLIENT_ID=a\nSCHWAB_CLIENT_SECRET='${SCHWAB_CLIENT_ID}$x'\n")
    settings = StreamSettings(_env_file=path)
    assert settings.schwab_client_secret.get_secret_value() == "${SCHWAB_CLIENT_ID}$x"


def test_an_empty_value_is_as_good_as_none(tmp_path):
    path = tmp_path / ".env"
    path.write_text("REDIS_URL=\nSCHWAB_CLIENT_ID=\n")
    assert StreamSettings(_env_file=path).schwab_client_id is None


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    path = tmp_path / ".env"
    path.write_bytes(b"\xef\xbb\xbfREDIS_URL=x")
    assert read_text(path) == "REDIS_URL=x"


@pytest.mark.parametrize("stored", [b"REDIS_URL=\xff\xfe", b"REDIS_URL=\0"])
def test_what_is_no_text_is_said(stored, tmp_path):
    path = tmp_path / ".env"
    path.write_bytes(stored)
    with pytest.raises(UnicodeError):
        read_text(path)


def test_a_misspelt_name_and_a_broken_line_are_named_without_their_values():
    text = "REDIS_URL=redis://x\nSCHWAB_CLIENT_IDD=hunter2\nGEXBOT_API_KEYS=hunter2\nthis is = 'no line\nOTHER=1\n"
    found = doubtful_lines(text, KNOWN)
    assert any(sentence.startswith("SCHWAB_CLIENT_IDD is not a setting") for sentence in found)
    assert any(sentence.startswith("line 4 is not NAME=value") for sentence in found)
    assert any(sentence.startswith("GEXBOT_API_KEYS is not a setting") for sentence in found)
    assert len(found) == 3
    assert "hunter2" not in " ".join(found)


@pytest.mark.parametrize(("written", "meant"), [("LOG_LEVL", "LOG_LEVEL"), ("SCHWAB_CLEINT_ID", "SCHWAB_CLIENT_ID")])
def test_a_slip_of_the_pen_is_told_what_was_meant(written, meant):
    (found,) = doubtful_lines(f"{written}=hunter2\n", KNOWN | {"LOG_LEVEL"})
    assert found == f"{written} is not a setting of this program, so it is ignored. Is {meant} meant?"


def test_in_the_environment_only_what_reads_like_a_setting_is_doubted():
    assert doubtful_name("REDIS_SERVICE_HOST", KNOWN) is not None
    assert doubtful_name("REDIS_SERVICE_HOST", KNOWN, ours=False) is None
    assert "Is REDIS_URL meant?" in doubtful_name("REDIS_URI", KNOWN | {"REDIS_URL"}, ours=False)
    assert doubtful_name("PATH", KNOWN) is None
