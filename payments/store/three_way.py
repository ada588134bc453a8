"""Bills of stays with their payments, and what ledger and channels' bills show of each."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, text

from city.identifiers import BillId, ParkingSessionId, PaymentId
from city.money import Money
from payments.rules.three_way import Charged, PaidPart

_BILLS: Final = text(
    "select b.id, b.session_id, b.currency, b.paid_minor,"
    " b.amount_minor - b.lowered_minor + b.penalty_minor as amount_minor"
    " from payments.bill b where b.part = 'stay' and b.state <> 'cancelled'"
    " and b.session_id = any(cast(:sessions as uuid[]))"
)
# A channel's bill shows a payment unless a difference says that it does not; of a day that was not
# held against ours nobody knows.
_PARTS: Final = text(
    "select p.id, p.bill_id, p.channel, p.amount_minor, p.currency,"
    " exists (select from payments.entry e where e.kind = 'payment'"
    "  and e.subject = p.id) as booked,"
    " case when o.id is null or not exists (select from payments.reconciliation r"
    "   where r.channel = o.channel"
    "   and r.day = (o.done_at at time zone 'Asia/Shanghai')::date) then null"
    "  else not exists (select from payments.difference d where d.channel = o.channel"
    "   and d.order_no = o.order_no and d.kind = 'ours-only' and d.certain"
    "   and d.state <> 'resolved') end as in_bill"
    " from payments.payment p left join payments.order_share s on s.payment_id = p.id"
    " left join payments.channel_order o on o.id = coalesce(s.order_id,"
    "  (select a.id from payments.channel_order a where a.payment_id = p.id))"
    " where p.bill_id = any(cast(:bills as uuid[])) and not exists (select from"
    "  payments.payment_undone u where u.payment_id = p.id) order by p.taken_at, p.id"
)


def charged(
    connection: Connection, sessions: Collection[ParkingSessionId]
) -> dict[ParkingSessionId, Charged]:
    """Give the bills of some stays with their payments; two statements, whatever their number."""
    bills = connection.execute(_BILLS, {"sessions": list(sessions)}).all()
    parts: dict[object, list[PaidPart]] = {row.id: [] for row in bills}
    for row in connection.execute(_PARTS, {"bills": list(parts)}):
        parts[row.bill_id].append(
            PaidPart(
                PaymentId(row.id),
                row.channel,
                Money(row.amount_minor, row.currency),
                row.booked,
                row.in_bill,
            )
        )
    return {
        ParkingSessionId(row.session_id): Charged(
            BillId(row.id),
            ParkingSessionId(row.session_id),
            Money(row.amount_minor, row.currency),
            Money(row.paid_minor, row.currency),
            tuple(parts[row.id]),
        )
        for row in bills
    }
