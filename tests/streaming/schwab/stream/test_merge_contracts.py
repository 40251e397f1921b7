import pytest

from streaming.schwab.stream.merge import FuturesContracts, names_a_contract


@pytest.mark.parametrize(("symbol", "answer"), [("/ESZ26", True), ("/MNQH26", True), ("/ES", False), ("/M2K", False)])
def test_a_contract_names_its_month_and_year(symbol, answer):
    assert names_a_contract(symbol) is answer


def test_a_root_stands_for_what_schwab_says_and_a_change_is_a_roll():
    contracts = FuturesContracts()
    assert contracts.behind("/ES") is None
    assert not contracts.learn("/ES", "/ESU26")
    assert not contracts.learn("/ES", "/ESU26")
    assert contracts.behind("/ES") == "/ESU26"
    assert contracts.learn("/ES", "/ESZ26")
    assert dict(contracts.active) == {"/ES": "/ESZ26"}


def test_a_named_contract_stands_for_itself_whatever_is_active():
    contracts = FuturesContracts()
    assert not contracts.learn("/ESU26", "/ESZ26")
    assert contracts.behind("/ESU26") == "/ESU26"
