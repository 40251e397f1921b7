"""The real engine process: it computes, it is replaced when it dies, and it never outlives its parent."""

import asyncio
import os
import signal
import sys
import time

import pytest

from streaming.clock import epoch_ms
from streaming.engine.engine_host import EngineHost
from streaming.engine.kept_chains import ChainDelivery, KeptChains
from streaming.engine.process import EngineProcess, SpareEngine
from streaming.engine.protocol import Compute, Load
from streaming.engine.room import EngineRoom
from streaming.errors import ContractError, TransientError
from streaming.model import OptionQuote, TickEvent
from streaming.symbols import parse_ticker
from tests.support.chains import ASOF, TODAY, TOMORROW, body_of, chain_of, expiry_body
from tests.support.other_process import line_of, python_process
from tests.support.waiting import until

BODY = expiry_body(TODAY, required=(TODAY,))
SPX = (parse_ticker("SPX"),)

BODIES = [expiry_body(day, required=(TODAY, TOMORROW)) for day in (TODAY, TOMORROW)]
SECOND_LIFE = """
import os, pathlib, sys
sys.path.insert(0, os.getcwd())
import streaming.engine.worker as worker
mark = pathlib.Path("{mark}")
lives = int(mark.read_text()) + 1 if mark.exists() else 1
mark.write_text(str(lives))
if lives == 2:
    worker.EngineRoom.load = lambda *_: os._exit(1)
worker.main()
"""
HANGS = (sys.executable, "-c", "import time; time.sleep(60)")


def tick(price: float, *, after_ms: int = 0) -> TickEvent:
    at_ms = epoch_ms(ASOF) + after_ms
    return TickEvent(symbol="$SPX", timestamp=ASOF, last=price, event_ms=at_ms, recv_ms=at_ms, source="x", seq=1)


def host_of(tickers=SPX, **more) -> EngineHost:
    return EngineHost(tickers, scope="full", **more)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def gone(pid: int) -> None:
    await until(lambda: not is_alive(pid))


async def test_a_chain_and_a_tick_become_the_snapshot_that_the_room_would_make():
    async with host_of() as host:
        receipt = await host.load(BODY)
        host.take([tick(5661.0)])
        snapshot = await host.compute("SPX", ASOF)
        near = await host.near_symbols(4)
    room = EngineRoom(SPX, scope="full")
    room.load(Load("SPX", "schwab", ASOF), BODY.payload)
    room.take([("$SPX", 5661.0, epoch_ms(ASOF))], [])
    assert (receipt.complete, receipt.contracts) == (True, 22)
    assert snapshot == room.compute("SPX", ASOF)
    assert near == room.near_symbols(4)


async def test_a_process_that_was_begun_ahead_is_the_first_one_and_ends_with_whoever_has_it():
    spare = SpareEngine()
    spare.begin()
    async with host_of(spare=spare, command=HANGS) as host:
        assert (await host.load(BODY)).complete
        assert await spare.take() is None
        pid = host.pid
    await gone(pid)


async def test_a_process_that_was_begun_ahead_and_never_taken_is_ended():
    spare = SpareEngine()
    spare.begin()
    await spare.close()
    assert await spare.take() is None


async def test_a_map_comes_whole_from_the_process_and_none_that_is_no_newer():
    async with host_of() as host:
        await host.load(BODY)
        assert await host.map_ahead("SPX", newer_than_ms=0) is None
        snapshot = await host.compute("SPX", ASOF)
        made = await host.map_ahead("SPX", newer_than_ms=0)
        assert await host.map_ahead("SPX", newer_than_ms=made.asof_ms) is None
    assert (made.ticker, made.asof_ms, made.spot) == ("SPX", snapshot.asof_ms, snapshot.spot)


async def test_what_is_taken_reaches_the_engines_without_a_computation_too():
    async with host_of() as host:
        await host.load(BODY)
        host.take([tick(5661.0), OptionQuote(symbol="SPXW  260820C05660000", iv=0.3, event_ms=1, recv_ms=1)])
        assert host.inbox.waiting == 2
        await until(lambda: host.inbox.waiting == 0)


async def test_a_rehearsal_knows_all_that_has_come_ends_no_news_and_spares_a_process_that_works():
    async with host_of() as host:
        host.rehearse("SPX", ASOF)
        await host.load(BODY)
        host.take([tick(5661.0)])
        host.rehearse("SPX", ASOF)
        assert host.inbox.waiting == 0 and host.inbox.news["SPX"].is_set()
        order = asyncio.create_task(host.compute("SPX", ASOF))
        await asyncio.sleep(0)
        host.take([tick(5662.0)])
        host.rehearse("SPX", ASOF)
        assert host.inbox.waiting == 1, "the process is asked already"
        assert (await order).spot == 5661.0


