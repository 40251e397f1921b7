"""Servers that stand in for one another, started from our own binary: a master watched by Sentinel, and a Cluster."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import redis as sync_redis

from streaming.bus.server.embedded import free_port
from tests.support.redis_server import plain_command

SERVICE = "gexcord"
_QUICK = ("--repl-diskless-sync-delay", "0", "--repl-backlog-size", "32mb", "--repl-ping-replica-period", "1")
_SENTINEL = """
port {port}
bind 127.0.0.1
dir {folder}
sentinel monitor gexcord 127.0.0.1 {master} {quorum}
sentinel down-after-milliseconds gexcord {down_ms}
sentinel failover-timeout gexcord 4000
sentinel parallel-syncs gexcord 2
"""


@dataclass(slots=True)
class RedisGroup:
    """Servers by port, and the URL that names them all."""

    url: str
    ports: Sequence[int]
    processes: dict[int, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    commands: dict[int, Sequence[str]] = field(default_factory=dict)
    log: Path = Path("/dev/null")

    def start(self, port: int) -> None:
        """Start a server, or start it again with what it kept."""
        with self.log.open("ab") as log:
            self.processes[port] = subprocess.Popen(self.commands[port], stdin=subprocess.PIPE, stdout=log, stderr=log)

    def kill(self, port: int) -> None:
        """End a server as a power failure would."""
        process = self.processes.pop(port)
        process.kill()
        process.communicate()

    def cut_off(self, port: int) -> list[int]:
        """Nothing reaches a master's copies any more, until `fail_over`; their ports."""
        copies = self._copies_of(port)
        for copy in copies:
            self.processes[copy].send_signal(signal.SIGSTOP)
        _tell(port, "CLIENT KILL TYPE replica")  # what is on its way would still be read
        return copies

    def fail_over(self, port: int, copies: Sequence[int]) -> None:
        """Kill a master and have one of its copies, paused or not, take its place at once."""
        self.kill(port)
        for copy in copies:
            self.processes[copy].send_signal(signal.SIGCONT)
        if self.url.startswith("redis+cluster"):
            _tell(copies[0], "CLUSTER FAILOVER TAKEOVER")
        else:
            _tell(next(one for one in self.processes if one not in self.ports), f"SENTINEL FAILOVER {SERVICE}")

    def _copies_of(self, port: int) -> list[int]:
        with sync_redis.Redis(port=port) as client:
            facts = client.info("replication")
        return [int(facts[f"slave{number}"]["port"]) for number in range(facts["connected_slaves"])]

    def masters(self) -> list[int]:
        """The ports of living servers that take writes."""
        return [port for port in self.ports if port in self.processes and _is_master(port)]

    def master_of(self, key: str) -> int:
        """The port where a key is written; RuntimeError while nobody knows."""
        if len(self.ports) == len(self.commands):
            return _slot_owner(next(port for port in self.ports if port in self.processes), key)
        [port] = self.masters()
        return port

    def copies(self, port: int) -> int:
        """How many replicas confirm what a master writes."""
        with sync_redis.Redis(port=port, socket_timeout=0.3) as client:
            _touch(client)
            return int(client.execute_command("WAIT", 9, 50))

    def end(self) -> None:
        """End all of them."""
        for port in list(self.processes):
            self.kill(port)


