"""specs/schwab-wire.md: its tables of fields are those that the client asks for and reads by."""

import re
from pathlib import Path

import pytest

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
