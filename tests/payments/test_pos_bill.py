"""An acquirer's bill of POS terminals: read row by row, and held against ours by its references."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Invalid
from city.money import Money
from payments.rules.channel_bills import pos
from payments.rules.channel_bills.lines import Bill, BillLine, LineKind
from payments.rules.differences import DifferenceKind, Record
from payments.rules.pos.naming import named_by_us
from payments.rules.reconciliation import reconcile

if TYPE_CHECKING:
    import random

DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
MERCHANT = "898330154110001"


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def sale(number: int, minor: int = 900) -> tuple[Record, BillLine]:
    reference = f"RRN{number:09d}"
    ours = Record(
        LineKind.PAYMENT, f"order{number}", cny(minor), NOON, MERCHANT, channel_no=reference
    )
    theirs = BillLine(LineKind.PAYMENT, reference, reference, cny(minor), cny(5), NOON, MERCHANT)
    return ours, theirs


def back(
    number: int, part: int, minor: int, kind: LineKind = LineKind.REFUND
) -> tuple[Record, BillLine]:
    """Give what went back of a sale: ours by our number, theirs by its own reference."""
    reference = f"RRN{number:09d}"
    ours = Record(
        kind, f"order{number}", cny(minor), NOON, MERCHANT, channel_no=reference,
        refund_no=f"refund{number}x{part}",
    )  # fmt: skip
    own = f"RRN{500_000_000 + number * 100 + part}"
    theirs = BillLine(
        kind, reference, reference, cny(minor), cny(0), NOON, MERCHANT,
        refund_no=own, channel_refund_no=own,
    )  # fmt: skip
    return ours, theirs


def held(pairs: list[tuple[Record, BillLine]]) -> list[tuple[DifferenceKind, str]]:
    ours = [each for each, _ in pairs]
    bill = Bill(tuple(each for _, each in pairs), (), None)
    found = reconcile(ours, named_by_us(bill, ours), DAY)
    return [(each.kind, each.order_no) for each in found.differences]


@given(
    st.lists(
        st.tuples(
            st.integers(1, 10_000_000),
            st.lists(st.integers(1, 1000), max_size=3),
            st.booleans(),
        ),
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_a_day_that_both_sides_hold_alike_shows_no_difference_in_any_order(
    sales: list[tuple[int, list[int], bool]], shuffled: random.Random
) -> None:
    pairs = []
    for number, (minor, parts, void) in enumerate(sales):
        pairs.append(sale(number, minor))
        if void:
            pairs.append(back(number, 0, minor, LineKind.VOID))
        else:
            pairs += [back(number, part, each) for part, each in enumerate(parts)]
    ours = [each for each, _ in pairs]
    theirs = [each for _, each in pairs]
    shuffled.shuffle(theirs)
    read = pos.read_trade(pos.write_trade(theirs))
    assert (read.complete, read.lines) == (True, tuple(theirs))
    shuffled.shuffle(ours)
    assert reconcile(ours, named_by_us(read, ours), DAY).differences == ()


def test_each_thing_that_differs_is_found_under_our_number() -> None:
    agreed = [sale(1), back(1, 0, 300), back(1, 1, 200), sale(2), back(2, 0, 900, LineKind.VOID)]
    assert held(agreed) == []
    stray, missing = sale(3), sale(4)
    ours = [each for each, _ in agreed] + [missing[0]]
    bill = Bill((*(each for _, each in agreed), stray[1]), (), None)
    found = reconcile(ours, named_by_us(bill, ours), DAY)
    assert [(each.kind, each.order_no) for each in found.differences] == [
        (DifferenceKind.THEIRS_ONLY, "RRN000000003"),
        (DifferenceKind.OURS_ONLY, "order4"),
    ]
    # Another amount went back; a refund that nobody here knows of; the same row twice.
    ours_back, theirs_back = back(1, 0, 300)
    other = replace(theirs_back, amount=cny(350))
    assert held([sale(1), (ours_back, other)]) == [(DifferenceKind.AMOUNT, "order1")]
    pair, unknown = sale(1), back(1, 0, 300)[1]
    bill = Bill((pair[1], unknown), (), None)
    (one,) = reconcile([pair[0]], named_by_us(bill, [pair[0]]), DAY).differences
    assert (one.kind, one.order_no) == (DifferenceKind.REFUND_THEIRS_ONLY, "order1")
    twice = Bill((pair[1], pair[1]), (), None)
    (again,) = reconcile([pair[0]], named_by_us(twice, [pair[0]]), DAY).differences
    assert again.kind is DifferenceKind.DUPLICATE


def test_a_void_that_carried_an_agreed_refund_out_is_that_refund() -> None:
    ours, _ = back(1, 0, 900)
    _, theirs = back(1, 0, 900, LineKind.VOID)
    assert held([sale(1), (ours, theirs)]) == []


HEAD = ",".join(pos.COLUMNS)
GOOD = f"{MERCHANT},GB000001,000001,000012,sale,RRN000000001,,9.00,0.05,2026-03-02 12:00:00"


def file(*rows: str, total: str = "total,1,9.00,0.00") -> bytes:
    return "\n".join((HEAD, *rows, total, "")).encode()


def test_the_documented_example_is_read() -> None:
    bill = pos.read_trade(b"\xef\xbb\xbf" + file(GOOD).replace(b"\n", b"\r\n"))
    assert bill.complete
    assert bill.lines == (replace(sale(1)[1], fee=cny(5)),)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (GOOD.replace("sale", "gift"), "type"),
        (GOOD.replace("RRN000000001", "RRN1"), "reference"),
        (GOOD.replace(",9.00,", ",9.001,"), "amount"),
        (GOOD.replace(",9.00,", ",-9.00,"), "amount"),
        (GOOD.replace(",9.00,", ",0.00,"), "amount"),
        (GOOD.replace("2026-03-02", "2026-02-30"), "at"),
        (GOOD.replace("sale,RRN000000001,", "refund,RRN000000001,"), "original"),
        (GOOD.replace("RRN000000001,", "RRN000000001,RRN000000002"), "original"),
        (GOOD + ",6228480402564890018", "columns"),
        (GOOD.replace("GB000001", '"GB000001'), "quotes"),
        (GOOD.replace(MERCHANT, "1"), "merchant_no"),
    ],
)
def test_a_broken_row_is_named_and_the_rest_goes_on(wrong: str, field: str) -> None:
    bill = pos.read_trade(file(GOOD, wrong))
    assert (len(bill.lines), bill.complete) == (1, False)
    assert (bill.rejected[0].number, field in bill.rejected[0].reason) == (3, True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a,b\n",
        HEAD.encode(),
        file(GOOD, total=GOOD),
        file(GOOD, total="total,x,1,1"),
        b"\x1f\x8b",
    ],
)
def test_what_is_no_bill_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        pos.read_trade(content)


@given(st.binary(max_size=400))
def test_whatever_comes_is_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(Invalid):
        pos.read_trade(file() + content)
