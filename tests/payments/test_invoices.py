"""Invoices: never above what was kept, taken back to the fen, taxed in integers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Conflict, Invalid
from city.identifiers import BillId, OperatorId
from city.money import Money
from payments.rules.invoices import (
    Buyer,
    Colour,
    Invoice,
    InvoiceState,
    Paid,
    ask_blue,
    ask_reds,
    invoiced_minor,
    tax_minor,
)

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
BUYER = Buyer("临江市测试有限公司", "91310000MA1FL7AB2C")


def paid(minor: int, nature: str = "commercial") -> Paid:
    return Paid(BillId(UUID(int=1)), nature, OperatorId(UUID(int=2)), Money(minor, "CNY"))


def issued(paper: Invoice) -> Invoice:
    return replace(paper, state=InvoiceState.ISSUED, serial=paper.id.hex, issued_at=NOW)


@given(st.lists(st.tuples(st.integers(1, 5_000), st.integers(0, 100)), max_size=6))
def test_what_stands_invoiced_is_what_was_kept_after_any_payments_and_refunds(
    story: list[tuple[int, int]],
) -> None:
    kept, papers = 0, list[Invoice]()
    for more_minor, back_percent in story:
        kept += more_minor
        papers.append(issued(ask_blue(paid(kept), papers, BUYER, NOW)))
        assert invoiced_minor(papers) == kept
        kept -= kept * back_percent // 100
        papers += [issued(each) for each in ask_reds(paid(kept), papers, NOW)]
        assert invoiced_minor(papers) == kept
        assert ask_reds(paid(kept), papers, NOW) == []
        for blue in (each for each in papers if each.colour is Colour.BLUE):
            reds = [each for each in papers if each.of == blue.id]
            assert sum(each.amount.minor for each in reds) <= blue.amount.minor
            if sum(each.amount.minor for each in reds) == blue.amount.minor:
                assert sum(each.tax.minor for each in reds) == blue.tax.minor


def test_parking_s_tax_is_inside_the_fee() -> None:
    assert [tax_minor(minor, 900) for minor in (600, 1090, 1, 0)] == [50, 90, 0, 0]
    assert tax_minor(1050, 500) == 50


def test_public_revenue_gets_a_receipt_without_tax() -> None:
    receipt = ask_blue(paid(600, "public_non_tax"), [], Buyer("张三"), NOW)
    assert (receipt.kind.value, receipt.tax.minor, receipt.rate_bp) == ("fiscal", 0, 0)
    with pytest.raises(Invalid):
        ask_blue(paid(600, "gift"), [], BUYER, NOW)


def test_nothing_is_invoiced_twice_or_unpaid_and_nobody_without_a_name() -> None:
    blue = ask_blue(paid(600), [], BUYER, NOW)
    for kept, papers in ((600, [blue]), (0, []), (-1, [])):
        with pytest.raises(Conflict):
            ask_blue(paid(kept), papers, BUYER, NOW)
    for title, tax_no in ((" ", ""), ("x" * 101, ""), ("某公司", "91310000MA1FL7AB2I")):
        with pytest.raises(Invalid):
            Buyer(title, tax_no)


def test_a_paper_that_is_not_issued_yet_is_not_taken_back() -> None:
    blue = ask_blue(paid(600), [], BUYER, NOW)
    assert ask_reds(paid(400), [blue], NOW) == []
    (red,) = ask_reds(paid(400), [issued(blue)], NOW)
    assert (red.amount.minor, red.of, red.buyer) == (200, blue.id, BUYER)
