import pytest

from streaming.addresses import answering_address, is_web_address


@pytest.mark.parametrize(
    ("listens_on", "answers_at"),
    [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("192.0.2.7", "192.0.2.7"), ("::1", "::1")],
)
def test_who_listens_on_all_addresses_answers_at_loopback(listens_on, answers_at):
    assert answering_address(listens_on) == answers_at


@pytest.mark.parametrize("text", ["https://x", "HTTPS://x", "Http://x"])
def test_an_address_of_http_is_known_in_capitals_too(text):
    assert is_web_address(text)


@pytest.mark.parametrize("text", ["curl https://x", "mail -s x me", "ftp://x", "https"])
def test_a_command_is_no_address(text):
    assert not is_web_address(text)
