"""`python -m streaming token …` against the simulated Schwab, from the arguments to the exit status."""

import asyncio
import io
import json
import re
import socket
import sys
from datetime import UTC, datetime, timedelta

import aiohttp
import httpx
import pytest
from yarl import URL

from streaming.clock import SystemClock
from streaming.commands.cli import main
from streaming.commands.login.login_actions import wait_until_stored
from streaming.errors import TransientError
from streaming.schwab.login.cipher import new_key
from streaming.schwab.login.token_store import TokenStore
from streaming.schwab.login.tokens import Token
from streaming.settings import StreamSettings
from streaming.sim.local_schwab import open_sim
from streaming.sim.world.faults import FIREWALL_PAGE, Failure
from streaming.sim.world.market import Market
from tests.support.clock import ManualClock
from tests.support.waiting import until

ENV = "# mine\nLOG_LEVEL=INFO\n"
LINK = re.compile(r"http://127\.0\.0\.1:\d+/v1/oauth/authorize\S+")


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
async def sim(port):
    market = Market.generate(start_at=datetime.now(UTC), underlyings=("SPX",), seed=1)
    async with open_sim(market, SystemClock(), callback_url=f"https://127.0.0.1:{port}") as sim:
        yield sim


@pytest.fixture
def home(tmp_path, monkeypatch, port):
    """A folder with an `.env` that no command may touch, and settings of the simulated app."""
    monkeypatch.chdir(tmp_path)
    for name in StreamSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    (tmp_path / ".env").write_text(ENV)
    monkeypatch.setenv("SCHWAB_CLIENT_ID", "demo")
    monkeypatch.setenv("SCHWAB_CLIENT_SECRET", "demo-secret")
    monkeypatch.setenv("SCHWAB_CALLBACK_URL", f"https://127.0.0.1:{port}")
    yield tmp_path
    assert (tmp_path / ".env").read_text() == ENV


@pytest.fixture
def store(home):
    return TokenStore(home / ".tokens" / "schwab_token.json")


@pytest.fixture
def command(home, sim, monkeypatch, capsys):
    """Runs a command as its own event loop in a thread; returns its exit status and what it printed."""
    monkeypatch.setenv("SCHWAB_API_URL", sim.url)

    async def run(*words):
        capsys.readouterr()
        status = await asyncio.to_thread(main, list(words))
        told = capsys.readouterr()
        return status, told.out + told.err

    return run


@pytest.fixture
def logged_in(sim, store):
    """The file of a program that logged in an hour ago."""
    document = sim.issue_token()
    document["creation_timestamp"] -= 3600
    store.path.parent.mkdir(mode=0o700)
    store.path.write_text(json.dumps(document))
    store.path.chmod(0o600)
    return document


async def approve(url):
    """What a browser does after its person has signed in: where it is sent."""
    async with httpx.AsyncClient() as http:
        return (await http.get(url, follow_redirects=False)).headers["location"]


async def browse(url):
    async with aiohttp.ClientSession() as http, http.get(URL(await approve(url), encoded=True), ssl=False) as page:
        return page.status


async def test_a_login_is_caught_on_this_machine_and_stored(command, store, capsys):
    running = asyncio.ensure_future(command("token", "login"))
    printed = ""

    def link():
        nonlocal printed
        printed += capsys.readouterr().out
        return LINK.search(printed)

    await until(link)
    assert await browse(link().group()) == 200
    status, told = await running
    assert status == 0
    assert "login: lasts until" in told
    assert store.load().login_at > datetime.now(UTC) - timedelta(minutes=1)


class Person(io.StringIO):
    """Reads the link that was printed, signs in, and types what the browser's address has become."""

    def __init__(self, change):
        super().__init__()
        self.printed = io.StringIO()
        self._change = change
        self._lines = []

    def readline(self, *_):
        if not self._lines:
            link = LINK.search(self.printed.getvalue()).group()
            self._lines = self._change(asyncio.run(approve(link))).split("\n")
        return self._lines.pop(0) + "\n"


