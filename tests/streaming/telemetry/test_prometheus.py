from streaming.status import StreamStatus
from streaming.telemetry.prometheus import exposition
from tests.support.stream_facts import LIVE, facts


def test_every_metric_is_described_once_before_its_samples():
    names = []
    for line in exposition(facts(LIVE)).decode().splitlines():
        if line.startswith("# HELP"):
            names.append(line.split()[2])
        elif not line.startswith("#"):
            assert line.startswith(names[-1])
    assert len(names) == len(set(names)) > 15


def test_prometheus_gets_every_known_figure_and_none_that_is_not_known():
    text = exposition(facts(LIVE)).decode()
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
    assert 'symbol="A\\"B\\\\C\\nD"' in exposition(facts(status)).decode()
