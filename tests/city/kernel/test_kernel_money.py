from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from city.errors import Invalid
from city.money import Money, minor_digits

AMOUNTS = st.integers(-(10**15), 10**15)
CNY = AMOUNTS.map(lambda minor: Money(minor, "CNY"))
CURRENCIES = st.sampled_from(["CNY", "EUR", "JPY", "KWD", "CLF"])
MONEY = st.builds(Money, AMOUNTS, CURRENCIES)


@given(CNY, CNY, CNY)
def test_adding_is_associative_and_commutative_and_zero_changes_nothing(
    a: Money, b: Money, c: Money
) -> None:
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + Money.zero("CNY") == a


@given(CNY, CNY)
def test_taking_away_what_was_added_gives_the_same_again(a: Money, b: Money) -> None:
    assert a + b - b == a
    assert a - a == Money.zero("CNY")
    assert a + -a == Money.zero("CNY")


@given(CNY, st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_multiplying_distributes_over_adding(a: Money, m: int, n: int) -> None:
    assert a * m + a * n == a * (m + n)
    assert 3 * a == a + a + a


@given(st.lists(CNY))
def test_a_total_is_the_sum_of_its_parts(amounts: list[Money]) -> None:
    assert Money.total(amounts, "CNY").minor == sum(amount.minor for amount in amounts)


@given(CNY, CNY)
def test_ordering_follows_the_amounts(a: Money, b: Money) -> None:
    assert (a < b) == (a.minor < b.minor)
    assert (a <= b) == (not b < a)
    assert (a > b) == (b < a)
    assert (a >= b) == (b <= a)


@given(MONEY)
def test_money_comes_back_from_json_and_from_decimal_text(money: Money) -> None:
    assert Money.from_json(money.as_json()) == money
    assert Money.from_decimal(money.decimal(), money.currency) == money


def test_two_currencies_never_mix() -> None:
    yuan, yen = Money(250, "CNY"), Money(250, "JPY")

    assert yuan != yen
    for mixing in (
        lambda: yuan + yen,
        lambda: yuan - yen,
        lambda: yuan < yen,
        lambda: yuan <= yen,
        lambda: yuan > yen,
        lambda: yuan >= yen,
        lambda: Money.total([yuan, yen], "CNY"),
    ):
        with pytest.raises(Invalid, match="do not mix"):
            mixing()


@pytest.mark.parametrize("minor", [2.5, 2.0, True, "2", None])
def test_an_amount_is_a_whole_number_and_nothing_else(minor: Any) -> None:
    with pytest.raises(Invalid) as caught:
        Money(minor, "CNY")

    assert caught.value.field == "minor"


@pytest.mark.parametrize("times", [1.5, True])
def test_money_is_multiplied_by_whole_numbers_only(times: Any) -> None:
    with pytest.raises(Invalid):
        Money(250, "CNY") * times


@pytest.mark.parametrize("currency", ["", "cny", "XXX", "RMB"])
def test_only_currencies_of_iso_4217_exist(currency: str) -> None:
    with pytest.raises(Invalid):
        Money(1, currency)


def test_currencies_know_their_decimals() -> None:
    digits = {code: minor_digits(code) for code in ("CNY", "EUR", "JPY", "KRW", "KWD", "CLF")}

    assert digits == {"CNY": 2, "EUR": 2, "JPY": 0, "KRW": 0, "KWD": 3, "CLF": 4}


@pytest.mark.parametrize(
    ("money", "zh", "en"),
    [
        (Money(250, "CNY"), "¥2.50", "¥2.50"),
        (Money(5, "CNY"), "¥0.05", "¥0.05"),
        (Money(0, "CNY"), "¥0.00", "¥0.00"),
        (Money(-123_456_789, "CNY"), "−¥1,234,567.89", "−¥1,234,567.89"),
        (Money(1250, "USD"), "US$12.50", "$12.50"),
        (Money(1500, "JPY"), "JP¥1,500", "JP¥1,500"),
        (Money(1234, "SEK"), "SEK\u00a012.34", "SEK\u00a012.34"),
    ],
)
def test_money_is_written_for_people(money: Money, zh: str, en: str) -> None:
    assert (money.text("zh"), money.text("en")) == (zh, en)


def test_money_has_no_text_in_a_language_without_a_catalogue() -> None:
    with pytest.raises(Invalid):
        Money(1, "CNY").text("fr")


@pytest.mark.parametrize(
    ("text", "minor"), [("12.5", 1250), ("12", 1200), ("-0.05", -5), ("0.00", 0), ("007.10", 710)]
)
def test_a_decimal_amount_is_read_exactly(text: str, minor: int) -> None:
    assert Money.from_decimal(text, "CNY") == Money(minor, "CNY")


@pytest.mark.parametrize("text", ["", "1.234", "1e3", "1,000", "+1", " 1", "1.", ".5", "NaN", "１"])
def test_anything_but_an_exact_decimal_amount_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        Money.from_decimal(text, "CNY", "total_amount")


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (None, "tendered"),
        ([], "tendered"),
        ({"minor": 2.5, "currency": "CNY"}, "tendered.minor"),
        ({"minor": True, "currency": "CNY"}, "tendered.minor"),
        ({"minor": 1}, "tendered.currency"),
        ({"minor": 1, "currency": "cny"}, "tendered.currency"),
    ],
)
def test_malformed_money_is_refused_by_the_member_at_fault(value: JsonValue, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        Money.from_json(value, "tendered")

    assert caught.value.field == field


def test_nothing_is_false_and_anything_else_is_true() -> None:
    assert not Money.zero("CNY")
    assert Money(-1, "CNY")
