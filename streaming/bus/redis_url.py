"""`REDIS_URL` that names several servers: some watched by Sentinel, or a Cluster (pure)."""

from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

GroupKind = Literal["sentinel", "cluster"]
FORMS: Final = (
    "redis://[user:password@]host:port/database, rediss:// with TLS, unix://,"
    " redis+sentinel://[user:password@]host:port,host:port/service/database or"
    " redis+cluster://[user:password@]host:port,host:port"
)
_PORTS: Final[dict[GroupKind, int]] = {"sentinel": 26379, "cluster": 6379}
_WATCHERS: Final = ("sentinel_username", "sentinel_password")
_TLS: Final = "rediss"


@dataclass(frozen=True, slots=True)
class GroupUrl:
    """Servers of which one takes over when another dies."""

    kind: GroupKind
    hosts: tuple[tuple[str, int], ...]
    """Of the sentinels, or of some members of the Cluster."""
    service: str
    """What the sentinels call their master."""
    database: int
    scheme: str
    login: str
    """`user:password@` as it stood there."""
    query: str
    watchers_login: str
    """The same for the sentinels themselves, by `?sentinel_username=…&sentinel_password=…`."""

    def server(self, host: str, port: int) -> str:
        """The URL of one server that keeps data."""
        name = f"[{host}]" if ":" in host else host
        return f"{self.scheme}://{self.login}{name}:{port}/{self.database}{self.query}"

    def watcher(self, host: str, port: int) -> str:
        """The URL of one sentinel."""
        name = f"[{host}]" if ":" in host else host
        return f"{self.scheme}://{self.watchers_login}{name}:{port}{self.query}"


def parse_group(url: str) -> GroupUrl | None:
    """What the URL of a group names; None for one server. ValueError when it is neither as `FORMS` says."""
    parts = urlsplit(url)
    scheme, _, word = parts.scheme.partition("+")
    if not word:
        return None
    if word not in _PORTS or scheme not in {"redis", _TLS}:
        raise ValueError(parts.scheme)
    kind: GroupKind = word
    login, _, named = parts.netloc.rpartition("@")
    service, database = _path(kind, parts.path)
    options = dict(parse_qsl(parts.query))
    watchers = [quote(options.pop(name, ""), safe="") for name in _WATCHERS]
    return GroupUrl(
        kind=kind,
        hosts=tuple(_host(name, _PORTS[kind]) for name in named.split(",")),
        service=service,
        database=database,
        scheme=scheme,
        login=f"{login}@" if login else "",
        query=f"?{urlencode(options)}" if options else "",
        watchers_login=f"{':'.join(watchers)}@" if any(watchers) else "",
    )


def _path(kind: GroupKind, path: str) -> tuple[str, int]:
    """Service and database; a Cluster has neither, but for the 0 that some write."""
    words = path.strip("/").split("/")
    service, database = (words[0], words[1:]) if kind == "sentinel" else ("", [word for word in words if word])
    if (kind == "sentinel" and not service) or len(database) > 1 or (kind == "cluster" and database not in ([], ["0"])):
        raise ValueError(path)
    return service, int(database[0]) if database else 0


def _host(name: str, port: int) -> tuple[str, int]:
    one = urlsplit(f"//{name}")
    if not one.hostname:
        raise ValueError(name)
    return one.hostname, one.port or port
