"""What was taken for bills, what was paid ahead, and what went back."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Connection,
    RowMapping,
    Uuid,
    any_,
    bindparam,
    func,
    insert,
    select,
    text,
)

from city.identifiers import BillId, OperatorId, ParkingSessionId, PaymentId
from city.money import Money
from city.works.rows import as_rows
from payments.channel_orders import CHANNEL_ORDER
from payments.rules.advances import PaidAhead, Refund, in_order
from payments.rules.bills import BillPart, BillState, Payment
from payments.store.tables import bill, payment, refund


def add_payment(connection: Connection, taken: Payment) -> None:
    """Write a payment; what it leaves of its bill is counted on the bill, under a constraint."""
    connection.execute(
        insert(payment).values(
            id=taken.id,
            bill_id=taken.bill_id,
            channel=taken.channel,
            amount_minor=taken.amount.minor,
            currency=taken.amount.currency,
            tendered_minor=taken.tendered.minor,
            taken_at=taken.taken_at,
            taken_by=taken.taken_by,
            rounded_minor=taken.rounded_minor,
        )
    )


_PAYMENTS: Final = text(
    "insert into payments.payment"
    " (id, bill_id, channel, amount_minor, currency, tendered_minor, taken_at, taken_by,"
    "  rounded_minor)"
    " select r.id, r.bill_id, r.channel, r.amount_minor, r.currency, r.tendered_minor, r.taken_at,"
    "  r.taken_by, r.rounded_minor"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, bill_id uuid, channel text,"
    "  amount_minor bigint, currency text, tendered_minor bigint, taken_at timestamptz,"
    "  taken_by text, rounded_minor bigint)"
)


def add_payments(connection: Connection, taken: Collection[Payment]) -> None:
    """Write payments, as `add_payment`: one statement."""
    rows = [
        {
            "id": each.id,
            "bill_id": each.bill_id,
            "channel": each.channel,
            "amount_minor": each.amount.minor,
            "currency": each.amount.currency,
            "tendered_minor": each.tendered.minor,
            "taken_at": each.taken_at,
            "taken_by": each.taken_by,
            "rounded_minor": each.rounded_minor,
        }
        for each in taken
    ]
    if rows:
        connection.execute(_PAYMENTS, {"rows": as_rows(rows)})


def payment_of_bill(connection: Connection, bill_id: BillId) -> Payment | None:
    """Give the last payment for a bill: where it is paid, the one that settled it."""
    query = (
        select(payment)
        .where(payment.c.bill_id == bill_id)
        .order_by(payment.c.taken_at.desc(), payment.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _payment(row)


def find_payment(connection: Connection, payment_id: PaymentId) -> Payment | None:
    """Give a payment by its number."""
    row = (
        connection.execute(select(payment).where(payment.c.id == payment_id))
        .mappings()
        .one_or_none()
    )
    return None if row is None else _payment(row)


def payments_by_id(
    connection: Connection, payment_ids: Collection[PaymentId]
) -> dict[PaymentId, Payment]:
    """Give payments by their numbers: one statement."""
    asked = bindparam("payment_ids", list(payment_ids), ARRAY(Uuid))
    query = select(payment).where(payment.c.id == any_(asked))
    return {PaymentId(row["id"]): _payment(row) for row in connection.execute(query).mappings()}


def all_payments_of_bill(connection: Connection, bill_id: BillId) -> list[Payment]:
    """Give the payments for a bill, the first one first: one, or the parts of it."""
    query = (
        select(payment)
        .where(payment.c.bill_id == bill_id)
        .order_by(payment.c.taken_at, payment.c.id)
    )
    return [_payment(row) for row in connection.execute(query).mappings()]


def payments_of_bills(
    connection: Connection, bill_ids: Collection[BillId]
) -> dict[BillId, Payment]:
    """Give the last payment for each of some bills: one statement."""
    query = (
        select(payment)
        .where(payment.c.bill_id.in_(list(bill_ids)))
        .order_by(payment.c.taken_at, payment.c.id)
    )
    return {BillId(row["bill_id"]): _payment(row) for row in connection.execute(query).mappings()}


def paid_ahead(connection: Connection, session_ids: Collection[ParkingSessionId]) -> PaidAhead:
    """Give what was paid ahead for some stays that are one, and what became of it.

    What goes back through a channel counts from when it is asked for. Three statements.
    """
    wanted = list(session_ids)
    bills = connection.execute(
        select(bill.c.part, bill.c.covers_until_at, bill.c.amount_minor, bill.c.applied_minor)
        .where(
            bill.c.session_id.in_(wanted),
            bill.c.state.not_in([BillState.CANCELLED.value, BillState.OFFERED.value]),
        )
        .order_by(bill.c.id)
    ).all()
    refunded_minor = connection.execute(
        select(func.coalesce(func.sum(refund.c.amount_minor), 0)).where(
            refund.c.session_id.in_(wanted), refund.c.bill_id.is_(None)
        )
    ).scalar_one()
    returned_minor = connection.execute(
        select(func.coalesce(func.sum(CHANNEL_ORDER.c.refunded_minor), 0))
        .join(bill, bill.c.id == CHANNEL_ORDER.c.bill_id)
        .where(
            bill.c.session_id.in_(wanted),
            bill.c.part == BillPart.AHEAD.value,
            # Without a payment it never was for the stay: a surplus.
            CHANNEL_ORDER.c.payment_id.is_not(None),
        )
    ).scalar_one()
    return PaidAhead(
        in_order(
            [
                (row.covers_until_at, row.amount_minor)
                for row in bills
                if row.part == BillPart.AHEAD.value
            ]
        ),
        sum(row.applied_minor for row in bills),
        int(refunded_minor) + int(returned_minor),
    )


def cash_of_bill(connection: Connection, bill_id: BillId) -> tuple[int, int]:
    """Give what was taken of a bill in cash and what of that went back, in minor units."""
    money = payment.c.amount_minor - payment.c.rounded_minor
    taken = select(func.coalesce(func.sum(money), 0)).where(
        payment.c.bill_id == bill_id, payment.c.channel == "cash"
    )
    gone = select(func.coalesce(func.sum(refund.c.amount_minor), 0)).where(
        refund.c.bill_id == bill_id
    )
    row = connection.execute(
        select(taken.scalar_subquery().label("taken"), gone.scalar_subquery().label("gone"))
    ).one()
    return int(row.taken), int(row.gone)


def rounded_of_bill(connection: Connection, bill_id: BillId) -> int:
    """Give what of a bill was rounded off when it was paid in cash, in minor units."""
    query = select(func.coalesce(func.sum(payment.c.rounded_minor), 0)).where(
        payment.c.bill_id == bill_id
    )
    return int(connection.execute(query).scalar_one())


# As `payments.refunded_of` in the database counts them: not what undid its payment.
_REFUNDS: Final = text(
    "select r.id from payments.channel_order o"
    " join payments.channel_refund r on r.order_id = o.id and r.state = 'done'"
    " where o.bill_id = :bill_id and o.payment_id is not null"
    "  and not exists (select from payments.payment_undone u where u.refund_id = r.id)"
    " union all select r.id from payments.order_share s"
    " join payments.channel_refund r on r.share_id = s.id and r.state = 'done'"
    " where s.bill_id = :bill_id and s.payment_id is not null"
    " union all select f.id from payments.refund f where f.bill_id = :bill_id"
)


def refunds_of_bill(connection: Connection, bill_id: BillId) -> list[UUID]:
    """Give the refunds that a bill counts, through channels and in cash."""
    return list(connection.execute(_REFUNDS, {"bill_id": bill_id}).scalars())


def find_refund(connection: Connection, refund_id: UUID) -> Refund | None:
    """Give what was paid back under a number."""
    row = connection.execute(select(refund).where(refund.c.id == refund_id)).mappings().first()
    if row is None:
        return None
    return Refund(
        row["id"],
        ParkingSessionId(row["session_id"]),
        OperatorId(row["operator_id"]),
        row["channel"],
        Money(row["amount_minor"], row["currency"]),
        row["refunded_at"],
        row["refunded_by"],
        None if row["bill_id"] is None else BillId(row["bill_id"]),
    )


def given_of_paid(connection: Connection, by: str, since_at: datetime) -> int:
    """Add up what somebody gave back in cash of bills that stay paid, in minor units."""
    query = (
        select(func.coalesce(func.sum(refund.c.amount_minor), 0))
        .join(bill, bill.c.id == refund.c.bill_id)
        .where(
            refund.c.refunded_by == by,
            refund.c.refunded_at >= since_at,
            bill.c.state == BillState.PAID.value,
        )
    )
    return int(connection.execute(query).scalar_one())


def add_refund(connection: Connection, paid_back: Refund) -> None:
    """Write what was paid back."""
    connection.execute(
        insert(refund).values(
            id=paid_back.id,
            session_id=paid_back.session_id,
            operator_id=paid_back.operator_id,
            channel=paid_back.channel,
            amount_minor=paid_back.amount.minor,
            currency=paid_back.amount.currency,
            refunded_at=paid_back.refunded_at,
            refunded_by=paid_back.refunded_by,
            bill_id=paid_back.bill_id,
        )
    )


def _payment(row: RowMapping) -> Payment:
    return Payment(
        id=PaymentId(row["id"]),
        bill_id=BillId(row["bill_id"]),
        channel=row["channel"],
        amount=Money(row["amount_minor"], row["currency"]),
        tendered=Money(row["tendered_minor"], row["currency"]),
        taken_at=row["taken_at"],
        taken_by=row["taken_by"],
        rounded_minor=row["rounded_minor"],
    )
