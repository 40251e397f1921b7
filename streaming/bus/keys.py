"""Every name on the bus, in one place. Existing consumers rely on the first three."""

from streaming.bus import events

TICKS = events.TICKS.channel
LEVEL2 = events.BOOKS.channel
CANDLES = events.CANDLES.channel
SNAPSHOT_STREAM = "gex:snapshot:stream"

TICKS_STREAM = events.TICKS.stream
LEVEL2_STREAM = events.BOOKS.stream
CANDLES_STREAM = events.CANDLES.stream
STREAM_METRICS = "metrics:schwab_stream"
FEED_METRICS = "metrics:gex_feed"
RECORDER_METRICS = "metrics:gex_recorder"
HISTORY_METRICS = "metrics:gex_history"
SOURCE_METRICS = "metrics:gex_sources"
STREAM_LEASE = "gexcord:lease:stream"
FEED_LEASE = "gexcord:lease:feed"
REPLAY_LEASE = "gexcord:lease:replay"
STREAM_WANTED = "gexcord:stream:wanted"
STREAM_SYMBOLS = "gexcord:stream:symbols"
FEED_LEDGER = "gexcord:feed:messages"
FEED_ORDERS = "gexcord:feed:orders"
PROVEN_DAYS = "gexcord:sources:proven"
LOGIN_TOLD = "gexcord:login:told"
LOGIN = "gexcord:login:store"
"""The Schwab login of several machines, sealed."""
LOGIN_PENDING = "gexcord:login:pending"
"""The link to a login that is out, sealed, so that every machine can finish it."""
FEED_TOLD = "gexcord:feed:told"
COMMAND_FINGERPRINT = "gexcord:commands:fingerprint"
REQUESTS = "gexcord:schwab:requests"
COMMAND_AUDIT = "gexcord:commands:audit"
"""What was changed by commands: a sorted set by time."""
ALERTS = "gex:alerts"
"""Readers' alerts: `:rules`, `:states`, `:episodes` and what else `bot.alerts.rule_store` keeps begins with this."""
ALERTS_TOLD = "gexcord:alerts:told"
ALERT_METRICS = "metrics:gex_alerts"


def routes(app: str) -> str:
    """Key of the hash of Schwab's routes that ever worked with an app; `app` is a fingerprint of its key."""
    return f"gexcord:schwab:routes:{app}"


def snapshot(ticker: str) -> str:
    """Key of the latest snapshot of a ticker."""
    return f"gex:snapshot:{ticker}"


def asked(ticker: str) -> str:
    """Key of a snapshot that somebody asked for, of a ticker that nobody follows; kept for a minute."""
    return f"gex:asked:{ticker}"


def history(ticker: str) -> str:
    """Key of today's capped stream of snapshots of a ticker."""
    return f"gex:history:{ticker}"


def day_map(ticker: str) -> str:
    """Key of the map of the rest of a ticker's session."""
    return f"gex:map:{ticker}"


def source_lease(source: str, ticker: str) -> str:
    """Held by the process that asks a source for a ticker."""
    return f"gexcord:lease:source:{source}:{ticker}"


def identifies(token: str) -> str:
    """Instants of the gateway sessions that a Discord token opened, by the token's fingerprint."""
    return f"gexcord:discord:identifies:{token}"


def call_slices(token: str) -> str:
    """How the calls a second of a Discord token are divided among processes, by the token's fingerprint."""
    return f"gexcord:discord:calls:{token}"


def crew(token: str) -> str:
    """The processes of a Discord token that are alive, by the token's fingerprint."""
    return f"gexcord:discord:crew:{token}"


def shard_count(token: str) -> str:
    """How many shards the processes of a Discord token are, by the token's fingerprint."""
    return f"gexcord:discord:shards:{token}"


def identify_slot(token: str, bucket: int) -> str:
    """Taken for the seconds in which no other shard of the bucket may open a session."""
    return f"gexcord:discord:identify:{token}:{bucket}"


def shard_lease(token: str, shard: int, count: int) -> str:
    """Held by the process that keeps a shard's connection to Discord's gateway."""
    return f"gexcord:lease:shard:{token}:{shard}/{count}"


def feed_part(part: int, count: int) -> str:
    """Held by the process that writes a part of the live messages; one that is the whole has `FEED_LEASE`."""
    return FEED_LEASE if count == 1 else f"{FEED_LEASE}:{part}/{count}"


def feed_notes(part: int, count: int) -> str:
    """What the process that writes a part of the live messages tells of them."""
    return f"gexcord:feed:status:{part}/{count}"


def lease_epoch(lease: str) -> str:
    """Counts the holders of a lease; kept without expiry, so that an earlier holder's writes can be told."""
    return f"{lease}:epoch"


def replay_history(ticker: str) -> str:
    """Key of the same for snapshots that are played from a recording."""
    return f"gex:replay:{ticker}"


def in_cluster(name: str) -> str:
    """The same key in a Redis Cluster, where what one script touches must lie in one slot; most are called the same."""
    if name.startswith("{"):
        return name
    if name.endswith(":epoch"):
        return f"{{{name.removesuffix(':epoch')}}}:epoch"
    main = next((main for main in (ALERTS, FEED_LEDGER, REQUESTS) if name.startswith(f"{main}:")), None)
    return name if main is None else f"{{{main}}}{name.removeprefix(main)}"


def on_one_server(name: str) -> str:
    """What a key of a Cluster is called on a single server."""
    return name.removeprefix("{").replace("}", "", 1) if name.startswith("{") else name


def acknowledged(stream: str) -> str:
    """Written beside a stream so that its server asks for copies of what was written before; gone after a minute."""
    return f"gexcord:acknowledged:{{{stream}}}"


def epoch_copy(epoch_key: str, beside: str) -> str:
    """A lease's epoch again, in the slot of a key that only its holder may write."""
    return f"{on_one_server(epoch_key)}:{{{beside}}}"
