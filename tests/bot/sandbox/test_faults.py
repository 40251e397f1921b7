from bot.sandbox.faults import Fault, Faults


def test_a_fault_meets_only_its_route_and_only_so_often() -> None:
    faults = Faults([Fault(503, 2, "PATCH", "/a")])
    asked = [("GET", "/a"), ("PATCH", "/b"), ("PATCH", "/a"), ("PATCH", "/a"), ("PATCH", "/a")]
    met = [faults.take(method, path) is not None for method, path in asked]
    assert met == [False, False, True, True, False]
    assert faults.waiting == []


def test_a_fault_without_a_route_meets_anything() -> None:
    assert Faults([Fault(500, 1)]).take("DELETE", "/x") is not None


def test_a_429_says_how_long_and_whether_discord_itself_sent_it() -> None:
    fault = Fault(429, 1, retry_after_s=2.5)
    assert fault.body["retry_after"] == 2.5
    assert fault.headers == {"Via": "1.1 google", "Retry-After": "2.5"}
    assert "Via" not in Fault(429, 1, via=False).headers
