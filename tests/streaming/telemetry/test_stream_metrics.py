import json
from dataclasses import replace

from streaming.bus.metrics_store import hash_fields
from streaming.status import StreamStatus
from streaming.telemetry.stream_metrics import METRICS, log_line
from tests.support.stream_facts import LIVE, facts


def test_the_hash_holds_the_same_facts_as_the_status():
    mapping = hash_fields(METRICS, facts(LIVE))
    assert json.loads(mapping["symbol_age_s"]) == {"SPY": 0.25, "/MNQ": 4.5, 'A"B': None}
    assert json.loads(mapping["expiry_age_s"]) == {"SPX": {"2026-08-20": 2.5, "2026-08-21": None}}
    assert (mapping["engine_restarts"], mapping["engine_start_ms"]) == (1, 212.2)
    assert (mapping["chains_refused"], mapping["chain_rows_odd"]) == (4, 2)
    assert json.loads(mapping["chain_refusals"]) == {"SPX 2026-08-20": "It lists only calls."}
    assert json.loads(mapping["contracts"]) == {"/MNQ": "/MNQZ26"}
    assert json.loads(mapping["left_out"]) == {"LEVELONE_EQUITIES": ["ZZ.Z"], "NYSE_BOOK": ["SPY", "F"]}
    assert (mapping["uptime_s"], mapping["login_days_left"], mapping["missing"]) == (7200.0, 1.5, "SPYY")
    assert (mapping["buffer"], mapping["lost"], mapping["requests_used"]) == (3, 2, 12)


def test_the_log_line_says_what_an_operator_looks_at_first():
    assert log_line(facts(LIVE)) == (
        "stream live: 2.5 frames/s, 3 symbols, oldest tick /MNQ 4.5 s; 3 reconnects; published 120, buffer 3, lost 2; "
        "REST 12/100; login 1.5 d left; nothing from SPYY; left out: ZZ.Z; SPY, F of NYSE_BOOK; "
        "needs a login: The login is over."
    )


def test_a_stopped_stream_makes_a_short_line():
    line = log_line(facts(StreamStatus(state="stopped")))
    assert line.startswith("stream stopped: 0.0 frames/s, 0 symbols; 0 reconnects;")
    assert "login of unknown age" in line


def test_of_thousands_of_symbols_the_hash_names_some_and_counts_all():
    names = tuple(f"S{number}" for number in range(8_000))
    mapping = hash_fields(
        METRICS,
        facts(
            replace(
                LIVE,
                symbols=dict.fromkeys(names, 0.25),
                missing=names,
                delayed=names,
                left_out={"LEVELONE_EQUITIES": names, "NYSE_BOOK": names},
            )
        ),
    )
    assert sum(len(str(value)) for value in mapping.values()) < 20_000
    assert list(json.loads(mapping["symbol_age_s"])) == list(names[:500])
    assert json.loads(mapping["left_out"])["NYSE_BOOK"] == list(names[:500])
    counts = ("symbols", "missing_symbols", "left_out_symbols")
    assert [mapping[name] for name in counts] == [8_000, 8_000, 16_000]
