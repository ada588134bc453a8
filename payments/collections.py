"""Kept sums of bills by facility and hour: writing them anew, and adding them up.

Whoever issues or settles a bill marks its hour in the same transaction (a trigger). Hours are the
facilities' own, so the caller says which hour an instant lies in.
"""

from collections.abc import Collection as Some
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    Identity,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from city.identifiers import BillId, FacilityId, ParkingSessionId
from payments.rules.collection import RECOVERY_DAYS, Collection
from payments.store.tables import INSTANT, metadata

collection_hour = Table(
    "collection_hour",
    metadata,
    Column("facility_id", Uuid, primary_key=True),
    Column("hour_at", INSTANT, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("day", Date, nullable=False),
    Column("hour", SmallInteger, nullable=False),
    Column("bills", Integer, nullable=False),
    Column("due_minor", BigInteger, nullable=False),
    Column("received_minor", BigInteger, nullable=False),
    Column("arrears_minor", BigInteger, nullable=False),
    Column("recovered_minor", BigInteger, nullable=False),
    Column("last_due_at", INSTANT),
)

collection_mark = Table(
    "collection_mark",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("facility_id", Uuid, nullable=False),
    Column("issued_at", INSTANT, nullable=False),
)

MARGIN: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class HourOfBills:
    """An hour of a facility in which a bill was issued."""

    facility_id: FacilityId
    start_at: datetime
    end_at: datetime
    day: date
    hour: int


@dataclass(frozen=True, slots=True)
class BillOfStay:
    """What a stay's bill is over and what was paid for it."""

    bill_id: BillId
    session_id: ParkingSessionId
    currency: str
    amount_minor: int
    issued_at: datetime
    due_at: datetime
    paid_at: datetime | None
    received_minor: int | None
    """With what was paid ahead. None where no payment was taken: not yet, or the bill is over
    nothing."""


TAKE_MARKS: Final = text(
    "delete from payments.collection_mark where id in"
    " (select id from payments.collection_mark order by id limit :most for update skip locked)"
    " returning facility_id, issued_at"
)

# Bills are never deleted and keep their currency, so no row is left that nothing stands for.
COUNT: Final = text(
    "insert into payments.collection_hour (facility_id, hour_at, currency, day, hour, bills,"
    " due_minor, received_minor, arrears_minor, recovered_minor, last_due_at)"
    " select w.facility_id, w.start_at, b.currency, w.day, w.hour, count(*),"
    # what was paid ahead counts where the stay's bill takes it over: once, and when it is earned
    " sum(b.amount_minor + b.applied_minor - b.lowered_minor + b.penalty_minor),"
    " coalesce(sum(b.applied_minor) filter (where b.state <> 'cancelled'), 0)"
    "  + sum(b.paid_minor),"
    " coalesce(sum(b.amount_minor - b.lowered_minor)"
    "  filter (where b.paid_at is null or b.paid_at > b.due_at), 0),"
    " coalesce(sum(b.amount_minor - b.lowered_minor) filter (where b.paid_at > b.due_at"
    "  and b.paid_at <= b.due_at + make_interval(days => :recovery_days)), 0), max(b.due_at)"
    " from unnest(cast(:facilities as uuid[]), cast(:starts as timestamptz[]),"
    " cast(:ends as timestamptz[]), cast(:days as date[]), cast(:hours as smallint[]))"
    " as w (facility_id, start_at, end_at, day, hour)"
    " join payments.bill b on b.facility_id = w.facility_id and b.part = 'stay'"
    " and b.issued_at >= w.start_at and b.issued_at < w.end_at"
    " group by w.facility_id, w.start_at, b.currency, w.day, w.hour"
    " order by w.facility_id, w.start_at, b.currency"
    " on conflict (facility_id, hour_at, currency) do update set"
    " (day, hour, bills, due_minor, received_minor, arrears_minor, recovered_minor, last_due_at) ="
    " (excluded.day, excluded.hour, excluded.bills, excluded.due_minor, excluded.received_minor,"
    " excluded.arrears_minor, excluded.recovered_minor, excluded.last_due_at)"
)

KEYS: Final[Mapping[str, str]] = {
    "facility_id": "facility_id",
    "day": "day",
    "hour": "hour",
    "hour_at": "hour_at",
    "weekday": "cast(extract(isodow from day) as smallint)",
}

OF_FACILITY: Final = (
    "select b.id, b.session_id, b.currency,"
    " b.amount_minor + b.applied_minor - b.lowered_minor + b.penalty_minor as amount_minor,"
    " b.issued_at, b.due_at, b.paid_at, case when b.paid_minor > 0 or b.applied_minor > 0"
    "  then b.paid_minor + b.applied_minor end as received_minor"
    " from payments.bill b where b.part = 'stay'"
)


def take_marks(connection: Connection, *, most: int) -> set[tuple[FacilityId, datetime]]:
    """Take marks: facilities, and when the bills that changed were issued.

    One taker at a time: of two that count one hour, the one that read earlier could write later.
    """
    connection.execute(
        text("select pg_advisory_xact_lock(hashtextextended('payments.collections', 0))")
    )
    return {
        (FacilityId(row.facility_id), row.issued_at)
        for row in connection.execute(TAKE_MARKS, {"most": most})
    }


def count(connection: Connection, hours: Iterable[HourOfBills]) -> None:
    """Write the sums of some hours anew, each from its bills: one statement."""
    given = list(hours)
    if not given:
        return
    connection.execute(
        COUNT,
        {
            "facilities": [each.facility_id for each in given],
            "starts": [each.start_at for each in given],
            "ends": [each.end_at for each in given],
            "days": [each.day for each in given],
            "hours": [each.hour for each in given],
            "recovery_days": RECOVERY_DAYS,
        },
    )


def sums(
    connection: Connection,
    keys: Sequence[str],
    first: date,
    until: date,
    *,
    now: datetime,
    facilities: Some[FacilityId] | None = None,
) -> dict[tuple[Any, ...], list[Collection]]:
    """Add sums up by some of `KEYS` over the facilities' local days.

    Parameters
    ----------
    now
        Arrears count only where the last bill of an hour was due long enough before it.
    facilities
        Where given, these alone.
    """
    named = [KEYS[key] for key in keys]
    selected = "".join(f"{expression}, " for expression in named)
    clause = "" if facilities is None else " and facility_id = any(cast(:facilities as uuid[]))"
    ripe = "filter (where last_due_at + make_interval(days => :recovery_days) <= :now)"
    # Names of ours.
    statement = (
        f"select {selected}currency, cast(sum(bills) as bigint) as bills,"  # noqa: S608 - our own columns
        " cast(sum(due_minor) as bigint) as due_minor,"
        " cast(sum(received_minor) as bigint) as received_minor,"
        f" cast(coalesce(sum(arrears_minor) {ripe}, 0) as bigint) as arrears_minor,"
        f" cast(coalesce(sum(recovered_minor) {ripe}, 0) as bigint) as recovered_minor"
        " from payments.collection_hour where day >= :first and day < :until"
        f" and hour_at >= :from_at and hour_at < :until_at{clause}"
        f" group by {', '.join([*named, 'currency'])} order by currency"
    )
    values: dict[str, Any] = {
        "first": first,
        "until": until,
        "from_at": datetime.combine(first, time(), tzinfo=UTC) - MARGIN,
        "until_at": datetime.combine(until, time(), tzinfo=UTC) + MARGIN,
        "now": now,
        "recovery_days": RECOVERY_DAYS,
    }
    if facilities is not None:
        values["facilities"] = list(facilities)
    found: dict[tuple[Any, ...], list[Collection]] = {}
    for row in connection.execute(text(statement), values):
        found.setdefault(tuple(row[: len(named)]), []).append(Collection(*row[len(named) :]))
    return found


def bills_issued(
    connection: Connection, facility_id: FacilityId, from_at: datetime, until_at: datetime
) -> list[BillOfStay]:
    """Give a facility's bills issued between two instants; cost grows with them, by index."""
    rows = connection.execute(
        text(
            f"{OF_FACILITY} and b.facility_id = :facility"
            " and b.issued_at >= :from_at and b.issued_at < :until_at"
        ),
        {"facility": facility_id, "from_at": from_at, "until_at": until_at},
    )
    return [_of_stay(row) for row in rows]


def bills_of(connection: Connection, sessions: Some[ParkingSessionId]) -> list[BillOfStay]:
    """Give the bills of some stays."""
    rows = connection.execute(
        text(f"{OF_FACILITY} and b.session_id = any(cast(:sessions as uuid[]))"),
        {"sessions": list(sessions)},
    )
    return [_of_stay(row) for row in rows]


def _of_stay(row: Any) -> BillOfStay:
    return BillOfStay(
        BillId(row.id),
        ParkingSessionId(row.session_id),
        row.currency,
        row.amount_minor,
        row.issued_at,
        row.due_at,
        row.paid_at,
        row.received_minor,
    )
