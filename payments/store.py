"""The payments room's tables (schema `payments`) and every query on them.

The truth is `migrations/versions/0006_payments.py` and what came after it, with the triggers that
keep the ledger.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    RowMapping,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from city.errors import Invalid
from city.identifiers import (
    BillId,
    DistrictCode,
    FacilityId,
    OperatorId,
    ParkingSessionId,
    PaymentId,
    TariffVersionId,
    VehicleId,
)
from city.money import Money
from payments.rules.advances import PaidAhead, Refund, in_order
from payments.rules.bills import Bill, BillPart, BillState, Charge, Payment
from payments.rules.ledger import Account, AccountKind, Entry, EntryKind, Posting

metadata = MetaData(schema="payments")

INSTANT = TIMESTAMP(timezone=True)

account = Table(
    "account",
    metadata,
    Column("code", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("opened_at", INSTANT, nullable=False),
)

entry = Table(
    "entry",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", INSTANT, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Uuid, nullable=False),
    Column("reverses", Uuid),
    Column("reason", Text, nullable=False),
    Column("written_by", Text, nullable=False),
)

posting = Table(
    "posting",
    metadata,
    Column("entry_id", Uuid, primary_key=True),
    Column("place", SmallInteger, primary_key=True),
    Column("account", Text, nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
)

bill = Table(
    "bill",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("session_id", Uuid, nullable=False),
    Column("vehicle_id", Uuid, nullable=False),
    Column("facility_id", Uuid, nullable=False),
    Column("district", Text, nullable=False),
    Column("operator_id", Uuid, nullable=False),
    Column("revenue_nature", Text, nullable=False),
    Column("tariff_version_id", Uuid, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("lines", JSONB, nullable=False),
    Column("issued_at", INSTANT, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Column("state", Text, nullable=False),
    Column("paid_at", INSTANT),
    Column("part", Text, nullable=False, server_default="stay"),
    Column("covers_until_at", INSTANT),
    Column("applied_minor", BigInteger, nullable=False, server_default="0"),
)

payment = Table(
    "payment",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("bill_id", Uuid, nullable=False),
    Column("channel", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("tendered_minor", BigInteger, nullable=False),
    Column("taken_at", INSTANT, nullable=False),
    Column("taken_by", Text, nullable=False),
)

refund = Table(
    "refund",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("session_id", Uuid, nullable=False),
    Column("operator_id", Uuid, nullable=False),
    Column("channel", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("refunded_at", INSTANT, nullable=False),
    Column("refunded_by", Text, nullable=False),
)

LARGEST_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class BillPage:
    """Bills, the newest first, and the last one's id where more follow: pass it as `after`."""

    items: tuple[Bill, ...]
    next: BillId | None


# --- bills ---------------------------------------------------------------------------------------


def add_bill(connection: Connection, issued: Bill) -> bool:
    """Write a bill; False, and nothing written, where its stay has one already."""
    charge = issued.charge
    values = {
        "id": issued.id,
        "session_id": charge.session_id,
        "vehicle_id": charge.vehicle_id,
        "facility_id": charge.facility_id,
        "district": charge.district,
        "operator_id": charge.operator_id,
        "revenue_nature": charge.revenue_nature,
        "tariff_version_id": charge.tariff_version_id,
        "amount_minor": charge.amount.minor,
        "currency": charge.amount.currency,
        "lines": list(charge.lines),
        "issued_at": issued.issued_at,
        "due_at": issued.due_at,
        "state": issued.state.value,
        "paid_at": issued.paid_at,
        "part": charge.part.value,
        "covers_until_at": charge.covers_until_at,
        "applied_minor": charge.applied_minor,
    }
    added = postgresql.insert(bill).values(values).on_conflict_do_nothing().returning(bill.c.id)
    return connection.execute(added).scalar_one_or_none() is not None


def find_bill(connection: Connection, bill_id: BillId, *, lock: bool = False) -> Bill | None:
    """Give a bill; with `lock` nobody else pays it before the transaction ends."""
    query = select(bill).where(bill.c.id == bill_id)
    if lock:
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _bill(row)


