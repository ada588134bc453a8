"""Differences put into a day at random, several into one order, are found exactly, in each format.

Each day is written as the channel's own file and read back before it is held against our record.
What a format does not say (Alipay no currency and no status) is not put into its files.
"""

from __future__ import annotations

import gzip
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from city.money import Money
from payments.rules.channel_bills import alipay, unionpay, wechat
from payments.rules.channel_bills.lines import BillLine, LineKind, LineStatus
from payments.rules.channel_bills.reading import read_bill
from payments.rules.channels import Channel
from payments.rules.differences import (
    DifferenceKind,
    Proposal,
    Record,
    Standing,
    effect_minor,
    shown,
)
from payments.rules.reconciliation import reconcile
from tests.payments.test_reconciliation import DAY, MERCHANT, cny, payment, refund

if TYPE_CHECKING:
    from random import Random

Kinds = DifferenceKind
ONLINE: Final = [Channel.WECHAT, Channel.ALIPAY, Channel.UNIONPAY]
DONE: Final = (Standing.DONE, LineStatus.DONE)
OURS_NOT: Final = [(Standing.OPEN, LineStatus.DONE), (Standing.FAILED, LineStatus.DONE)]
THEIRS_NOT: Final = [
    (Standing.DONE, LineStatus.FAILED),
    (Standing.DONE, LineStatus.PROCESSING),
    (Standing.OPEN, LineStatus.PROCESSING),
    (Standing.FAILED, LineStatus.FAILED),
]
PROPOSED: Final = {
    Kinds.OURS_ONLY: {Proposal.QUERY_THEN_REVERSE, Proposal.FETCH_AGAIN},
    Kinds.THEIRS_ONLY: {Proposal.BOOK_OR_REFUND},
    Kinds.REFUND_OURS_ONLY: {Proposal.ASK_REFUND_AGAIN, Proposal.FETCH_AGAIN},
    Kinds.REFUND_THEIRS_ONLY: {Proposal.BOOK_REFUND},
    Kinds.AMOUNT: {Proposal.ADJUST_AMOUNT},
    Kinds.CURRENCY: {Proposal.CLAIM_ROW},
    Kinds.FEE: {Proposal.ADJUST_FEE},
    Kinds.STATUS: {Proposal.SETTLE, Proposal.REOPEN},
    Kinds.DUPLICATE: {Proposal.DROP_OURS, Proposal.CLAIM_ROW, Proposal.REFUND_SECOND},
    Kinds.DAY_BOUNDARY: {Proposal.MOVE_DAY},
    Kinds.MERCHANT: {Proposal.CHECK_ACCOUNT},
    Kinds.NUMBER: {Proposal.ADJUST_AMOUNT},
    Kinds.TOTALS: {Proposal.CLAIM_ROW},
}


@dataclass(frozen=True)
class Told:
    """What is done to one payment, refund or void; all of it at once.

    `copies` are rows written again, `captures` money taken again under the number, `doubles` ours
    written again, `retried` a failed try of ours under the number: no difference. `no_fee`,
    `no_number` and `no_merchant` are what we never recorded: nothing is compared with it.
    """

    kind: LineKind
    minor: int
    side: str = "both"
    value: str = "same"
    states: tuple[Standing, LineStatus] = DONE
    merchant: bool = False
    number: bool = False
    day: bool = False
    copies: int = 0
    captures: int = 0
    doubles: int = 0
    retried: bool = False
    no_fee: bool = False
    no_number: bool = False
    no_merchant: bool = False


