from streaming.api.admission import METRICS, NO_TOKEN, Admission, Allowance
from streaming.bus.metrics_store import Metric
from streaming.telemetry.prometheus import exposition, one

TOKEN = "a-token-of-thirty-characters-1"


def judge(admission, token=TOKEN, *, address="1.1.1.1", cost=1, now_s=0.0, open_to_all=False):
    return admission.judge(token, address, cost, now_s=now_s, open_to_all=open_to_all)


def test_whoever_knows_the_token_is_answered_and_nobody_else():
    admission = Admission(TOKEN, per_minute=10)
    assert judge(admission) is None
    for wrong in (None, "", TOKEN[:-1], f"{TOKEN} ", "ü\udcff"):
        assert judge(admission, wrong) is NO_TOKEN
    assert judge(admission, None, open_to_all=True) is None


def test_an_address_that_asks_too_often_waits_and_is_told_how_long():
    admission = Admission(TOKEN, per_minute=6)
    assert [judge(admission) for _ in range(6)] == [None] * 6
    refused = judge(admission, now_s=0.0)
    assert (refused.status, refused.code, refused.retry_after_s) == (429, "too_many_requests", 10)
    assert judge(admission, address="2.2.2.2") is None
    assert judge(admission, now_s=9.0) is not None
    assert judge(admission, now_s=10.0) is None, "what was refused cost nothing"


def test_what_costs_more_than_a_minute_has_is_answered_once_a_minute():
    admission = Admission(TOKEN, per_minute=5)
    assert judge(admission, cost=10) is None
    assert judge(admission, cost=10, now_s=30.0) is not None
    assert judge(admission, cost=10, now_s=61.0) is None


def test_strangers_use_up_their_own_allowance_and_nobody_elses():
    admission = Admission(TOKEN, per_minute=10)
    told = [judge(admission, "wrong") for _ in range(40)]
    assert {refusal.status for refusal in told[:30]} == {401}
    assert {refusal.status for refusal in told[30:]} == {429}
    assert judge(admission) is None


def test_no_number_of_addresses_makes_the_memory_grow():
    allowance = Allowance(10)
    for number in range(3000):
        allowance.take(str(number), 1, 0.0)
    assert allowance.active(1.0) == 1024
    assert allowance.active(100.0) == 0


def test_what_was_counted_is_scraped():
    admission = Admission(TOKEN, per_minute=10)
    judge(admission)
    admission.counters.requests["levels"] += 2
    admission.counters.refusals["unauthorized"] += 1
    admission.counters.streams = 1
    text = exposition([one("api", METRICS, admission.status(1.0))]).decode()
    for line in (
        'gexcord_api_requests_total{route="levels"} 2.0',
        'gexcord_api_refusals_total{code="unauthorized"} 1.0',
        "gexcord_api_clients 1.0",
        "gexcord_api_streams 1.0",
        "gexcord_api_events_total 0.0",
    ):
        assert f"\n{line}\n" in text
    assert all(isinstance(metric, Metric) and metric.name is None for metric in METRICS)
