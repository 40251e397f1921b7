from types import SimpleNamespace

from streaming.bus.metrics_store import kept
from streaming.status import StreamStatus
from streaming.telemetry import stream_metrics
from streaming.telemetry.prometheus import MetricTable, exposition, one
from tests.support.stream_facts import LIVE, facts


def scraped(look):
    return exposition([one("stream", stream_metrics.METRICS, look)])


def test_every_metric_is_described_once_before_its_samples():
    names = []
    for line in scraped(facts(LIVE)).decode().splitlines():
        if line.startswith("# HELP"):
            names.append(line.split()[2])
        elif not line.startswith("#"):
            assert line.startswith(names[-1])
    assert len(names) == len(set(names)) > 15


def test_prometheus_gets_every_known_figure_and_none_that_is_not_known():
    text = scraped(facts(LIVE)).decode()
    assert '# TYPE gexcord_stream_state gauge\ngexcord_stream_state{state="live"} 1.0\n' in text
    assert 'gexcord_stream_symbol_age_seconds{symbol="/MNQ"} 4.5\n' in text
    assert "gexcord_stream_lost_total 2.0\n" in text
    assert "gexcord_stream_chains_refused_total 4.0\n" in text
    assert "gexcord_stream_chain_rows_odd_total 2.0\n" in text
    assert 'gexcord_stream_expiry_age_seconds{expiry="2026-08-20",ticker="SPX"} 2.5\n' in text
    assert "gexcord_stream_engine_restarts_total 1.0\n" in text
    assert "gexcord_stream_login_seconds_left 129600.0\n" in text
    assert "gexcord_stream_needs_login 1.0\n" in text
    assert "events_total" not in text
    assert 'A\\"B' not in text
    assert text.endswith("\n")


def test_prometheus_labels_are_escaped():
    status = StreamStatus(state="live", symbols={'A"B\\C\nD': 1.0})
    assert 'symbol="A\\"B\\\\C\\nD"' in scraped(facts(status)).decode()


def test_what_there_are_several_of_is_told_apart_by_labels():
    metrics = (kept("edits", "Edits.", "edits_total"), kept("state", "What it does.", "state", labels=("state",)))
    facts_of = {"SPX": SimpleNamespace(edits=0, state="open"), "NDX": SimpleNamespace(edits=1, state="open")}
    looks = tuple((("5", name), seen) for name, seen in facts_of.items())
    text = exposition([MetricTable("board", metrics, looks, labels=("channel", "ticker"))]).decode()
    assert 'gexcord_board_edits_total{channel="5",ticker="NDX"} 1.0\n' in text
    assert 'gexcord_board_state{channel="5",state="open",ticker="SPX"} 1.0\n' in text
    assert text.count("# HELP gexcord_board_edits_total") == 1


def test_what_is_not_there_is_not_told_but_the_memory_of_the_process_always_is():
    text = exposition([one("recorder", (kept("gaps", "Gaps.", "gaps_total"),), None)]).decode()
    assert "gexcord_" not in text
    assert "process_resident_memory_bytes" in text
