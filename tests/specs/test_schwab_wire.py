"""specs/schwab-wire.md: its tables of fields are those that the client asks for and reads by."""

import re
from pathlib import Path

import pytest

from streaming.commands.login.symptoms import explain
from streaming.schwab.wire import fields
from streaming.schwab.wire.fields import Service
from streaming.sim.stream.codes import ServerCode

WIRE = (Path(__file__).resolve().parents[2] / "specs" / "schwab-wire.md").read_text()
NUMBERED = {
    Service.LEVELONE_EQUITIES: fields.EQUITIES,
    Service.LEVELONE_OPTIONS: fields.OPTIONS,
    Service.LEVELONE_FUTURES: fields.FUTURES,
}


def section(title):
    return WIRE.partition(f"{title}\n")[2].partition("\n##")[0]


@pytest.mark.parametrize("service", NUMBERED)
def test_the_table_of_a_service_has_every_field_at_its_number(service):
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", section(service), flags=re.MULTILINE)
    assert rows == [(str(number), name) for number, name in enumerate(NUMBERED[service])]


def test_bars_have_the_order_of_the_table():
    words = {"bar start, ms": "bar_ms", "days since 1970": "day"}
    rows = {
        cells[1].strip(): cells[2:-2] for line in section("2.13 Charts").splitlines() if (cells := line.split("|"))[1:]
    }
    for service, names in (
        ("`CHART_EQUITY` as sent (*seen*)", fields.CHART_EQUITY),
        ("`CHART_FUTURES`", fields.CHART_FUTURES),
    ):
        said = [words.get(cell.strip(), cell.strip()) for cell in rows[service] if cell.strip()]
        assert tuple(said) == names[1:]


def test_every_service_and_every_code_is_explained():
    assert [service for service in Service if service not in WIRE] == []
    listed = {
        int(code)
        for row in re.findall(r"^\| ([\d, ]+) \|", section("2.4 Codes"), re.MULTILINE)
        for code in row.split(",")
    }
    assert set(ServerCode) - listed == set()


def test_token_explain_knows_every_code_and_message_of_the_page():
    for row in re.findall(r"^\| ([\d, ]+) \| ([A-Z_, ]+) \|", section("2.4 Codes"), re.MULTILINE):
        codes, names = (tuple(map(str.strip, cell.split(","))) for cell in row)
        prefix = names[0].rpartition("_")[0]
        for name in (names[0], *(f"{prefix}_{name}" for name in names[1:])):
            assert name == "SUCCESS" or explain(name), name
        for code in codes:
            assert [found.name for found in explain(f'{{"code":{code},"msg":"x"}}')] != [], code
    for quoted in ("1.4 Refusals", "2.4 Codes", "3.7 Requests a minute"):
        for message in re.findall(r"`([^`]*(?:error|Denied|Route|route|Body|succeeded)[^`]*)`", section(quoted)):
            assert explain(message), message


def test_one_code_is_no_beginning_of_another():
    assert [found.name for found in explain("code 30")] == ["stream code 30"]
    assert [found.name for found in explain("code 3")] == ["stream code 3"]