@st.composite
def told(draw: st.DrawFn, channel: Channel, kind: LineKind) -> Told:
    """Draw what a channel's bill can say."""
    yes = st.sampled_from([False, False, False, True])
    few = st.sampled_from([0, 0, 0, 0, 1, 2])
    written_as_refund = channel is Channel.ALIPAY and kind is LineKind.VOID
    values = ["same", "same", "same", "fee"]
    # A void that is written as a refund under another number is known by its amount.
    values += [] if written_as_refund else ["amount"]
    values += ["currency"] if channel is Channel.WECHAT else []
    states = [DONE, DONE, DONE, *OURS_NOT]
    if channel is Channel.WECHAT and kind is not LineKind.PAYMENT:
        states += THEIRS_NOT
    return Told(
        kind,
        draw(st.integers(1_000, 100_000)),
        draw(st.sampled_from(["both", "both", "both", "ours", "theirs"])),
        draw(st.sampled_from(values)),
        draw(st.sampled_from(states)),
        merchant=channel is not Channel.ALIPAY and draw(yes),
        number=draw(yes),
        day=draw(yes),
        copies=draw(few),
        captures=0 if written_as_refund else draw(few),
        doubles=draw(few),
        retried=draw(yes),
        no_fee=draw(yes),
        no_number=draw(yes),
        no_merchant=draw(yes),
    )


@st.composite
def days(draw: st.DrawFn, channel: Channel) -> list[list[Told]]:
    """Draw orders: each a payment, and a void or some refunds of it."""
    orders = []
    for _ in range(draw(st.integers(0, 8))):
        backs = draw(st.sampled_from([[], [LineKind.VOID], [LineKind.REFUND] * 2]))
        kinds = [LineKind.PAYMENT, *backs]
        orders.append([draw(told(channel, kind)) for kind in kinds])
    return orders


def both_of(each: Told, order: int, place: int) -> tuple[Record, BillLine]:
    """Give both sides as they agree."""
    if each.kind is LineKind.PAYMENT:
        return payment(order, each.minor)
    ours, theirs = refund(order, each.minor, void=each.kind is LineKind.VOID)
    back, channels_own = f"BACK{order:04}{place}", f"503{order:04}{place}"
    return (
        replace(ours, refund_no=back),
        replace(theirs, refund_no=back, channel_refund_no=channels_own),
    )


def sides_of(each: Told, order: int, place: int) -> tuple[list[Record], list[BillLine]]:
    """Give both sides with all that is done to them."""
    ours, theirs = both_of(each, order, place)
    standing, status = each.states
    ours = replace(
        ours,
        standing=standing,
        channel_no="" if each.no_number else "1" if each.number else ours.channel_no,
        merchant="" if each.no_merchant else ours.merchant,
        fee=None if each.no_fee else ours.fee,
        at=ours.at - timedelta(days=each.day),
    )
    if each.value == "amount":
        theirs = replace(theirs, amount=cny(each.minor + 1))
    elif each.value == "fee":
        theirs = replace(theirs, fee=theirs.fee + cny(1))
    elif each.value == "currency":
        theirs = replace(
            theirs, amount=Money(each.minor, "USD"), fee=Money(theirs.fee.minor, "USD")
        )
    theirs = replace(theirs, status=status, merchant="190000001" if each.merchant else MERCHANT)
    again = [
        replace(
            theirs,
            channel_no=theirs.channel_no + "9" * (count + 1),
            at=theirs.at + timedelta(minutes=5),
        )
        for count in range(each.captures)
    ]
    rows = [theirs, *(replace(theirs) for _ in range(each.copies)), *again]
    doubles = each.doubles if standing is Standing.DONE else 0
    records = [ours, *(replace(ours) for _ in range(doubles))]
    if each.retried:
        records.append(replace(ours, standing=Standing.FAILED))
    return (
        [] if each.side == "theirs" else records,
        [] if each.side == "ours" else rows,
    )


