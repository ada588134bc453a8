"""Stays, bills and payments held together: what was injected is found, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from city.identifiers import BillId, ParkingSessionId, PaymentId
from city.money import Money
from payments.rules.three_way import (
    Charged,
    PaidPart,
    StayTold,
    ThreeWayKind,
    hold_together,
    shown,
)

NOW = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
WRONGS = (
    None,
    "no-bill",
    "free-for-long",
    "no-payment",
    "not-booked",
    "not-in-the-channel-s-bill",
)
FOUND = {
    "no-bill": ThreeWayKind.STAY_WITHOUT_BILL,
    "free-for-long": ThreeWayKind.TIME_CONTRADICTED,
    "no-payment": ThreeWayKind.PAID_WITHOUT_RECORD,
    "not-booked": ThreeWayKind.PAID_WITHOUT_RECORD,
    "not-in-the-channel-s-bill": ThreeWayKind.PAID_WITHOUT_RECORD,
}


def told(number: int, *, fee_minor: int = 600, paid: bool = True) -> tuple[StayTold, Charged]:
    """Give a stay, its bill and its payment that agree in everything."""
    session_id = ParkingSessionId(UUID(int=number))
    amount = Money(fee_minor, "CNY")
    part = PaidPart(PaymentId(UUID(int=number)), "wechat", amount, booked=True, in_bill=True)
    return (
        StayTold(session_id, NOON, NOON + timedelta(hours=1), billable=True, free=timedelta(0)),
        Charged(
            BillId(UUID(int=number)),
            session_id,
            amount,
            amount if paid else Money(0, "CNY"),
            (part,) if paid and fee_minor else (),
        ),
    )


def spoiled(stay: StayTold, bill: Charged, wrong: str | None) -> tuple[StayTold, Charged | None]:
    """Put something wrong into what agrees."""
    (part,) = bill.parts
    match wrong:
        case "no-bill":
            return stay, None
        case "free-for-long":
            return replace(stay, free=timedelta(minutes=11)), bill
        case "no-payment":
            return stay, replace(bill, parts=())
        case "not-booked":
            return stay, replace(bill, parts=(replace(part, booked=False),))
        case "not-in-the-channel-s-bill":
            return stay, replace(bill, parts=(replace(part, in_bill=False),))
    return stay, bill


@given(st.lists(st.sampled_from(WRONGS), max_size=30))
def test_exactly_what_was_injected_is_found(wrongs: list[str | None]) -> None:
    pairs = [spoiled(*told(number), wrong) for number, wrong in enumerate(wrongs)]
    bills = {stay.session_id: bill for stay, bill in pairs if bill is not None}
    held = hold_together((stay for stay, _ in pairs), bills, NOW)
    assert [(each.stay.session_id.int, each.kind) for each in held.differences] == [
        (number, FOUND[wrong]) for number, wrong in enumerate(wrongs) if wrong is not None
    ]
    assert (held.stays, held.agreed) == (len(wrongs), wrongs.count(None))
    assert held.billed == len(wrongs) - wrongs.count("no-bill")
    assert sum(held.by_kind().values()) == len(held.differences)


def test_what_nobody_knows_contradicts_nothing() -> None:
    stay, bill = told(1)
    (part,) = bill.parts
    unknown = replace(bill, parts=(replace(part, in_bill=None),))
    for seen, charged in (
        (replace(stay, free=None), bill),
        (replace(stay, free=timedelta(minutes=10)), bill),
        (stay, unknown),
        (stay, replace(bill, paid=Money(0, "CNY"), parts=())),
    ):
        assert hold_together([seen], {seen.session_id: charged}, NOW).differences == ()


def test_a_bill_over_nothing_charges_for_no_time_and_one_on_its_way_is_not_missing() -> None:
    stay, bill = told(1, fee_minor=0)
    empty = replace(stay, free=timedelta(hours=1))
    assert hold_together([empty], {stay.session_id: bill}, NOW).differences == ()
    fresh = replace(stay, closed_at=NOW - timedelta(minutes=14))
    assert hold_together([fresh], {}, NOW).differences == ()
    assert hold_together([replace(stay, billable=False)], {}, NOW).differences == ()


def test_a_difference_shows_all_three_tellings() -> None:
    stay, bill = told(7)
    held = hold_together([replace(stay, free=timedelta(hours=1))], {stay.session_id: bill}, NOW)
    written = shown(held.differences[0])
    assert written["proposal"] == "look-at-the-evidence-then-correct-the-stay"
    assert written["stay"]["free_s"] == 3600  # type: ignore[index, call-overload]  # JSON
    assert written["bill"]["amount"] == {"minor": 600, "currency": "CNY"}  # type: ignore[index, call-overload]  # JSON
    assert [each["in_bill"] for each in written["payments"]] == [True]  # type: ignore[index, union-attr, call-overload]  # JSON
