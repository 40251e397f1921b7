import re
from dataclasses import replace

import pytest

from bot.supervisor import JobState, JobStatus
from streaming import __version__
from streaming.bus.redis_connection import make_client
from streaming.telemetry.prometheus import exposition
from tests.support.telemetry import NOW, Rig


async def scrape(rig):
    return exposition(await rig.telemetry().tables()).decode()


async def test_a_scrape_tells_of_every_part_of_the_bot():
    text = await scrape(Rig())
    for line in (
        f'gexcord_process_info{{version="{__version__}"}} 1.0',
        "gexcord_process_loop_lag_milliseconds 0.0",
        "gexcord_discord_gateway_up 1.0",
        "gexcord_discord_gateway_aways_total 2.0",
        'gexcord_job_state{name="gex-feed",state="running"} 1.0',
        "gexcord_feed_boards 2.0",
        "gexcord_feed_leading 1.0",
        'gexcord_board_edits_total{channel="5",ticker="SPX"} 12.0',
        'gexcord_board_edit_lag_milliseconds{channel="6",ticker="NDX"} 100.0',
        "gexcord_alerts_rules 3.0",
        "gexcord_alerts_delivered_total 2.0",
        "gexcord_recorder_snapshots_total 9.0",
        "gexcord_history_days 41.0",
        'gexcord_source_state{source="cboe",state="live"} 1.0',
        "gexcord_stream_engine_restarts_total 1.0",
        'gexcord_levels_zero_gamma{ticker="SPX",weight="oi"} 6390.0',
        'gexcord_api_requests_total{route="levels"} 8.0',
        'gexcord_api_refusals_total{code="unauthorized"} 2.0',
        "gexcord_api_clients 3.0",
    ):
        assert f"\n{line}\n" in text
    assert re.search(r"\nprocess_resident_memory_bytes \d", text)


async def test_what_does_not_run_is_not_told():
    text = await scrape(Rig(recorder=None))
    assert "gexcord_recorder" not in text


async def test_the_bot_is_ready_with_gateway_redis_and_jobs():
    report = await Rig().telemetry().health()
    assert report.ready
    assert report.parts == {"gateway": "ok", "redis": "ok", "jobs": "ok"}


async def test_it_is_not_ready_while_a_part_is_away_and_names_it():
    rig = Rig(redis=make_client("redis://127.0.0.1:1/0"))
    rig.gateway.is_up = False
    rig.jobs = (JobStatus("alerts", JobState.FAILED, NOW), *rig.jobs)
    report = await rig.telemetry().health()
    assert not report.ready
    assert report.live
    assert report.parts == {"gateway": "away", "redis": "does not answer", "jobs": "failed: alerts"}


@pytest.mark.parametrize("state", [JobState.WAITING, JobState.BACKOFF, JobState.STOPPED, JobState.ENDED])
async def test_a_job_that_waits_for_a_person_or_has_ended_is_no_reason_to_restart(state):
    rig = Rig()
    rig.jobs = (replace(rig.jobs[0], state=state),)
    assert (await rig.telemetry().health()).ready


async def test_a_loop_that_stands_still_is_neither_live_nor_ready():
    rig = Rig()
    telemetry = rig.telemetry()
    assert telemetry.watched.live()
    rig.clock.advance(20.0)
    assert not telemetry.watched.live()
    assert not (await telemetry.health()).ready
