"""A day at POS terminals is held against the acquirer's bill: by commands, desk and three ways."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from city.money import Money
from city.time import FixedClock
from city.works.database import Database
from journeys import keep_reconciliation, pay_online
from payments import channel_records, reconciling, services
from payments.rules.channel_bills import pos
from payments.rules.channel_bills.lines import CHINA, BillLine, LineKind
from payments.rules.channels import Channel
from payments.rules.differences import DifferenceKind
from payments.rules.ledger import bank_of, clearing_of, fees_of
from payments.rules.pos.requests import Code, Original
from payments.rules.reconciling import Resolution
from payments.store import three_way
from tests.journeys.test_pos_taken_back import agreed
from tests.journeys.test_pos_terminals import DESK, MERCHANT, Town, cny, owing, town

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["town"]


def row(kind: LineKind, reference: str, minor: int, at: datetime, own: str = "") -> BillLine:
    fee = Money((minor * 6 + 500) // 1000, "CNY")
    return BillLine(
        kind,
        reference,
        reference,
        cny(minor),
        fee if kind is LineKind.PAYMENT else -fee,
        at,
        MERCHANT,
        refund_no=own,
        channel_refund_no=own,
    )


def test_the_acquirers_bill_agrees_with_a_day_of_sales_voids_refunds_and_reversals(
    town: Town,
) -> None:
    terminal = town.terminal()
    now = town.database.wall.now()
    day = now.astimezone(CHINA).date()
    kept, voided, reversed_, unvoided, returned = (
        owing(town.database, minor) for minor in (1000, 2000, 3000, 4000, 5000)
    )
    assert town.sell(terminal, kept).code == Code.OK
    sold = town.sell(terminal, voided)
    assert terminal.void(Original(1, sold.trace), 2000).code == Code.OK
    # Neither a reversed sale nor a reversed void ever was, for the acquirer.
    for bill in (reversed_, unvoided):
        sold = town.sell(terminal, bill)
        if bill is unvoided:
            assert terminal.void(Original(1, sold.trace), 4000).code == Code.OK
        last = terminal.memory.done[-1]
        terminal.memory.pending = (last.kind, last.trace, last.amount_minor)
        assert terminal.recover() is not None
    assert terminal.refund(Original(1, sold.trace), "RRN000000004", 1000).code == Code.OK
    sold = town.sell(terminal, returned)
    waits = agreed(town, returned, 1500)
    assert terminal.refund(Original(1, sold.trace), "RRN000000005", 1500).code == Code.OK
    assert agreed(town, returned, 100).refund_no != waits.refund_no
    lines = [
        row(LineKind.PAYMENT, "RRN000000001", 1000, now),
        row(LineKind.PAYMENT, "RRN000000002", 2000, now),
        row(LineKind.VOID, "RRN000000002", 2000, now, "RRNBACK00001"),
        row(LineKind.PAYMENT, "RRN000000004", 4000, now),
        row(LineKind.REFUND, "RRN000000004", 1000, now, "RRNBACK00002"),
        row(LineKind.PAYMENT, "RRN000000005", 5000, now),
        row(LineKind.REFUND, "RRN000000005", 1500, now, "RRNBACK00003"),
    ]
    with town.database.unit_of_work() as uow:
        run = keep_reconciliation.reconcile_channel(
            uow, DESK, Channel.POS, pos.write_trade(lines), None
        )
        found, _ = reconciling.differences(uow.connection, channel="pos")
    assert [(each.kind, each.detail) for each in found] == []
    assert (run.day, run.summary["agreed"], run.summary["differences"]) == (day, 7, 0)
    shown = charged_in_bill(town, kept.charge.session_id)
    assert shown == [True]


def charged_in_bill(town: Town, session_id: object) -> list[bool | None]:
    with town.database.read() as connection:
        bills = three_way.charged(connection, [session_id])  # type: ignore[list-item]
    return [part.in_bill for bill in bills.values() for part in bill.parts]


def test_what_the_acquirer_does_not_have_is_told_three_ways_and_posted_once(town: Town) -> None:
    terminal = town.terminal()
    now = town.database.wall.now()
    bill, other = owing(town.database, 1000), owing(town.database, 700)
    assert charged_in_bill(town, bill.charge.session_id) == []
    for each in (bill, other):
        assert town.sell(terminal, each).code == Code.OK
    # The terminal's batch says so as well: only the acquirer's bill moves money.
    terminal.memory.done[:] = terminal.memory.done[1:]
    terminal.settle()
    theirs = [row(LineKind.PAYMENT, "RRN000000002", 700, now)]
    content = pos.write_trade([*theirs, replace(theirs[0], order_no="RRNSTRAY0001",
                               channel_no="RRNSTRAY0001", amount=cny(300))])  # fmt: skip
    with town.database.unit_of_work() as uow:
        keep_reconciliation.reconcile_channel(uow, DESK, Channel.POS, content, None)
        found, _ = reconciling.differences(uow.connection, channel="pos")
        batches, _ = reconciling.differences(uow.connection, channel="pos-batches")
    told = {each.kind: each for each in found}
    assert {kind: each.effect.minor for kind, each in told.items()} == {
        DifferenceKind.OURS_ONLY: -1000,
        DifferenceKind.THEIRS_ONLY: 300,
    }
    assert [(each.kind, each.effect.minor, each.state.value) for each in batches] == [
        ("ours-only", 0, "open")
    ]
    assert charged_in_bill(town, bill.charge.session_id) == [False]
    assert charged_in_bill(town, other.charge.session_id) == [True]
    stray = told[DifferenceKind.THEIRS_ONLY]
    with town.database.unit_of_work() as uow:
        reconciling.propose(uow, stray.id, Resolution.SURPLUS, "nobody's here", "desk-1")
        reconciling.decide(uow, stray.id, approve=True, by="desk-2")
        reconciling.resolve(uow, stray.id, "desk-1")
    assert town.clearing_minor() == 2000


def test_a_days_bill_is_taken_over_once_nothing_about_it_is_open(
    town: Town, database_url: str
) -> None:
    terminal = town.terminal()
    now = town.database.wall.now()
    for minor in (1000, 700):
        assert town.sell(terminal, owing(town.database, minor)).code == Code.OK
    theirs = [
        row(LineKind.PAYMENT, "RRN000000001", 1000, now),
        row(LineKind.PAYMENT, "RRN000000002", 700, now),
    ]
    stray = replace(theirs[0], order_no="RRNSTRAY0001", channel_no="RRNSTRAY0001", amount=cny(300))

    def handed_in(days_later: int, *lines: BillLine) -> tuple[int, int, int]:
        """Hand a bill in; give what stays in clearing, the acquirer's fees, what is at the bank."""
        wall = FixedClock(now + timedelta(days=days_later))
        later = Database(database_url, clock=town.database.clock, handlers={}, wall=wall)
        with later.unit_of_work() as uow:
            content = pos.write_trade(lines)
            keep_reconciliation.reconcile_channel(uow, DESK, Channel.POS, content, None)
            held = [
                services.balance(uow.connection, account).get("CNY", cny(0)).minor
                for account in (clearing_of("pos"), fees_of("pos"), bank_of("pos"))
            ]
        later.close()
        return held[0], held[1], held[2]

    assert handed_in(0, *theirs) == (1700, 0, 0)  # the day goes on
    assert handed_in(1, *theirs, stray) == (1700, 0, 0)  # what is 300 to us?
    with town.database.unit_of_work() as uow:
        (open_case,), _ = reconciling.differences(uow.connection, channel="pos")
        reconciling.propose(uow, open_case.id, Resolution.NOTE, "not ours", "desk-1")
        reconciling.decide(uow, open_case.id, approve=True, by="desk-2")
    assert handed_in(1, *theirs, stray) == (1700, 0, 0)  # agreed to, and not done yet
    with town.database.unit_of_work() as uow:
        reconciling.resolve(uow, open_case.id, "desk-1")
    # Taken over, and a second time not again.
    for _ in range(2):
        assert handed_in(1, *theirs) == (0, 10, 1690)


