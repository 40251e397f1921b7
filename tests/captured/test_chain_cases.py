"""Files of the kinds that people meet: the control's figures, or the sentence that helps."""

from pathlib import Path

import pytest

from streaming.chains.files.chain_files import load_chain
from streaming.commands.gex import chain_report
from streaming.errors import RequestError
from streaming.model import ChainQuality
from tests.support.captured import CAPTURED

CASES = CAPTURED.parent / "cases" / "gex"
OF_THE_CONTROL = {
    "01_control.csv": ChainQuality(),
    "02_control.json": ChainQuality(),
    "03_schwab.json": ChainQuality(),
    "05_utf16.csv": ChainQuality(),
    "13_semicolon.csv": ChainQuality(),
    "15_es_locale.csv": ChainQuality(),
    "16_engb_locale.csv": ChainQuality(),
    "17_cest.csv": ChainQuality(),
    "22b.zip": ChainQuality(),
    "25_era2019.dat": ChainQuality(),
    "32b_percent.csv": ChainQuality(iv_in_percent=True),
    "40_dup.json": ChainQuality(doubled=130),
    "44_offset-04.json": ChainQuality(),
}


@pytest.fixture
def cases() -> Path:
    if not CASES.is_dir():
        pytest.skip("the cases do not lie beside the project")
    return CASES


@pytest.mark.parametrize("name", OF_THE_CONTROL)
def test_the_same_chain_has_the_same_figures_in_every_shape(cases: Path, name: str):
    chain = load_chain(cases / name)
    assert chain.quality == OF_THE_CONTROL[name]
    report = chain_report(chain, scopes=("full",))
    figures = report["scopes"]["full"]["oi"]
    assert report["asof"] == "2024-06-03T12:00:00-04:00"
    assert figures["net_gex_usd_per_1pct"] / 1e9 == pytest.approx(2.15035, abs=0.01)
    assert figures["zero_gamma"] == pytest.approx(4982.14, abs=0.2)
    assert (figures["major_pos"], figures["major_neg"]) == (5000.0, 4850.0)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("19_html.csv", "a web page titled 'Access denied'"), ("57b.json", r"None of its 52 contracts \(NANOS\)")],
)
def test_what_is_no_chain_is_refused(cases: Path, name: str, sentence: str):
    with pytest.raises(RequestError, match=sentence):
        load_chain(cases / name)


@pytest.mark.parametrize(
    ("name", "quality"),
    [
        ("20c_trunc.csv", ChainQuality(cut_off=True)),
        ("30b.json", ChainQuality(spot_implied=True)),
        ("36c.json", ChainQuality(calls_without_interest=1.0)),
        ("41_BRK.B.json", ChainQuality()),
    ],
)
def test_what_is_missing_is_told(cases: Path, name: str, quality: ChainQuality):
    chain = load_chain(cases / name)
    assert chain.quality == quality
    assert chain_report(chain)["scopes"]["full"]["oi"]["net_gex_usd_per_1pct"] is not None


def test_a_morning_settled_expiry_is_gone_at_noon(cases: Path):
    report = chain_report(load_chain(cases / "55b.json"))
    assert report["scopes"]["zero"]["expiries"] == ("2024-06-18",)


def test_the_last_seconds_are_called_closing(cases: Path):
    assert chain_report(load_chain(cases / "53.json"))["state"] == "closing"
