"""streaming/streamer/streamed_symbols.py"""

from streaming.bus import keys
from streaming.streamer.streamed_symbols import StoredChanges, SymbolChanges


async def test_what_was_stored_is_loaded_by_anybody(redis):
    changes = SymbolChanges(("/ES", "AAPL"), frozenset({"QQQ"}))
    await StoredChanges(redis).store(changes)
    assert await StoredChanges(redis).load() == changes
    assert await redis.hgetall(keys.STREAM_SYMBOLS) == {b"AAPL": b"added", b"/ES": b"added", b"QQQ": b"removed"}


async def test_nothing_stored_is_no_change_and_storing_nothing_forgets(redis):
    wishes = StoredChanges(redis)
    assert await wishes.load() == SymbolChanges()
    await wishes.store(SymbolChanges(("AAPL",)))
    await wishes.store(SymbolChanges())
    assert await wishes.load() == SymbolChanges()
    assert not await redis.exists(keys.STREAM_SYMBOLS)