def bill_of_session(connection: Connection, session_id: ParkingSessionId) -> Bill | None:
    """Give the bill of a stay, not those that were paid ahead or cancelled."""
    query = select(bill).where(
        bill.c.session_id == session_id,
        bill.c.part == BillPart.STAY.value,
        bill.c.state != BillState.CANCELLED.value,
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _bill(row)


def bills_of_sessions(
    connection: Connection, session_ids: Collection[ParkingSessionId]
) -> list[Bill]:
    """Give all bills of some stays, the newest first: also those paid ahead and cancelled."""
    query = (
        select(bill)
        .where(bill.c.session_id.in_(list(session_ids)))
        .order_by(bill.c.id.desc())
        .limit(LARGEST_PAGE * 4)
    )
    return [_bill(row) for row in connection.execute(query).mappings()]


def page_of_bills(
    connection: Connection,
    *,
    state: BillState | None = None,
    facility_id: FacilityId | None = None,
    vehicle_id: VehicleId | None = None,
    districts: frozenset[str] | None = None,
    after: BillId | None = None,
    limit: int = 100,
) -> BillPage:
    """Give bills, the newest first; `districts` limits them to what a reader may see.

    Raises
    ------
    Invalid
        Where `limit` lies outside 1 to `LARGEST_PAGE`.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise Invalid(f"must lie between 1 and {LARGEST_PAGE}", field="limit")
    query = select(bill).order_by(bill.c.id.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(bill.c.state == state.value)
    if facility_id is not None:
        query = query.where(bill.c.facility_id == facility_id)
    if vehicle_id is not None:
        query = query.where(bill.c.vehicle_id == vehicle_id)
    if districts is not None:
        query = query.where(bill.c.district.in_(sorted(districts)))
    if after is not None:
        query = query.where(bill.c.id < after)
    found = [_bill(row) for row in connection.execute(query).mappings()]
    items = tuple(found[:limit])
    return BillPage(items, items[-1].id if len(found) > limit else None)


def debtors(connection: Connection, vehicle_ids: Collection[VehicleId]) -> frozenset[VehicleId]:
    """Give those of some vehicles that have an unpaid bill."""
    found = connection.scalars(
        select(bill.c.vehicle_id)
        .where(
            bill.c.vehicle_id.in_(list(vehicle_ids)),
            bill.c.state.in_([BillState.OPEN.value, BillState.DISPUTED.value]),
        )
        .distinct()
    )
    return frozenset(VehicleId(each) for each in found)


def write_state(connection: Connection, paid: Bill) -> None:
    """Write a bill's state: paid, frozen, open again with a later due date, or cancelled."""
    connection.execute(
        bill.update()
        .where(bill.c.id == paid.id)
        .values(state=paid.state.value, paid_at=paid.paid_at, due_at=paid.due_at)
    )


# --- payments ------------------------------------------------------------------------------------


def add_payment(connection: Connection, taken: Payment) -> None:
    """Write a payment; a second one for its bill breaks a constraint."""
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
        )
    )


def payment_of_bill(connection: Connection, bill_id: BillId) -> Payment | None:
    """Give the payment that settled a bill."""
    query = select(payment).where(payment.c.bill_id == bill_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _payment(row)


# --- paying ahead --------------------------------------------------------------------------------


def paid_ahead(connection: Connection, session_ids: Collection[ParkingSessionId]) -> PaidAhead:
    """Give what was paid ahead for some stays that are one, and what became of it.

    Two statements.
    """
    wanted = list(session_ids)
    bills = connection.execute(
        select(bill.c.part, bill.c.covers_until_at, bill.c.amount_minor, bill.c.applied_minor)
        .where(bill.c.session_id.in_(wanted), bill.c.state != BillState.CANCELLED.value)
        .order_by(bill.c.id)
    ).all()
    refunded_minor = connection.execute(
        select(func.coalesce(func.sum(refund.c.amount_minor), 0)).where(
            refund.c.session_id.in_(wanted)
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
        int(refunded_minor),
    )


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
        )
    )


# --- ledger --------------------------------------------------------------------------------------


def bills_by_id(connection: Connection, bill_ids: Collection[BillId]) -> dict[BillId, Bill]:
    """Give bills by their ids: one statement."""
    query = select(bill).where(bill.c.id.in_(list(bill_ids)))
    return {BillId(row["id"]): _bill(row) for row in connection.execute(query).mappings()}


def payments_of_bills(
    connection: Connection, bill_ids: Collection[BillId]
) -> dict[BillId, Payment]:
    """Give what settled each of some bills: one statement."""
    query = select(payment).where(payment.c.bill_id.in_(list(bill_ids)))
    return {BillId(row["bill_id"]): _payment(row) for row in connection.execute(query).mappings()}


