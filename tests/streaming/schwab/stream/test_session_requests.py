import pytest

from streaming.schwab.stream.session import Request
from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.frames import Response, ResponseContent

L1 = Service.LEVELONE_EQUITIES
REQUEST = Request(5, "{}", L1, "SUBS")


@pytest.mark.parametrize(
    ("requestid", "service", "command", "own"),
    [
        ("5", L1, "SUBS", True),
        (5, L1, "SUBS", True),
        ("6", L1, "SUBS", False),
        ("5", "NYSE_BOOK", "SUBS", False),
        ("5", L1, "ADD", False),
        ("", L1, "SUBS", True),
        ("", "", "SUBS", True),
        ("5", "", "", True),
        ("", L1, "", False),
        ("", L1, "ADD", False),
    ],
)
def test_an_answer_is_ones_own_when_all_it_names_agrees(requestid, service, command, own):
    answer = Response(ResponseContent(0), service, command, requestid)
    assert REQUEST.is_answered_by(answer) is own