def test_a_refund_that_waits_is_no_difference_until_the_acquirer_has_it(town: Town) -> None:
    terminal = town.terminal()
    now = town.database.wall.now()
    bill = owing(town.database, 1000)
    assert town.sell(terminal, bill).code == Code.OK
    waits = agreed(town, bill, 400)
    lines = [row(LineKind.PAYMENT, "RRN000000001", 1000, now)]

    def differing(*more: BillLine) -> list[tuple[str, str]]:
        content = pos.write_trade([*lines, *more])
        with town.database.unit_of_work() as uow:
            run = reconciling.run(uow, Channel.POS, content, None, "desk-1")
            found, _ = reconciling.differences(uow.connection, channel="pos", day=run.day)
        return [(each.kind, each.proposal) for each in found if each.state.value == "open"]

    assert differing() == []
    back = row(LineKind.REFUND, "RRN000000001", 400, now, "RRNBACK00001")
    assert differing(back) == [("status", "settle-ours")]
    pay_online.withdraw_refund(town.database, DESK, waits.refund_no, "the driver was wrong")
    with town.database.read() as connection:
        ours = list(channel_records.records(connection, Channel.POS, now.min.replace(tzinfo=CHINA)
                    .replace(year=2000), now.replace(year=2100)))  # fmt: skip
    assert len(ours) == 2