def add_entry(connection: Connection, written: Entry) -> None:
    """Write an entry with its postings; accounts are opened on the way. Three statements."""
    accounts = sorted({p.account for p in written.postings}, key=lambda each: each.code)
    connection.execute(
        postgresql.insert(account).on_conflict_do_nothing(),
        [
            {
                "code": each.code,
                "kind": each.kind.value,
                "holder": each.holder,
                "opened_at": written.at,
            }
            for each in accounts
        ],
    )
    connection.execute(
        insert(entry).values(
            id=written.id,
            at=written.at,
            kind=written.kind.value,
            subject=written.subject,
            reverses=written.reverses,
            reason=written.reason,
            written_by=written.by,
        )
    )
    connection.execute(
        insert(posting),
        [
            {
                "entry_id": written.id,
                "place": place,
                "account": each.account.code,
                "minor": each.amount.minor,
                "currency": each.amount.currency,
                "at": written.at,
            }
            for place, each in enumerate(written.postings)
        ],
    )


def find_entry(connection: Connection, entry_id: UUID, *, lock: bool = False) -> Entry | None:
    """Give an entry with its postings; with `lock` nobody else reverses it meanwhile."""
    query = select(entry).where(entry.c.id == entry_id)
    if lock:
        query = query.with_for_update()
    head = connection.execute(query).mappings().one_or_none()
    if head is None:
        return None
    postings = (
        select(posting, account.c.kind, account.c.holder)
        .join(account, account.c.code == posting.c.account)
        .where(posting.c.entry_id == entry_id)
        .order_by(posting.c.place)
    )
    return Entry(
        id=head["id"],
        at=head["at"],
        kind=EntryKind(head["kind"]),
        subject=head["subject"],
        postings=tuple(
            Posting(
                Account(AccountKind(row["kind"]), row["holder"]),
                Money(row["minor"], row["currency"]),
            )
            for row in connection.execute(postings).mappings()
        ),
        reason=head["reason"],
        by=head["written_by"],
        reverses=head["reverses"],
    )


def entry_about(connection: Connection, kind: EntryKind, subject: UUID) -> UUID | None:
    """Give the entry that records a fact."""
    query = select(entry.c.id).where(entry.c.kind == kind.value, entry.c.subject == subject)
    found: UUID | None = connection.execute(query).scalar_one_or_none()
    return found


def balance(
    connection: Connection, of: Account, before_at: datetime | None = None
) -> dict[str, Money]:
    """Give what an account holds by currency, as of an instant: an index-only scan.

    Debits are positive: what a driver owes and what an attendant carries is above zero, what was
    earned below.
    """
    query = (
        select(posting.c.currency, func.sum(posting.c.minor).label("minor"))
        .where(posting.c.account == of.code)
        .group_by(posting.c.currency)
    )
    if before_at is not None:
        query = query.where(posting.c.at < before_at)
    rows = connection.execute(query).mappings()
    return {row["currency"]: Money(int(row["minor"]), row["currency"]) for row in rows}


def balances(connection: Connection, kind: AccountKind | None = None) -> dict[Account, list[Money]]:
    """Give every account's balances, or those of one kind."""
    query = (
        select(
            account.c.kind,
            account.c.holder,
            posting.c.currency,
            func.sum(posting.c.minor).label("minor"),
        )
        .join(account, account.c.code == posting.c.account)
        .group_by(account.c.kind, account.c.holder, posting.c.currency)
        .order_by(account.c.kind, account.c.holder, posting.c.currency)
    )
    if kind is not None:
        query = query.where(account.c.kind == kind.value)
    found: dict[Account, list[Money]] = {}
    for row in connection.execute(query).mappings():
        holder = Account(AccountKind(row["kind"]), row["holder"])
        found.setdefault(holder, []).append(Money(int(row["minor"]), row["currency"]))
    return found


def _bill(row: RowMapping) -> Bill:
    return Bill(
        id=BillId(row["id"]),
        charge=Charge(
            session_id=ParkingSessionId(row["session_id"]),
            vehicle_id=VehicleId(row["vehicle_id"]),
            facility_id=FacilityId(row["facility_id"]),
            district=DistrictCode(row["district"]),
            operator_id=OperatorId(row["operator_id"]),
            revenue_nature=row["revenue_nature"],
            tariff_version_id=TariffVersionId(row["tariff_version_id"]),
            amount=Money(row["amount_minor"], row["currency"]),
            lines=tuple(row["lines"]),
            covers_until_at=row["covers_until_at"],
            applied_minor=row["applied_minor"],
        ),
        issued_at=row["issued_at"],
        due_at=row["due_at"],
        state=BillState(row["state"]),
        paid_at=row["paid_at"],
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
    )