@contextmanager
def sentinel_group(folder: Path, *, sentinels: int = 1, down_ms: int = 10_000) -> Iterator[RedisGroup]:
    """A master with two replicas, watched by so many sentinels, which act by themselves after `down_ms`."""
    ports, watching = _free_ports(3), _free_ports(sentinels)
    named = ",".join(f"127.0.0.1:{port}" for port in watching)
    group = RedisGroup(f"redis+sentinel://{named}/{SERVICE}/0", ports, log=folder / "servers.log")
    master = ports[0]
    for port in ports:
        follow = () if port == master else ("--replicaof", f"127.0.0.1 {master}")
        group.commands[port] = [*plain_command(_own(folder, port), port), *_QUICK, *follow]
    with ExitStack() as stack:
        stack.callback(group.end)
        for port in ports:
            group.start(port)
        until(lambda: _answers(master) and group.copies(master) == 2)
        for port in watching:
            where = _own(folder, port)
            (where / "sentinel.conf").write_text(
                _SENTINEL.format(port=port, folder=where, master=master, quorum=sentinels // 2 + 1, down_ms=down_ms)
            )
            plain = plain_command(where, port)
            group.commands[port] = [*plain[: plain.index("--port")], str(where / "sentinel.conf"), "--sentinel"]
            group.start(port)
        until(lambda: all(_answers(port) and _knows(port, sentinels) for port in watching))
        yield group


@contextmanager
def cluster_group(folder: Path, *, down_ms: int = 10_000) -> Iterator[RedisGroup]:
    """Three masters that share the slots, each with a replica, which acts by itself after about `down_ms`."""
    ports = _free_ports(6)
    named = ",".join(f"127.0.0.1:{port}" for port in ports)
    group = RedisGroup(f"redis+cluster://{named}", ports, log=folder / "servers.log")
    cluster = (
        "--cluster-enabled",
        "yes",
        "--cluster-node-timeout",
        str(down_ms),
        "--cluster-replica-validity-factor",
        "0",
    )
    for port in ports:
        bus = ("--cluster-port", str(free_port(0)))
        group.commands[port] = [*plain_command(_own(folder, port), port), *_QUICK, *cluster, *bus]
    with ExitStack() as stack:
        stack.callback(group.end)
        for port in ports:
            group.start(port)
        until(lambda: all(_answers(port) for port in ports))
        _join(group)
        yield group


def _join(group: RedisGroup) -> None:
    clients = [sync_redis.Redis(port=port, decode_responses=True) for port in group.ports]
    buses = [group.commands[port][-1] for port in group.ports]
    try:
        for number, client in enumerate(clients):
            client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
        for first, last, client in zip((0, 5461, 10923), (5460, 10922, 16383), clients, strict=False):
            client.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
        for client in clients:
            for port, bus in zip(group.ports, buses, strict=True):
                client.execute_command("CLUSTER MEET", "127.0.0.1", port, bus)
        names = [str(client.execute_command("CLUSTER MYID")) for client in clients]
        for number in range(3):
            until(lambda number=number: _follows(clients[number + 3], names[number]))
        until(lambda: all("cluster_state:ok" in _cluster_info(client) for client in clients))
        until(lambda: all(group.copies(port) == 1 for port in group.ports[:3]))
    finally:
        for client in clients:
            client.close()


def _cluster_info(client: sync_redis.Redis) -> str:
    found = client.execute_command("CLUSTER INFO")
    return "".join(f"{name}:{value} " for name, value in found.items()) if isinstance(found, dict) else str(found)


def _follows(client: sync_redis.Redis, name: str) -> bool:
    try:
        client.execute_command("CLUSTER REPLICATE", name)
    except sync_redis.ResponseError:  # it has not heard of that one yet
        return False
    return True


def until(condition: Callable[[], bool], *, within_s: float = 20.0) -> None:
    """Wait until something holds of the servers."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.02)


def _tell(port: int, command: str) -> None:
    with sync_redis.Redis(port=port) as client:
        client.execute_command(*command.split())


def _free_ports(count: int) -> list[int]:
    return [free_port(0) for _ in range(count)]


def _own(folder: Path, port: int) -> Path:
    where = folder / str(port)
    where.mkdir()
    return where


def _answers(port: int) -> bool:
    try:
        with sync_redis.Redis(port=port, socket_timeout=0.3) as client:
            return bool(client.ping())
    except sync_redis.RedisError:
        return False


def _is_master(port: int) -> bool:
    try:
        with sync_redis.Redis(port=port, socket_timeout=0.3) as client:
            return client.info("replication")["role"] == "master"
    except sync_redis.RedisError:
        return False


def _knows(port: int, sentinels: int) -> bool:
    with sync_redis.Redis(port=port, decode_responses=True) as client:
        told = client.execute_command("SENTINEL MASTER", SERVICE)
        facts = told if isinstance(told, dict) else dict(zip(told[::2], told[1::2], strict=True))
        return int(facts["num-slaves"]) == 2 and int(facts["num-other-sentinels"]) == sentinels - 1


def _touch(client: sync_redis.Redis) -> None:
    """Write something there that is gone at once; a member of a Cluster takes only some names."""
    for number in range(1000):
        with suppress(sync_redis.ResponseError):
            client.set(f"ready:{number}", "", px=1)
            return


def _slot_owner(asked: int, key: str) -> int:
    with sync_redis.Redis(port=asked) as client:
        slot = int(client.execute_command("CLUSTER KEYSLOT", key))
        for first, last, owner, *_ in client.execute_command("CLUSTER SLOTS"):
            if first <= slot <= last:
                return int(owner[1])
    raise RuntimeError(key)
