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

MESSAGE = re.compile(
    r"error|[Dd]enied|[Rr]oute|Body|succeeded|\b[Nn]ot |FAILED|Truncated|invalid|slowness|Unauthorized|unable|expired"
)


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
    prose = re.sub(r"```.*?```", "", WIRE, flags=re.DOTALL)
    code = r"`([^`\n]+)`"
    quoted = re.findall(code, prose) + re.findall(r'"([^"\n]+)"', re.sub(code, "", prose))
    messages = {words for words in quoted if MESSAGE.search(words)} - {"error", "error_description"}
    assert len(messages) > 15
    assert [words for words in sorted(messages) if not explain(words)] == []


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ('{"key":"/XX","1":"Symbol not found"}', "unknown symbol"),
        ('{"errors":{"invalidSymbols":["ZZZZ"]}}', "unknown symbol"),
        ('{"symbol":"ZZZZ","status": "FAILED"}', "no chain"),
        ('{"isChainTruncated":true}', "answer too big"),
        ("KeyError: 'streamerInfo'", "product missing"),
        ("slowness", "stream code 30"),
        ("HTTP 401", "unauthorized"),
        ('{"errors":[{"status":401,"title":"Unauthorized"}]}', "unauthorized"),
        ('{"errors":[{"status":401,"title":"Unauthorized","detail":"Client not authorized"}]}', "product missing"),
        ('{"error":"invalid_client","error_description":"Unauthorized"}', "app key or secret"),
    ],
)
def test_what_schwab_answers_is_explained_by_its_nearest_cause(words, name):
    assert [symptom.name for symptom in explain(words)] == [name]


def test_a_good_answer_is_no_symptom():
    answers = re.findall(r"```json\n(.*?)```", section("2.1 Where and as whom") + section("3.1 `/chains`"), re.DOTALL)
    assert [explain(answer) for answer in answers] == [(), ()]


def test_one_code_is_no_beginning_of_another():
    assert [found.name for found in explain("code 30")] == ["stream code 30"]
    assert [found.name for found in explain("code 3")] == ["stream code 3"]
