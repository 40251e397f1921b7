import json

from bot.sandbox.gateway.gateway_session import EVENTS_KEPT, GatewayConnection, GatewaySession


class Outlet(GatewayConnection):
    """Hears instead of sending."""

    def __init__(self) -> None:
        self.heard: list[dict[str, object]] = []
        self.codes: list[int] = []

    def send(self, text: str) -> None:
        self.heard.append(json.loads(text))

    def close(self, code: int) -> None:
        self.codes.append(code)


def test_events_are_numbered_from_one() -> None:
    outlet = Outlet()
    session = GatewaySession("s", 0, outlet)
    session.dispatch("A", {"x": 1})
    session.dispatch("B", None)
    assert outlet.heard == [{"op": 0, "d": {"x": 1}, "s": 1, "t": "A"}, {"op": 0, "d": None, "s": 2, "t": "B"}]


def test_a_resume_replays_what_came_after_and_says_resumed() -> None:
    first, second = Outlet(), Outlet()
    session = GatewaySession("s", 0, first)
    for name in "AB":
        session.dispatch(name, {})
    session.detach(first, 10.0)
    session.dispatch("C", {})
    session.resume(1, second)
    assert [(event["s"], event["t"]) for event in second.heard] == [(2, "B"), (3, "C"), (4, "RESUMED")]
    assert len(first.heard) == 2


def test_a_session_resumes_only_while_nothing_is_missing() -> None:
    session = GatewaySession("s", 0, Outlet())
    for _ in range(EVENTS_KEPT + 10):
        session.dispatch("A", {})
    assert session.can_resume(10)
    assert not session.can_resume(9)
    assert not session.can_resume(EVENTS_KEPT + 11)


def test_an_old_connection_that_ends_does_not_detach_the_new_one() -> None:
    first, second = Outlet(), Outlet()
    session = GatewaySession("s", 0, first)
    session.resume(0, second)
    session.detach(first, 1.0)
    assert session.outlet is second