async def test_news_ends_with_the_computation_that_knows_it():
    async with host_of() as host:
        await host.load(BODY)
        async with asyncio.timeout(1):
            await host.news("SPX")
        await host.compute("SPX", ASOF)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await host.news("SPX")
        host.take([tick(5662.0)])
        async with asyncio.timeout(1):
            await host.news("SPX")


async def test_bytes_that_are_no_chain_are_refused_and_the_process_lives_on():
    async with host_of() as host:
        with pytest.raises(ContractError, match="not an option chain"):
            await host.load(ChainDelivery(underlying="SPX", kind="schwab", payload=b"<html>", asof=ASOF))
        assert (await host.load(BODY)).complete
        assert host.restarts == 0


async def test_a_killed_process_is_replaced_and_gets_its_chains_and_the_last_price_at_once():
    told = []
    async with host_of(on_restart=lambda: told.append(True)) as host:
        host.take([tick(5663.0)])
        for body in BODIES:
            await host.load(body)
        before = await host.compute("SPX", ASOF)
        for _ in range(3):
            pid = host.pid
            os.kill(pid, signal.SIGKILL)
            await until(lambda pid=pid: host.pid not in {pid, None})
            async with asyncio.timeout(5):
                await host.news("SPX")
            after = await host.compute("SPX", ASOF)
            assert (after.spot, after.scopes["full"].oi.zero_gamma) == (5663.0, before.scopes["full"].oi.zero_gamma)
            assert after.asof_ms == before.asof_ms, "what is old stays as old as it is"
        assert host.restarts == 3
        assert not told


async def test_a_shrunken_answer_is_refused_until_it_has_come_three_times_over_a_minute():
    few = chain_of(TODAY, strikes=(5650, 5660, 5670))
    async with host_of() as host:
        await host.load(BODY)
        for later_s in (0, 20, 40):
            with pytest.raises(ContractError, match="3 of 11 calls"):
                await host.load(body_of(few, required=(TODAY,), later_s=later_s))
            assert (await host.compute("SPX", ASOF)).scopes["full"].contracts == 22
        assert (await host.load(body_of(few, required=(TODAY,), later_s=60))).contracts == 6
        assert (await host.load(body_of(few, required=(TODAY,), later_s=65))).contracts == 6, "now it is the known one"


async def test_a_process_that_begins_anew_without_its_chains_does_not_believe_an_odd_answer():
    few, told = chain_of(TODAY, strikes=(5660,)), []
    async with host_of(on_restart=lambda: told.append(True), kept=KeptChains(most_bytes=10)) as host:
        await host.load(BODY)
        os.kill(host.pid, signal.SIGKILL)
        await until(lambda: told)
        with pytest.raises(ContractError, match="1 of 11 calls"):
            await host.load(body_of(few, required=(TODAY,), later_s=1))
        assert await host.compute("SPX", ASOF) is None
        assert (await host.load(BODY)).complete


async def test_a_process_that_begins_anew_has_the_open_interest_that_the_last_answer_lacked():
    async with host_of() as host:
        await host.load(BODY)
        assert (await host.load(body_of(chain_of(TODAY, openInterest=0), required=(TODAY,)))).kept_interest
        before, pid = await host.compute("SPX", ASOF), host.pid
        os.kill(pid, signal.SIGKILL)
        await until(lambda: host.pid not in {pid, None})
        async with asyncio.timeout(5):
            await host.news("SPX")
        assert (await host.compute("SPX", ASOF)).sum_gex_oi == before.sum_gex_oi


async def test_chains_that_were_not_kept_are_asked_for_again():
    told = []
    async with host_of(on_restart=lambda: told.append(True), kept=KeptChains(most_bytes=10)) as host:
        await host.load(BODY)
        os.kill(host.pid, signal.SIGKILL)
        await until(lambda: told)
        assert (await host.load(BODY)).complete
        assert host.restarts == 1


async def test_chains_that_end_one_process_after_another_are_given_up():
    told = []
    async with host_of(on_restart=lambda: told.append(True)) as host:
        await host.load(BODY)
        while not told:
            pid = host.pid
            os.kill(pid, signal.SIGKILL)
            await until(lambda pid=pid: told or host.pid not in {pid, None}, timeout_s=10)
        assert 1 < host.restarts <= 4
        assert (await host.load(BODY)).complete


