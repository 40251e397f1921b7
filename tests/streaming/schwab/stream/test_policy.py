import pytest

from streaming.schwab.stream.policy import Reaction, StreamTiming, ending_text, reaction_to, yield_s
from streaming.schwab.stream.session_events import (
    ConnectionUnknown,
    KickedOut,
    LoggedIn,
    LoggedOut,
    LoginDenied,
    Oddity,
    ServerHeartbeat,
    ServiceUnavailable,
    StopStreaming,
)


@pytest.mark.parametrize(
    ("event", "denied_before", "reaction"),
    [
        (LoginDenied(3, ""), False, Reaction.RENEW_TOKEN),
        (LoginDenied(3, ""), True, Reaction.GIVE_UP_LOGIN),
        (KickedOut(""), False, Reaction.YIELD),
        (StopStreaming(""), False, Reaction.RECONNECT),
        (ConnectionUnknown(20, ""), False, Reaction.RECONNECT),
        (LoggedOut(), False, Reaction.RECONNECT),
        (LoggedIn(""), True, Reaction.GO_ON),
        (ServerHeartbeat(), False, Reaction.GO_ON),
        (Oddity(""), False, Reaction.GO_ON),
        (ServiceUnavailable("NYSE_BOOK", ""), False, Reaction.GO_ON),
    ],
)
def test_each_event_has_its_reaction(event, denied_before, reaction):
    assert reaction_to(event, denied_before=denied_before) is reaction


def test_endings_carry_the_code_and_the_servers_words():
    assert ending_text(LoginDenied(3, "Login Denied.")) == "code 3, login denied: Login Denied."
    assert ending_text(KickedOut("x")).startswith("code 12")
    assert ending_text(StopStreaming("")).endswith("no reason given")
    assert ending_text(ConnectionUnknown(20, "gone")) == "code 20: gone"
    assert ending_text(LoggedOut()) == "LoggedOut"


def test_another_program_is_left_alone_ever_longer_up_to_eight_hours():
    timing = StreamTiming()
    assert [yield_s(timing, times) / 60 for times in range(1, 8)] == [30, 60, 120, 240, 480, 480, 480]
