from datetime import timedelta

from bot.render.recording import recorder_text
from streaming.status import RecorderStatus
from tests.support.feed import OPEN_AT

RUNNING = RecorderStatus(
    state="recording",
    path=".recordings",
    with_ticks=True,
    snapshots=1200,
    ticks=34567,
    gaps=1,
    lost=8,
    written_bytes=12_345_678,
    total_bytes=987_000_000,
    last_write_at=OPEN_AT - timedelta(seconds=2),
)


def test_nothing_is_said_where_nothing_is_recorded():
    assert recorder_text(None, OPEN_AT) == ""


def test_a_running_recorder_says_what_it_wrote_and_what_it_missed():
    assert recorder_text(RUNNING, OPEN_AT) == (
        "**Recorder: recording** · .recordings\n"
        "1200 snapshots, 34567 ticks, 1 gap (8 entries known to be lost)"
        " · 12.3 MB written, 987.0 MB kept · last write 2s ago"
    )


def test_a_recorder_that_stopped_says_why():
    text = recorder_text(RecorderStatus(state="failed", path="x", last_error="Recording stopped: disk full."), OPEN_AT)
    assert text.startswith("**Recorder: failed** · x\n0 snapshots, 0 gaps")
    assert "last write never" in text
    assert text.endswith("Last error: Recording stopped: disk full.")