async def test_a_process_that_ends_over_its_chains_is_replaced_without_them(tmp_path):
    """Its first life is good, its second ends in the middle of a chain."""
    told = []
    script = tmp_path / "second_life.py"
    script.write_text(SECOND_LIFE.format(mark=tmp_path / "mark"))
    async with host_of(on_restart=lambda: told.append(True), command=(sys.executable, str(script))) as host:
        await host.load(BODY)
        os.kill(host.pid, signal.SIGKILL)
        await until(lambda: told, timeout_s=10)
        assert host.restarts == 2
        assert (await host.load(BODY)).complete


async def test_an_order_under_way_when_the_process_dies_may_be_repeated():
    async with host_of() as host:
        await host.load(BODY)
        os.kill(host.pid, signal.SIGSTOP)
        order = asyncio.create_task(host.compute("SPX", ASOF))
        await asyncio.sleep(0.05)
        os.kill(host.pid, signal.SIGKILL)
        with pytest.raises(TransientError, match="ended"):
            await order


async def test_a_process_that_does_not_answer_is_killed():
    async with host_of(answer_within_s=2.0) as host:
        async with asyncio.timeout(10):
            while host.start_ms is None:
                await asyncio.sleep(0.01)
        await host.load(BODY)
        pid = host.pid
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(TransientError, match="does not answer"):
            await host.compute("SPX", ASOF)
        await gone(pid)


async def test_a_process_that_never_gets_ready_is_an_error_of_the_orders_not_a_hang():
    async with host_of(answer_within_s=0.2, command=HANGS) as host:
        with pytest.raises(TransientError, match="does not answer"):
            await host.compute("SPX", ASOF)


async def test_a_process_that_only_dies_is_started_ever_more_seldom():
    async with host_of(command=(sys.executable, "-c", "pass")) as host:
        await asyncio.sleep(1.0)
        assert 1 <= host.restarts <= 4


async def test_an_impatient_caller_does_not_take_the_next_ones_answer():
    async with host_of() as host:
        await host.load(BODY)
        first = asyncio.create_task(host.near_symbols(2))
        await asyncio.sleep(0)
        first.cancel()
        assert (await host.compute("SPX", ASOF)).ticker == "SPX"
        assert len(await host.near_symbols(3)) == 3


async def test_what_is_asked_overtakes_the_chains_that_are_queued(monkeypatch: pytest.MonkeyPatch):
    given, ask = [], EngineProcess.ask

    def noted(process, order, payload=None):
        given.append(type(order))
        return ask(process, order, payload)

    async with host_of() as host:
        await host.load(BODY)
        monkeypatch.setattr(EngineProcess, "ask", noted)
        os.kill(host.pid, signal.SIGSTOP)
        orders = [asyncio.create_task(host.load(BODY)) for _ in range(3)]
        await asyncio.sleep(0)
        orders.append(asyncio.create_task(host.compute("SPX", ASOF)))
        await asyncio.sleep(0.05)
        os.kill(host.pid, signal.SIGCONT)
        await asyncio.gather(*orders)
    assert given == [Load, Compute, Load, Load]


async def test_the_process_is_gone_with_the_context_and_no_order_waits_on():
    async with host_of(answer_within_s=60) as host:
        await host.load(BODY)
        pid = host.pid
        os.kill(pid, signal.SIGSTOP)
        order = asyncio.create_task(host.compute("SPX", ASOF))
        await asyncio.sleep(0.05)
    with pytest.raises(TransientError, match="ended"):
        await order
    assert not is_alive(pid)


async def test_without_tickers_nothing_is_started():
    async with host_of(()) as host:
        assert await host.near_symbols(5) == ()
        assert host.pid is None


PARENT = """
import asyncio, sys
from streaming.engine.kept_chains import KeptChains
from streaming.engine.engine_host import EngineHost
from streaming.symbols import parse_ticker
async def main():
    async with EngineHost([parse_ticker("SPX")], scope="full") as host:
        while host.start_ms is None:
            await asyncio.sleep(0.01)
        print(host.pid, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_it_does_not_outlive_a_killed_parent():
    async with python_process(PARENT) as parent:
        pid = int(await line_of(parent))
        parent.kill()
        await gone(pid)


async def test_ctrl_c_in_the_terminal_is_not_for_it():
    async with host_of() as host:
        await host.load(BODY)
        os.kill(host.pid, signal.SIGINT)
        await asyncio.sleep(0.1)
        assert (await host.compute("SPX", ASOF)) is not None
        assert host.restarts == 0


async def test_it_is_ready_soon_and_says_how_soon():
    began_s = time.monotonic()
    async with host_of() as host:
        await host.load(BODY)
    assert 0 < host.start_ms <= (time.monotonic() - began_s) * 1000
