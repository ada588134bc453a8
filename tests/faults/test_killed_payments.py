"""`kill -9` of whatever a payment goes through: no fen is lost, none is taken twice.

A short run of `bench.payment_faults`, which pays 100 000 bills.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.paying_ordeal import KINDS, PaymentOutcome, endure_payments

if TYPE_CHECKING:
    from tests.faults.channel_gateway import ChannelGateway
    from tests.faults.installation import Installation

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

BILLS, KILLS, PAYERS, SEED = 80, 6, 6, 20260302


@pytest.fixture(scope="module")
def paid(installation: Installation, gateway: ChannelGateway) -> PaymentOutcome:
    """Pay bills while each kind of process is killed once."""
    if not installation.running:
        installation.start()
    return endure_payments(installation, gateway, BILLS, KILLS, PAYERS, SEED)


def test_every_kind_of_process_that_a_payment_goes_through_was_killed(paid: PaymentOutcome) -> None:
    assert set(paid.kills) == set(KINDS)


def test_everybody_was_answered_in_the_end(paid: PaymentOutcome) -> None:
    assert (paid.done, paid.strange) == (BILLS, [])


def test_channels_told_us_of_each_payment_three_times_and_oftener(paid: PaymentOutcome) -> None:
    assert paid.notifications["sent"] > 3 * paid.books.counts["paid_orders"]


def test_no_order_and_no_refund_stays_without_an_end(paid: PaymentOutcome) -> None:
    assert paid.books.unended == []


def test_the_channels_hold_what_our_orders_say(paid: PaymentOutcome) -> None:
    assert paid.books.differing == []


def test_every_bill_is_paid_once_whoever_paid_it_twice(paid: PaymentOutcome) -> None:
    assert paid.books.wrong_bills == []
    assert paid.books.counts["surplus_orders"] > 0


def test_what_was_put_onto_cards_is_there_or_paid_a_bill(paid: PaymentOutcome) -> None:
    assert paid.books.wrong_cards == []
    assert paid.books.counts["top_ups"] > 1


def test_every_account_holds_what_the_facts_add_up_to(paid: PaymentOutcome) -> None:
    assert (paid.books.accounts, paid.books.unbalanced) == ([], 0)
    assert paid.books.counts["accounts"] > 10