@pytest.fixture
def paste(home, sim, monkeypatch):
    """Runs `token login` with a person at the terminal; returns its exit status and what it printed."""
    monkeypatch.setenv("SCHWAB_API_URL", sim.url)

    async def run(*words, change=lambda address: address):
        person = Person(change)
        monkeypatch.setattr(sys, "stdin", person)
        for name in ("stdout", "stderr"):
            monkeypatch.setattr(sys, name, person.printed)
        status = await asyncio.to_thread(main, ["token", "login", *words])
        return status, person.printed.getvalue()

    return run


async def test_a_login_by_paste_is_stored(paste, sim, store):
    status, told = await paste("--paste")
    assert (status, "lasts until" in told) == (0, True)
    assert store.load().refresh_token == sim.authority.login.refresh_token


async def test_where_the_port_is_taken_the_address_is_pasted(paste, store, port):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        status, told = await paste()
    assert (status, "must be pasted instead" in told) == (0, True)
    assert store.load() is not None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda address: address.replace("state=", "state=x"), "belongs to another login"),
        (lambda _address: "C0.barecode@", "not the whole address"),
        (lambda _address: "", "No address was pasted"),
    ],
)
async def test_what_is_no_redirect_of_this_login_is_refused(paste, store, change, words):
    status, told = await paste("--paste", change=change)
    assert (status, words in told) == (65, True)
    assert store.load() is None


@pytest.mark.parametrize(
    "change",
    [
        lambda address: address + ".",
        lambda address: address.replace("&", "&amp;"),
        lambda address: f"`{address}`",
        lambda address: f"\u201c{address}\u201d",
        lambda address: f"'{address}';",
        lambda address: f"  <{address}>  ",
        lambda address: f"it says {address} and no more",
        lambda address: address[:60] + " " + address[60:],
        lambda address: address[:60] + "\n" + address[60:90] + "\n" + address[90:],
    ],
)
async def test_an_address_is_understood_as_people_paste_it(paste, sim, store, change):
    status, told = await paste("--paste", change=change)
    assert (status, "tries" in told) == (0, False), told
    assert store.load().refresh_token == sim.authority.login.refresh_token


def cut(address):
    return address[: address.index("&state=")]


async def test_an_address_that_was_cut_short_is_named_as_that(paste, store):
    status, told = await paste("--paste", change=cut)
    assert (status, "cut short" in told) == (65, True)
    assert store.load() is None


async def test_the_shell_offers_three_tries(paste, store):
    pasted = iter((lambda _address: "C0.barecode@", cut, lambda address: address))
    status, told = await paste("--paste", change=lambda address: next(pasted)(address))
    assert (status, store.load() is not None) == (0, True)
    assert told.index("not the whole") < told.index("2 more of 3") < told.index("cut short") < told.index("1 more of 3")


async def test_after_three_tries_the_last_reason_is_the_end(paste, sim, store):
    tries = 0

    def wrong(_address):
        nonlocal tries
        tries += 1
        return "C0.barecode@"

    status, told = await paste("--paste", change=wrong)
    assert (status, tries, "0 more" in told) == (65, 3, False)


async def test_a_code_that_was_used_already_says_what_to_do(paste, sim, store):
    sim.fail("token", Failure(400, {"error": "unsupported_token_type"}), times=3)
    status, told = await paste("--paste")
    assert (status, "codes live 30 seconds" in told, "SCHWAB_CALLBACK_URL" in told) == (77, True, True)
    assert store.load() is None


async def test_status_tells_of_the_login(command, logged_in):
    status, told = await command("token", "status")
    assert status == 0
    assert "access token: valid for 30 min" in told
    assert "(7.0 days)" in told


@pytest.mark.parametrize(("age_s", "words", "expected"), [(8 * 86400, "over since", 77), (None, "unknown age", 0)])
async def test_status_tells_of_an_old_and_of_an_unknown_login(command, store, age_s, words, expected):
    login_at = None if age_s is None else datetime.now(UTC) - timedelta(seconds=age_s)
    store.save(Token("a", "r", login_at=login_at))
    status, told = await command("token", "status")
    assert (status, words in told) == (expected, True)