def expected_of(each: Told) -> tuple[Counter[DifferenceKind], int]:
    """Give what must be found of it, and by how much more the channel holds than we do."""
    found: Counter[DifferenceKind] = Counter()
    paid = each.kind is LineKind.PAYMENT
    sign = 1 if paid else -1
    we_have, they_have = (each.states[0] is Standing.DONE), (each.states[1] is LineStatus.DONE)
    foreign = each.value == "currency"
    theirs_minor = sign * (each.minor + (each.value == "amount")) * they_have * (not foreign)
    ours_minor = sign * each.minor * we_have
    effect = 0
    if each.side != "theirs":
        found[Kinds.DUPLICATE] += each.doubles * we_have
        effect -= ours_minor * each.doubles
    if each.side != "ours":
        found[Kinds.DUPLICATE] += each.copies + each.captures
        effect += theirs_minor * each.captures
    if each.side == "theirs":
        found[Kinds.THEIRS_ONLY if paid else Kinds.REFUND_THEIRS_ONLY] += 1
        effect += theirs_minor
    if each.side == "ours" and we_have and not each.day:
        found[Kinds.OURS_ONLY if paid else Kinds.REFUND_OURS_ONLY] += 1
        effect -= ours_minor
    if each.side == "both":
        found[Kinds.STATUS] += we_have != they_have
        found[Kinds.CURRENCY] += foreign
        found[Kinds.AMOUNT] += each.value == "amount"
        found[Kinds.FEE] += each.value == "fee" and not each.no_fee
        found[Kinds.MERCHANT] += each.merchant and not each.no_merchant
        found[Kinds.NUMBER] += each.number and not each.no_number
        found[Kinds.DAY_BOUNDARY] += each.day and we_have
        effect += 0 if foreign else theirs_minor - ours_minor
    return +found, effect


def file_of(channel: Channel, rows: list[BillLine], *, totals_wrong: bool) -> bytes:
    """Write a day as the channel does; with sums that are not those of its rows."""
    if channel is Channel.ALIPAY:
        return alipay.write_trade(rows, MERCHANT, DAY)
    if channel is Channel.UNIONPAY:
        return unionpay.write_trade(rows, MERCHANT, DAY)
    content = wechat.write_trade(rows, "wx1")
    if totals_wrong:
        head, _, summary = content.rstrip().rpartition(b"\n`")
        _, _, rest = summary.partition(b",")
        content = head + f"\n`{len(rows) + 1},".encode() + rest + b"\n"
    return gzip.compress(content)


@pytest.mark.parametrize("channel", ONLINE)
@settings(max_examples=150, deadline=None)
@given(st.data(), st.randoms(use_true_random=False))
def test_exactly_the_injected_differences_are_found_in_the_channel_s_own_file(
    channel: Channel, data: st.DataObject, random: Random
) -> None:
    orders = data.draw(days(channel))
    totals_wrong = channel is Channel.WECHAT and data.draw(st.sampled_from([False] * 4 + [True]))
    ours: list[Record] = []
    theirs: list[BillLine] = []
    expected: Counter[tuple[DifferenceKind, str, str]] = Counter()
    effect = 0
    for number, order in enumerate(orders):
        for place, each in enumerate(order):
            records, rows = sides_of(each, number, place)
            ours += records
            theirs += rows
            kinds, more = expected_of(each)
            first = both_of(each, number, place)[0]
            for kind, count in kinds.items():
                event(kind.value)
                expected[kind, first.order_no, first.refund_no] += count
            missing = {Kinds.OURS_ONLY, Kinds.REFUND_OURS_ONLY} & kinds.keys()
            if missing and totals_wrong:  # it may stand in what the bill left out: not sure
                more += each.minor * (1 if each.kind is LineKind.PAYMENT else -1)
            effect += more
    if totals_wrong:
        expected[Kinds.TOTALS, "", ""] += 1
    # What is not done and not in the bill, and what is of another day, is no difference.
    ours += [
        replace(payment(900)[0], standing=Standing.OPEN),
        replace(payment(901)[0], standing=Standing.FAILED),
        replace(payment(902)[0], at=payment(902)[0].at + timedelta(days=1)),
    ]
    random.shuffle(ours)
    random.shuffle(theirs)
    bill = read_bill(channel, file_of(channel, theirs, totals_wrong=totals_wrong), DAY)
    assert (bill.rejected, bill.complete) == ((), not totals_wrong)
    found = reconcile(ours, bill, DAY).differences
    assert Counter((each.kind, each.order_no, each.refund_no) for each in found) == expected
    assert all(each.proposal in PROPOSED[each.kind] for each in found)
    unsure = {Kinds.OURS_ONLY, Kinds.REFUND_OURS_ONLY} if totals_wrong else set()
    assert all(each.certain is (each.kind not in unsure) for each in found)
    # All of them posted set the channel's account to its bill, once.
    assert sum(effect_minor(each) for each in found) == effect
    assert all(shown(each)["proposal"] == each.proposal.value for each in found)


