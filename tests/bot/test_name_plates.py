import asyncio
from datetime import datetime, timedelta
from types import SimpleNamespace

import discord
import msgspec
import pytest

from bot.name_plates import EVERY_S, LONGEST, NamePlates, plate_text
from bot.sandbox.world.permission_bits import ORDINARY_BOT, Permission
from streaming.calendar import NEW_YORK
from streaming.model import ReplayMark
from tests.support.clock import ManualClock
from tests.support.discord_wire import live_bot
from tests.support.snapshots import snapshot

OPEN = datetime(2026, 8, 20, 11, 0, tzinfo=NEW_YORK)
SEEN = snapshot("SPX", asof=OPEN)
REPLAYED = msgspec.structs.replace(SEEN, replay=ReplayMark(of="schwab", speed=1.0, sent_ms=SEEN.asof_ms))


@pytest.mark.parametrize(
    ("seen", "at", "words"),
    [
        (SEEN, OPEN, "SPX 6400 dampened"),
        (msgspec.structs.replace(SEEN, source="simulated"), OPEN, "SIM SPX 6400 dampened"),
        (REPLAYED, OPEN, "REPLAY SPX 6400 dampened"),
        (SEEN, OPEN + timedelta(minutes=3), "SPX no live data"),
        (None, OPEN, "SPX no live data"),
        (SEEN, datetime(2026, 8, 22, 11, 0, tzinfo=NEW_YORK), "SPX closed"),
    ],
)
def test_a_name_has_no_price_but_one_of_now(seen, at, words):
    assert plate_text("SPX", seen, at, force=False) == words
    assert len(words) <= LONGEST


class Rig:
    """A bot in two servers that notes how it is asked to rename."""

    def __init__(self, **order) -> None:
        self.clock = ManualClock(OPEN)
        self.spot, self.leads, self.refused, self.keeps = 6400.0, True, False, {1, 2}
        self.named: list[tuple[float, object, str]] = []
        self.told: list[str] = []
        guilds = [SimpleNamespace(id=at, name="s", me=SimpleNamespace(edit=self._nick)) for at in (1, 2)]
        bot = SimpleNamespace(
            http=SimpleNamespace(edit_channel=self._channel),
            guilds=guilds,
            is_ready=lambda: True,
            is_closed=lambda: False,
        )
        plan = {"channels": {7: "SPX"}, "nickname": None, "force": False} | order
        self.plates = NamePlates(
            bot,
            self._latest,
            self.clock,
            leads=lambda: self.leads,
            keeps=lambda guild_id: guild_id in self.keeps,
            tell=self.told.append,
            **plan,
        )

    async def _latest(self, ticker):
        return snapshot(ticker, asof=self.clock.now(), spot=self.spot)

    async def _channel(self, channel_id, *, name):
        if self.refused:
            answer = SimpleNamespace(status=403, reason="", headers={"Content-Type": "application/json"})
            raise discord.Forbidden(answer, {"code": 50013, "message": "Missing Permissions"})
        self.named.append((self.clock.monotonic(), channel_id, name))

    async def _nick(self, *, nick):
        self.named.append((self.clock.monotonic(), "nick", nick))


async def test_a_channel_is_renamed_twice_in_ten_minutes_at_most_also_over_a_start():
    rig = Rig()
    began_s = rig.clock.monotonic()
    task = asyncio.create_task(rig.plates.run(lambda: None))
    while len(rig.named) < 6:
        rig.spot += 1
        await asyncio.sleep(0)
    task.cancel()
    times = [began_s, *(at_s for at_s, *_ in rig.named)]
    assert min(later - earlier for earlier, later in zip(times, times[2:], strict=False)) > 600
    assert EVERY_S > 300


async def test_only_what_changed_is_renamed_and_the_nickname_in_every_server():
    rig = Rig(nickname="SPX")
    await rig.plates.rename()
    await rig.plates.rename()
    assert [what for _, *what in rig.named] == [[7, "SPX 6400 dampened"], *[["nick", "SPX 6400 dampened"]] * 2]


async def test_a_process_that_does_not_write_the_messages_names_nothing():
    rig = Rig()
    rig.leads, rig.keeps = False, set()
    task = asyncio.create_task(rig.plates.run(lambda: None))
    for _ in range(20):
        await asyncio.sleep(0)
    task.cancel()
    assert rig.named == []


async def test_of_several_processes_each_names_the_bot_in_its_own_servers_and_one_the_channels():
    rigs = [Rig(nickname="SPX") for _ in range(2)]
    rigs[1].leads, rigs[0].keeps, rigs[1].keeps = False, {1}, {2}
    for rig in rigs:
        await rig.plates.rename()
    assert [[what for _, what, _ in rig.named] for rig in rigs] == [[7, "nick"], ["nick"]]


async def test_a_missing_permission_is_told_once_until_it_is_given():
    rig = Rig()
    rig.refused = True
    await rig.plates.rename()
    await rig.plates.rename()
    assert len(rig.told) == 1
    rig.refused = False
    await rig.plates.rename()
    assert len(rig.named) == 1


async def test_a_real_library_renames_on_a_real_wire_and_discords_limit_costs_no_wait():
    async with live_bot() as (sandbox, bot, _):
        channel_id = sandbox.channel_ids["gex-spx"]
        rig = Rig(nickname="SPX", channels={channel_id: "SPX"})
        plates = NamePlates(
            bot,
            rig._latest,
            rig.clock,
            channels={channel_id: "SPX"},
            nickname="SPX",
            force=False,
            leads=lambda: True,
            keeps=lambda _guild_id: True,
            tell=rig.told.append,
        )
        await plates.rename()
        assert [sentence.rpartition("Give it ")[2] for sentence in rig.told] == [
            "Manage Channels there.",
            "Change Nickname there.",
        ]
        sandbox.world.set_bot_role(ORDINARY_BOT | Permission.MANAGE_CHANNELS | Permission.CHANGE_NICKNAME)
        names = []
        for _ in range(3):
            rig.spot += 1
            await plates.rename()
            names.append((sandbox.world.channel(channel_id).name, sandbox.world.bot_member.nick))
        assert names == [
            ("SPX 6401 dampened", "SPX 6401 dampened"),
            ("SPX 6402 dampened", "SPX 6402 dampened"),
            ("SPX 6402 dampened", "SPX 6403 dampened"),
        ]
        assert len(rig.told) == 2
        await plates.rename()
        nicked = [one for one in sandbox.traffic.requests if one.method == "PATCH" and one.path.startswith("/guilds")]
        assert len(nicked) == 1 + 3, "a name that was taken is known for taken"