@pytest.mark.parametrize(("span", "expected"), [("24h", 0), ("90m", 0), ("7d", 77), ("6d", 0)])
async def test_a_shell_asks_whether_the_login_lasts_long_enough(command, logged_in, span, expected):
    status, told = await command("token", "status", "--at-least", span)
    assert (status, "week: ends" in told) == (expected, True)


@pytest.mark.parametrize("span", ["24", "soon", "h", "1.5h", "-1h", "9999999d", "1w", "²h"])
def test_what_is_no_length_of_time_is_told_with_one_that_is(capsys, span):
    with pytest.raises(SystemExit):
        main(["token", "status", f"--at-least={span}"])
    assert f"--at-least: {span!r} is no length of time, such as 24h, 2d or 90m" in capsys.readouterr().err


async def test_without_a_login_every_command_says_how_to_get_one(command):
    for words in (("token", "status"), ("token", "refresh"), ("verify-refresh",), ("token", "export", "x.json")):
        status, told = await command(*words)
        assert status == 77
        assert "token login" in told


async def test_verify_refresh_proves_that_the_file_changed(command, store, logged_in, sim):
    before = store.load()
    status, told = await command("verify-refresh")
    assert status == 0
    assert "reads back the same" in told
    assert store.load().access_token != before.access_token
    assert (store.load().login_at, store.load().refresh_token) == (before.login_at, before.refresh_token)
    assert sim.authority.refreshes == 1
    assert before.access_token not in told


async def test_verify_refresh_sees_a_file_that_others_may_read(command, store, logged_in, monkeypatch):
    save = TokenStore.save

    def careless(self, token):
        save(self, token)
        self.path.chmod(0o644)

    monkeypatch.setattr(TokenStore, "save", careless)
    status, told = await command("verify-refresh")
    assert (status, "others may use the file" in told) == (74, True)


async def test_verify_refresh_sees_a_store_that_forgets(command, logged_in, monkeypatch):
    monkeypatch.setattr(TokenStore, "save", lambda _self, _token: None)
    status, told = await command("verify-refresh")
    assert status == 74
    assert "does not hold what Schwab returned" in told
    assert "was not replaced" in told


@pytest.mark.parametrize(
    ("failure", "expected"),
    [(Failure(503), 75), (Failure(403, FIREWALL_PAGE), 75), (Failure(200, {"ok": True}), 76)],
)
async def test_verify_refresh_has_a_status_for_each_kind_of_failure(
    command, store, logged_in, sim, *, failure, expected
):
    before = store.path.read_bytes()
    sim.fail("token", failure)
    assert (await command("verify-refresh"))[0] == expected
    assert store.path.read_bytes() == before


async def test_verify_refresh_of_a_dead_login(command, logged_in, sim):
    sim.authority.expire_login()
    status, told = await command("verify-refresh")
    assert (status, "another login has replaced it" in told) == (77, True)


async def test_an_imported_login_works_and_an_export_is_in_schwab_pys_shape(command, store, sim, home):
    document = sim.issue_token()
    (home / "theirs.json").write_text(json.dumps(document))
    status, told = await command("token", "import", "theirs.json")
    assert (status, "lasts until" in told) == (0, True)
    assert (await command("token", "refresh"))[0] == 0
    assert (await command("token", "export", "ours.json"))[0] == 0
    ours = json.loads((home / "ours.json").read_text())
    assert ours["creation_timestamp"] == document["creation_timestamp"]
    assert ours["token"]["refresh_token"] == document["token"]["refresh_token"]
    assert (home / "ours.json").stat().st_mode & 0o777 == 0o600
    status, told = await command("token", "export", "ours.json")
    assert (status, "exists already" in told) == (65, True)
    assert (await command("token", "export", "ours.json", "--force"))[0] == 0
    assert (await command("token", "export", ".env", "--force"))[0] == 78


