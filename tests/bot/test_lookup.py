import asyncio

import pytest

from bot import lookup
from bot.choices import Choices
from bot.lookup import (
    default_choices,
    default_ticker,
    find_or_ask,
    find_snapshot,
    matching_names,
    scope_and_weight,
)
from streaming.errors import OperatorError, RequestError, TransientError
from streaming.status import Loading
from tests.support.host import Host, StandInOnDemand, make_settings, make_snapshot


@pytest.fixture
def host():
    host = Host(make_settings(gex_feed_symbols="SPX,NDX,NQ_NDX", gex_feed_channel_map="NDX:42"))
    host.snapshots.latest_by_ticker = {"NDX": make_snapshot("NDX"), "NQ_NDX": make_snapshot("NQ_NDX")}
    return host


@pytest.fixture
def services(host):
    return host.make_bot().services


async def test_an_alias_finds_its_ticker(services):
    assert (await find_snapshot(services, "/mnq", channel_id=None)).ticker == "NQ_NDX"


async def test_without_a_symbol_the_channels_own_ticker_is_meant(services):
    assert (await find_snapshot(services, None, channel_id=42)).ticker == "NDX"
    assert default_ticker(services, 43).name == "NDX", "the first of all tickers: maps come before lists"


async def test_a_ticker_without_a_snapshot_is_the_machines_move(services):
    with pytest.raises(TransientError, match="no current snapshot of SPX"):
        await find_snapshot(services, "SPX", channel_id=None)


async def test_a_ticker_whose_chains_are_being_loaded_says_how_far_and_is_no_error(host):
    host.loading = {"SPX": Loading(7, 13)}
    with pytest.raises(RequestError) as caught:
        await find_snapshot(host.make_bot().services, "SPX", channel_id=None)
    assert caught.value.sentence == "SPX starts: 7 of 13 expiries loaded. Its figures come with the last one."


async def test_a_ticker_nobody_follows_is_the_callers_move(services):
    with pytest.raises(RequestError) as caught:
        await find_snapshot(services, "TSLA", channel_id=None)
    assert caught.value.sentence == "TSLA is not followed here. Available: NDX, SPX, NQ_NDX."


async def test_a_ticker_nobody_follows_is_asked_for_once_somebody_was_told_to_wait(host):
    host.on_demand = StandInOnDemand()
    services, told = host.make_bot().services, []

    async def wait():
        told.append(list(host.on_demand.asked))

    first = await find_or_ask(services, "tsla", channel_id=None, before_asking=wait)
    assert (first.ticker, told) == ("TSLA", [[]])
    assert await find_or_ask(services, "TSLA", channel_id=None, before_asking=wait) == first
    assert (host.on_demand.asked, len(told)) == (["TSLA"], 1), "what is kept is there at once"


async def test_a_ticker_that_was_dropped_is_asked_for_anew_and_its_last_snapshot_is_the_second_best(host):
    left, clock = make_snapshot("TSLA"), host.clock
    host.snapshots.latest_by_ticker["TSLA"] = left
    host.on_demand = StandInOnDemand()
    services = host.make_bot().services
    assert await find_or_ask(services, "TSLA", channel_id=None) == left, "another program may publish it"
    clock.advance(301.0)
    assert (await find_or_ask(services, "TSLA", channel_id=None)).on_demand is not None
    assert (await find_or_ask(services, "NDX", channel_id=None)).on_demand is None, "followed, however old"
    host.on_demand = StandInOnDemand(error=TransientError("Too many."))
    assert await find_or_ask(host.make_bot().services, "TSLA", channel_id=None) == left
    host.on_demand = None
    assert await find_or_ask(host.make_bot().services, "TSLA", channel_id=None) == left


async def test_what_is_followed_or_a_future_is_never_asked_for(host):
    host.on_demand = StandInOnDemand()
    services = host.make_bot().services
    assert (await find_or_ask(services, "NDX", channel_id=None)).on_demand is None
    with pytest.raises(TransientError, match="no current snapshot of SPX"):
        await find_or_ask(services, "SPX", channel_id=None)
    with pytest.raises(RequestError, match="ES_SPX is not followed here"):
        await find_or_ask(services, "ES", channel_id=None)
    with pytest.raises(RequestError, match="TSLA is not followed here"):
        await find_snapshot(services, "TSLA", channel_id=None)
    assert host.on_demand.asked == []


async def test_without_a_source_to_ask_the_answer_is_what_is_followed(services):
    with pytest.raises(RequestError) as caught:
        await find_or_ask(services, "TSLA", channel_id=None)
    assert caught.value.sentence == "TSLA is not followed here. Available: NDX, SPX, NQ_NDX."


async def test_what_the_source_says_stands_in_the_answer_and_what_operators_should_do_does_not(host):
    host.on_demand = StandInOnDemand(error=OperatorError("CBOE refuses us (HTTP 403).", remedy="Restart."))
    with pytest.raises(RequestError) as caught:
        await find_or_ask(host.make_bot().services, "TSLA", channel_id=None)
    assert caught.value.sentence == (
        "TSLA is not followed here, and cannot be asked for: CBOE refuses us (HTTP 403). Available: NDX, SPX, NQ_NDX."
    )


async def test_a_source_that_is_away_is_told_as_it_is(host):
    host.on_demand = StandInOnDemand(error=TransientError("Too many tickers.", remedy="Try again in 9 s."))
    with pytest.raises(TransientError, match="Too many tickers"):
        await find_or_ask(host.make_bot().services, "TSLA", channel_id=None)


async def test_a_store_that_hangs_is_given_up_in_time(services, host, monkeypatch):
    async def hang(_ticker):
        await asyncio.Event().wait()

    monkeypatch.setattr(lookup, "READ_WITHIN_S", 0.01)
    monkeypatch.setattr(host.snapshots, "latest", hang)
    async with asyncio.timeout(2):
        with pytest.raises(TransientError, match="does not answer"):
            await find_snapshot(services, "SPX", channel_id=None)


def test_the_time_to_read_leaves_time_to_answer():
    assert lookup.READ_WITHIN_S <= 2.5


def test_names_that_begin_with_what_was_typed_come_first(services):
    assert matching_names(services, "nd") == ["NDX", "NQ_NDX"]
    assert matching_names(services, "$s") == ["SPX"]
    assert matching_names(services, "") == ["NDX", "SPX", "NQ_NDX"]


async def test_a_root_of_weekly_options_leads_to_its_index(services):
    with pytest.raises(RequestError) as caught:
        await find_snapshot(services, "SPXW", channel_id=None)
    assert caught.value.sentence == "SPXW names weekly options that are part of SPX. Use SPX."


def test_a_share_of_a_class_is_offered_in_each_spelling():
    services = Host(make_settings(gex_feed_symbols="BRK.B,SPY")).make_bot().services
    assert {tuple(matching_names(services, typed)) for typed in ("brk/", "BRK-b", "BRK.B")} == {("BRK.B",)}


def test_what_a_channel_chose_is_meant_where_nothing_is_said_of_it():
    chosen = make_settings(
        gex_feed_symbols="SPX", gex_feed_channel_map="NDX:42:scope=zero:weight=vol,SPX:43:weight=mixed"
    )
    services = Host(chosen).make_bot().services
    assert scope_and_weight(services, 42, None, None) == ("zero", "vol")
    assert scope_and_weight(services, 42, "full", "oi") == ("full", "oi")
    assert [scope_and_weight(services, place, None, None) for place in (43, 44, None)] == [(None, "oi")] * 3
    assert default_choices(services, 44) == Choices()