def test_every_class_is_injected() -> None:
    cases = [
        Told(LineKind.PAYMENT, 1000, side="ours"),
        Told(LineKind.PAYMENT, 1000, side="theirs"),
        Told(LineKind.REFUND, 1000, side="ours"),
        Told(LineKind.REFUND, 1000, side="theirs"),
        Told(LineKind.PAYMENT, 1000, value="amount"),
        Told(LineKind.PAYMENT, 1000, value="currency"),
        Told(LineKind.PAYMENT, 1000, value="fee"),
        Told(LineKind.PAYMENT, 1000, states=OURS_NOT[0]),
        Told(LineKind.PAYMENT, 1000, copies=1),
        Told(LineKind.PAYMENT, 1000, merchant=True),
        Told(LineKind.PAYMENT, 1000, number=True),
        Told(LineKind.PAYMENT, 1000, day=True),
    ]
    injected = {kind for each in cases for kind in expected_of(each)[0]} | {Kinds.TOTALS}
    assert injected == set(DifferenceKind) == set(PROPOSED)


@pytest.mark.parametrize(
    ("each", "effect"),
    [
        # Settled by neither, and of another amount: its whole sum once, not in both classes.
        (Told(LineKind.PAYMENT, 1000, value="amount", states=OURS_NOT[0]), 1001),
        (Told(LineKind.REFUND, 1000, value="amount", states=THEIRS_NOT[0]), 1000),
        # In another currency nothing is posted in ours.
        (Told(LineKind.PAYMENT, 1000, side="theirs", value="currency"), 0),
        (Told(LineKind.PAYMENT, 1000, value="currency", states=OURS_NOT[0]), 0),
        # Of three captures one is ours, whatever is written twice besides.
        (Told(LineKind.PAYMENT, 1000, captures=2, copies=2, number=True), 2000),
        # What the channel kept is booked as it took it when it settles.
        (Told(LineKind.PAYMENT, 1000, value="fee"), 0),
        # A refund that is written twice and failed moved nothing.
        (Told(LineKind.REFUND, 1000, states=THEIRS_NOT[3], captures=1), 0),
    ],
)
def test_all_differences_of_one_pair_posted_put_it_right_once(each: Told, effect: int) -> None:
    ours, theirs = sides_of(each, 1, 1)
    for rows in (theirs, theirs[::-1]):
        bill = read_bill(Channel.WECHAT, wechat.write_trade(rows, "wx1"), DAY)
        found = reconcile(ours, bill, DAY).differences
        assert Counter(each.kind for each in found) == expected_of(each)[0]
        assert sum(effect_minor(each) for each in found) == effect


def test_a_refund_that_failed_and_was_tried_again_is_held_against_the_one_that_arrived() -> None:
    ours, theirs = refund(1)
    failed = replace(theirs, status=LineStatus.FAILED)
    for rows in ([failed, theirs], [theirs, failed]):
        bill = read_bill(Channel.WECHAT, wechat.write_trade(rows, "wx1"), DAY)
        found = reconcile([ours], bill, DAY).differences
        assert [each.kind for each in found] == [Kinds.DUPLICATE]
        assert effect_minor(found[0]) == 0