async def test_a_login_of_the_environment_is_imported_with_its_age_unknown(command, store, sim, monkeypatch):
    monkeypatch.setenv("SCHWAB_RTOKEN", sim.issue_token()["token"]["refresh_token"])
    status, told = await command("token", "import", "--environment")
    assert (status, "age is unknown" in told) == (0, True)
    assert (await command("token", "refresh"))[0] == 0
    assert store.load().login_at is None
    status, told = await command("token", "export", "ours.json")
    assert (status, "schwab-py refuses" in told) == (65, True)


async def test_one_login_in_redis_is_taken_over_shown_renewed_handed_back_and_ended(  # noqa: PLR0917  # fixtures
    command, logged_in, store, sim, redis, redis_url, monkeypatch, home
):
    monkeypatch.setenv("SCHWAB_TOKEN_STORE", "redis")
    assert "REDIS_URL and SCHWAB_TOKEN_KEY" in (await command("token", "status"))[1]
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("SCHWAB_TOKEN_KEY", new_key())
    assert (await command("token", "status"))[0] == 77
    status, told = await command("token", "import", ".tokens/schwab_token.json")
    assert (status, "is now in Redis" in told) == (0, True)
    held = await redis.hget("gexcord:login:store", "sealed")
    assert logged_in["token"]["refresh_token"].encode() not in held
    assert (await command("verify-refresh"))[0] == 0
    assert (sim.authority.refreshes, await redis.hget("gexcord:login:store", "sealed") != held) == (1, True)
    assert "ok    login store: Redis" in (await command("token", "doctor"))[1]
    assert (await command("token", "export", "back.json"))[0] == 0
    document = json.loads((home / "back.json").read_text())
    assert document["creation_timestamp"] == logged_in["creation_timestamp"]
    assert (await command("token", "logout"))[0] == 0
    assert (await command("token", "status"))[0] == 77
    assert store.load().refresh_token == logged_in["token"]["refresh_token"]


async def test_import_wants_one_source(command):
    assert (await command("token", "import"))[0] == 65
    assert (await command("token", "import", "x.json", "--environment"))[0] == 65


async def test_the_key_of_a_foreign_file_is_asked_for(command, home, store, monkeypatch):
    key = new_key()
    monkeypatch.setenv("SCHWAB_TOKEN_KEY", key)
    TokenStore(home / "theirs.json", key=StreamSettings().schwab_token_key).save(Token("a", "r"))
    monkeypatch.delenv("SCHWAB_TOKEN_KEY")
    status, told = await command("token", "import", "theirs.json")
    assert (status, "is encrypted" in told) == (78, True)
    monkeypatch.setattr(sys, "stdin", io.StringIO(key + "\n"))
    assert (await command("token", "import", "theirs.json", "--ask-key"))[0] == 0
    assert store.load().refresh_token == "r"


async def test_with_a_key_the_next_refresh_encrypts_the_file(command, store, logged_in, monkeypatch):
    status, key = await command("token", "new-key")
    monkeypatch.setenv("SCHWAB_TOKEN_KEY", key.strip())
    assert status == 0
    assert "is not encrypted yet" in (await command("token", "doctor"))[1]
    assert store.path.read_bytes().startswith(b"enc:")
    assert (await command("verify-refresh"))[0] == 0
    monkeypatch.setenv("SCHWAB_TOKEN_KEY", new_key())
    status, told = await command("verify-refresh")
    assert (status, "another key" in told) == (78, True)
    monkeypatch.setenv("SCHWAB_TOKEN_KEY", "nonsense")
    status, told = await command("token", "status")
    assert (status, "SCHWAB_TOKEN_KEY is not valid" in told) == (78, True)
    assert (await command("token", "new-key"))[0] == 0


async def test_logout_deletes_the_file(command, store, logged_in):
    assert (await command("token", "logout"))[0] == 0
    assert not store.path.exists()
    status, told = await command("token", "logout")
    assert (status, "There was no login" in told) == (0, True)


