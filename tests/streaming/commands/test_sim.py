import argparse
import asyncio
import json
import re
import signal
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from streaming.calendar import NEW_YORK
from streaming.commands.cli import main
from streaming.commands.sim import APP_KEY, APP_SECRET, build, register
from streaming.errors import RequestError
from streaming.sim.control import ORDERS
from streaming.sim.prices.hours import simulated_start
from streaming.sim.stream.codes import Limits
from streaming.sim.stream.odd_frames import ODDITIES
from streaming.sim.world.faults import SWITCHES
from tests.data_builders.chains import made

ROOT = Path(__file__).resolve().parents[3]
SPEC = (ROOT / "specs" / "simulator.md").read_text()
SUNDAY = datetime(2026, 11, 22, 13, tzinfo=UTC)


def test_a_market_of_its_own_begins_at_half_past_ten_of_a_session():
    clock, market = build(chain=None, seed=1, always_open=False, now=SUNDAY)
    start = datetime(2026, 11, 23, 10, 30, tzinfo=NEW_YORK)
    assert simulated_start(SUNDAY) == start
    assert timedelta(0) <= clock.now() - start < timedelta(seconds=30)
    assert market.is_open


def test_a_market_that_is_always_open_runs_in_real_time():
    clock, market = build(chain=None, seed=1, always_open=True, now=SUNDAY)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)
    assert market.is_open


def test_a_chains_market_begins_at_its_quote_time(tmp_path):
    chain = made("spx_intraday.csv").write(tmp_path / "chain.csv")
    clock, market = build(chain=chain, seed=1, always_open=False, now=SUNDAY)
    assert abs(clock.now() - market.now) < timedelta(seconds=30)
    assert market.now.date().isoformat() == "2023-06-09"


def test_a_file_that_is_no_chain_is_refused_with_its_name(tmp_path, capsys):
    path = tmp_path / "nothing.json"
    path.write_text("{}")
    with pytest.raises(RequestError):
        build(chain=path, seed=1, always_open=False, now=SUNDAY)
    assert main(["sim", "--chain", str(path)]) == RequestError.exit_status
    assert "nothing.json" in capsys.readouterr().err


def test_the_parser_knows_the_options():
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    arguments = parser.parse_args(
        ["sim", "--port", "9", "--seed", "2", "--chain", "x.json", "--always-open", "--shares", "3000"]
    )
    assert (arguments.port, arguments.seed, arguments.chain, arguments.always_open) == (9, 2, Path("x.json"), True)
    assert arguments.shares == 3000
    for wrong in ("-1", "17577", "many"):
        with pytest.raises(SystemExit):
            parser.parse_args(["sim", "--shares", wrong])


def test_key_and_secret_have_lengths_that_other_clients_accept():
    assert (len(APP_KEY), len(APP_SECRET)) == (32, 16)


async def test_the_process_serves_until_it_is_interrupted():
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streaming", "sim"), cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(60.0):
            lines = [(await process.stderr.readline()).decode() for _ in range(3)]
            url = re.match(r"Simulated Schwab: (http://\S+)", lines[0])[1]
            async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
                token = (await http.post("/sim/control", json={"order": "token"})).json()["result"]
                headers = {"Authorization": f"Bearer {token['token']['access_token']}"}
                assert (await http.get("/trader/v1/userPreference", headers=headers)).status_code == 200
            assert abs(token["creation_timestamp"] - datetime.now(UTC).timestamp()) < 30
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 130
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert f"SCHWAB_API_URL={url} SCHWAB_CLIENT_ID={APP_KEY} SCHWAB_CLIENT_SECRET={APP_SECRET}" in lines[1]


# the specification


def first_column(heading: str) -> list[str]:
    table = SPEC.split(heading, 1)[1].lstrip().split("\n\n")[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def test_the_specification_lists_every_order_as_the_simulator_does():
    for name, order in ORDERS.items():
        assert f"| `{name}` | {order.takes} | {order.does} |" in SPEC


def test_the_specification_lists_every_fault_and_limit():
    faults = first_column("Faults of `set`:")
    ordered = {"unavailable", "bad_keys", "odd", "chains", "expirations", "refused_logins", "fragment", "partial"}
    assert set(faults) == {*SWITCHES, *ordered}
    assert all(f"`{name}`" in SPEC for name in ODDITIES)
    assert first_column("in seconds unless named otherwise:") == list(asdict(Limits()))
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", SPEC, re.MULTILINE))
    assert {name: float(value) for name, value in rows.items()} == asdict(Limits())


def test_the_examples_of_orders_are_json():
    examples = re.findall(r"`(\{\"order\".*?\})`", SPEC)
    assert len(examples) >= 5
    assert all(json.loads(example)["order"] in ORDERS for example in examples)
