"""Sums in capital numerals: hand-written ones, and read back to what they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Invalid
from city.money import Money
from payments.rules.capitals import DIGITS, in_capitals

VALUES = {"拾": 10, "佰": 100, "仟": 1000, "万": 10**4, "亿": 10**8}


@pytest.mark.parametrize(
    ("minor", "text"),
    [
        (0, "零元整"),
        (5, "伍分"),
        (50, "伍角整"),
        (105, "壹元零伍分"),
        (600, "陆元整"),
        (1250, "壹拾贰元伍角整"),
        (10_005, "壹佰元零伍分"),
        (168_032, "壹仟陆佰捌拾元叁角贰分"),
        (10_700_053, "壹拾万柒仟元伍角叁分"),
        (600_714, "陆仟零柒元壹角肆分"),
        (100_000_000_500, "壹拾亿零伍元整"),
    ],
)
def test_sums_are_written_as_the_rules_of_payment_show(minor: int, text: str) -> None:
    assert in_capitals(Money(minor, "CNY")) == text


def read(text: str) -> int:
    """Read capitals back: what stands before a larger unit is multiplied by it."""
    total = section = digit = 0
    for each in text:
        if each in DIGITS:
            digit = DIGITS.index(each)
        elif VALUES[each] >= 10**4:
            total += (section + digit) * VALUES[each]
            section = digit = 0
        else:
            section += digit * VALUES[each]
            digit = 0
    return total + section + digit


@given(st.integers(0, 10**14 - 1))
def test_a_sum_can_be_read_back(minor: int) -> None:
    text = in_capitals(Money(minor, "CNY"))
    yuan, _, rest = text.rpartition("元")
    jiao, _, fen = rest.removesuffix("整").rpartition("角")
    found = read(yuan) * 100 + read(jiao.strip("零")) * 10 + read(fen.removesuffix("分"))
    assert found == minor
    assert "零零" not in text


@pytest.mark.parametrize("amount", [Money(-1, "CNY"), Money(1, "EUR"), Money(10**14, "CNY")])
def test_other_sums_have_none(amount: Money) -> None:
    with pytest.raises(Invalid):
        in_capitals(amount)