async def test_without_an_app_the_file_can_be_looked_at_all_the_same(command, logged_in, monkeypatch):
    monkeypatch.delenv("SCHWAB_CLIENT_ID")
    assert (await command("token", "status"))[0] == 0
    status, told = await command("token", "refresh")
    assert (status, "SCHWAB_CLIENT_ID" in told) == (78, True)


async def test_the_doctor_finds_nothing_wrong_with_a_good_login(command, logged_in):
    status, told = await command("token", "doctor")
    assert (status, "Nothing is wrong here" in told) == (0, True), told
    for subject in ("callback", "token file", "clock", "login page", "app", "refresh", "trader product"):
        assert f"ok    {subject}:" in told
    assert "ok    market data product: answers." in told


@pytest.mark.parametrize(
    ("settings", "subject", "words", "expected"),
    [
        ({"SCHWAB_CLIENT_SECRET": "wrong"}, "app", "does not accept the app key or secret", 78),
        ({"SCHWAB_CLIENT_ID": "wrong"}, "login page", "does not accept the app key or secret", 78),
        ({"SCHWAB_CLIENT_ID": "'demo'"}, "settings", "has quotes or spaces in it", 78),
        ({"SCHWAB_CLIENT_ID": "", "SCHWAB_APPKEY": "demo"}, "settings", "SCHWAB_APPKEY has a value", 78),
        ({"SCHWAB_CALLBACK_URL": "https://127.0.0.1:9"}, "login page", "SCHWAB_CALLBACK_URL", 78),
        ({"SCHWAB_CALLBACK_URL": "https://127.0.0.1:8182,https://127.0.0.1"}, "callback", "more than one URL", 78),
        ({"SCHWAB_CALLBACK_URL": "https://127.0.0.1:8182, https://127.0.0.1"}, "callback", "more than one URL", 78),
        ({"SCHWAB_CALLBACK_URL": "https://127.0.0.1:99999"}, "callback", "impossible port or host", 78),
        ({"SCHWAB_CALLBACK_URL": "https://127.0.0.1:port"}, "callback", "impossible port or host", 78),
        ({"SCHWAB_API_URL": "http://127.0.0.1:9"}, "network", "cannot be reached", 75),
    ],
)
async def test_the_doctor_finds_what_is_wrong_with_the_settings(
    command, logged_in, monkeypatch, *, settings, subject, words, expected
):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    status, told = await command("token", "doctor")
    line = next(line for line in told.splitlines() if line.startswith(f"FAIL  {subject}:"))
    assert words in line
    assert status == expected


async def test_the_doctor_finds_a_missing_product(command, logged_in, sim):
    denied = Failure(401, {"errors": [{"status": 401, "title": "Unauthorized", "detail": "Client not authorized"}]})
    sim.fail("marketdata", denied, times=2)
    status, told = await command("token", "doctor")
    assert "ok    trader product:" in told
    assert "FAIL  market data product:" in told
    assert "Add both API products" in told
    assert status == 77


async def test_the_doctor_knows_the_firewalls_page(command, logged_in, sim):
    sim.fail("token", Failure(403, FIREWALL_PAGE))
    status, told = await command("token", "doctor")
    assert (status, "a page of its firewall" in told) == (75, True)


async def test_the_doctor_finds_a_dead_login(command, logged_in, sim):
    sim.authority.expire_login()
    status, told = await command("token", "doctor")
    assert "FAIL  refresh:" in told
    assert status == 77


async def test_a_callback_that_is_not_registered_can_be_rehearsed(command, logged_in, sim, monkeypatch, home):
    async with httpx.AsyncClient(base_url=sim.url) as http:
        for registered, found in (("https://bot.example/callback", True), (None, False)):
            order = {"order": "callback"} | ({} if registered is None else {"value": registered})
            await http.post("/sim/control", json=order)
            told = (await command("token", "doctor"))[1]
            assert ("FAIL  login page: The callback URL is not the one registered" in told) is found


