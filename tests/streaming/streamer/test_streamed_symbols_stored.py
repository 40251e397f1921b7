"""streaming/streamer/streamed_symbols.py"""

from streaming.bus import keys
from streaming.streamer.streamed_symbols import StoredChanges, SymbolChanges


async def test_what_was_stored_is_loaded_by_anybody(redis):
    changes = SymbolChanges(("/ES", "AAPL"), frozenset({"QQQ"}))
    await StoredChanges(redis).store(changes)
    assert await StoredChanges(redis).load() == changes
    assert await redis.hgetall(keys.STREAM_SYMBOLS) == {b"AAPL": b"added", b"/ES": b"added", b"QQQ": b"removed"}


async def test_nothing_stored_is_no_change_and_storing_nothing_forgets(redis):
    stored = StoredChanges(redis)
    assert await stored.load() == SymbolChanges()
    await stored.store(SymbolChanges(("AAPL",)))
    await stored.store(SymbolChanges())
    assert await stored.load() == SymbolChanges()
    assert not await redis.exists(keys.STREAM_SYMBOLS)


async def test_a_kind_of_symbol_that_is_not_streamed_any_more_is_left_out(redis, caplog):
    await redis.hset(keys.STREAM_SYMBOLS, mapping={"EUR/USD": "added", "./ESZ26C6400": "added", "SPY": "added"})
    assert await StoredChanges(redis).load() == SymbolChanges(added=("SPY",))
    assert "EUR/USD is left out: Options on futures and pairs of currencies are not streamed." in caplog.text
