import gzip

from streaming.sim.world.faults import FIREWALL_PAGE, Failure, Faults


def test_failures_are_taken_in_order_and_then_are_over():
    faults = Faults()
    faults.add("marketdata", Failure(429, retry_after_s=3), times=2)
    faults.add("marketdata", Failure(500))
    assert [faults.take("marketdata", "/marketdata/v1/chains").status for _ in range(3)] == [429, 429, 500]
    assert faults.take("marketdata", "/marketdata/v1/chains") is None
    assert faults.take("token", "/v1/oauth/token") is None


def test_a_failure_knows_its_headers():
    assert Failure(429, retry_after_s=3).headers["Retry-After"] == "3"
    assert Failure(403, FIREWALL_PAGE).headers["Content-Type"] == "text/html"
    assert Failure(404, "404 Not Found").headers["Content-Type"] == "text/plain"


def test_a_body_can_be_compressed_unasked():
    failure = Failure(400, {"error": "invalid_grant"}, compressed=True)
    assert failure.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(failure.payload) == b'{"error":"invalid_grant"}'


def test_clearing_ends_every_fault():
    faults = Faults(refused_logins=2, black_hole=True, frozen=True)
    faults.unavailable.add("NYSE_BOOK")
    faults.add("token", Failure())
    faults.clear()
    assert faults == Faults()


def test_one_path_is_refused_while_the_others_work_and_all_of_it_can_be_ended():
    faults = Faults()
    faults.refused["/marketdata/v1/chains"] = Failure(403)
    assert [faults.take("marketdata", "/marketdata/v1/chains").status for _ in range(3)] == [403] * 3
    assert faults.take("marketdata", "/marketdata/v1/quotes") is None
    faults.clear()
    assert faults.take("marketdata", "/marketdata/v1/chains") is None


def test_a_grant_says_what_it_is_told_to():
    faults = Faults(grant={"expires_in": 0, "refresh_token": None})
    assert faults.granted({"expires_in": 1800, "refresh_token": "r", "scope": "api"}) == {
        "expires_in": 0,
        "scope": "api",
    }