async def test_the_doctor_finds_a_wrong_clock(command, logged_in, monkeypatch):
    class SlowClock(SystemClock):
        def now(self) -> datetime:
            return super().now() - timedelta(minutes=4)

    monkeypatch.setattr("streaming.commands.token.SystemClock", SlowClock)
    status, told = await command("token", "doctor")
    assert re.search(r"FAIL  clock: 2[34]\d s behind Schwab's\.", told)
    assert status == 70


async def test_the_doctor_sees_a_file_that_others_can_use(command, logged_in, store):
    store.path.chmod(0o640)
    store.path.parent.chmod(0o777)
    told = (await command("token", "doctor"))[1]
    assert "chmod 600" in told
    assert "chmod 700" in told


async def test_the_doctor_finds_a_login_of_another_program(command, home):
    (home / "tokens.json").write_text("{}")
    status, told = await command("token", "doctor")
    assert (status, "token import tokens.json" in told) == (77, True)


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("Whitelabel Error Page (type=Internal Server Error, status=500)", "Ready For Use"),
        ("We are unable to complete your request", "Ready For Use"),
        ("invalid redirect_uri", "SCHWAB_CALLBACK_URL"),
        ('{"error":"invalid_client"}', "SCHWAB_CLIENT_SECRET"),
        ("400 unsupported_token_type", "paste the address at once"),
        ("refresh_token_authentication_error", "Log in again"),
        ("Client not authorized", "Market Data Production"),
        ("<H1>Access Denied</H1>", "try again"),
        ("PermissionError: Permission denied: schwab_token.json", "chmod 600"),
        ("certificate is not yet valid", "timedatectl"),
        ("Your connection is not private", "--paste"),
        ("ERR_CONNECTION_REFUSED", "Copy the whole address"),
        ("Invalid Login ID or password", "brokerage account"),
    ],
)
async def test_messages_are_explained(command, message, remedy):
    status, told = await command("token", "explain", message)
    assert (status, remedy in told) == (0, True)


async def test_an_unknown_message_is_answered_with_what_is_known(command):
    status, told = await command("token", "explain", "zzz")
    assert (status, "callback" in told) == (65, True)


@pytest.mark.parametrize("callback", ["https://127.0.0.1:8182,https://127.0.0.1", "https://127.0.0.1:99999"])
@pytest.mark.parametrize("words", [("token", "login"), ("token", "login", "--paste")])
async def test_a_login_with_an_impossible_callback_is_one_sentence(command, monkeypatch, callback, words):
    monkeypatch.setenv("SCHWAB_CALLBACK_URL", callback)
    status, told = await command(*words)
    assert (status, "SCHWAB_CALLBACK_URL" in told, "Traceback" in told) == (78, True, False)


async def test_with_an_impossible_callback_the_doctor_asks_the_rest_all_the_same(command, logged_in, monkeypatch):
    monkeypatch.setenv("SCHWAB_CALLBACK_URL", "https://127.0.0.1:0x1")
    _, told = await command("token", "doctor")
    assert "FAIL  callback:" in told
    assert "ok    refresh:" in told


class OwedStore:
    """A shared place that takes the login at the third look, or never."""

    name = "Redis"

    def __init__(self, looks):
        self._looks = looks

    @property
    def owes(self):
        return self._looks > 0

    async def look(self):
        self._looks -= 1
        if self._looks == 1:
            raise TransientError("Redis is away.")


async def test_a_shell_stays_until_the_login_is_stored_that_would_end_with_it():
    said, clock = [], ManualClock()
    began_s = clock.monotonic()
    await wait_until_stored(OwedStore(3), clock, said.append)
    assert (clock.monotonic() - began_s, "Do not stop this command" in said[0]) == (3.0, True)
    with pytest.raises(TransientError, match="ends with this command"):
        await wait_until_stored(OwedStore(1000), clock, said.append)
    assert clock.monotonic() - began_s < 310
