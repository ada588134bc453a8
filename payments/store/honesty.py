"""Money as whoever looks at work needs it, and the lists that were worked out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Column,
    Connection,
    Double,
    Integer,
    RowMapping,
    Table,
    Text,
    Uuid,
    delete,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from payments.rules.honesty import Evidence, EvidenceKind, Line, Signal
from payments.rules.shifts import Shift
from payments.store import tables
from payments.store.shifts import shift, shift_of
from payments.store.tables import bill, payment, refund

MOST_SHIFTS: Final = 50_000

honesty_run = Table(
    "honesty_run",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("from_at", tables.INSTANT, nullable=False),
    Column("until_at", tables.INSTANT, nullable=False),
    Column("worked_at", tables.INSTANT, nullable=False),
    Column("people", Integer, nullable=False),
    Column("looks", Integer, nullable=False),
    Column("false_share", Double, nullable=False),
    Column("rested_on", JSONB, nullable=False),
)
honesty_line = Table(
    "honesty_line",
    tables.metadata,
    Column("run_id", Uuid, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("signal", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("district", Text, nullable=False),
    Column("value", Double, nullable=False),
    Column("usual", Double, nullable=False),
    Column("events", Integer, nullable=False),
    Column("trials", Integer, nullable=False),
    Column("expected", Double, nullable=False),
    Column("ratio", Double, nullable=False),
    Column("p", Double, nullable=False),
    Column("q", Double, nullable=False),
    Column("people", Integer, nullable=False),
    Column("strata", Integer, nullable=False),
    Column("evidence", JSONB, nullable=False),
)


class Paid(NamedTuple):
    """A payment for a stay."""

    session_id: UUID
    bill_id: UUID
    channel: str
    amount_minor: int
    at: datetime
    by: str


class GivenBack(NamedTuple):
    """Cash that went back of a stay."""

    session_id: UUID
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Run:
    """One working out of the list.

    Attributes
    ----------
    people, looks : int
        People who were on shift, and how many of them could be compared by how many signals.
    rested_on : dict
        By signal: people compared, trials, strata.
    """

    id: UUID
    from_at: datetime
    until_at: datetime
    worked_at: datetime
    people: int
    looks: int
    false_share: float
    rested_on: dict[str, dict[str, int]]


def paid_for(connection: Connection, session_ids: Collection[UUID]) -> list[Paid]:
    """Give the payments for some stays: one statement."""
    query = (
        select(
            bill.c.session_id,
            bill.c.id,
            payment.c.channel,
            payment.c.amount_minor,
            payment.c.taken_at,
            payment.c.taken_by,
        )
        .join(payment, payment.c.bill_id == bill.c.id)
        .where(bill.c.session_id.in_(list(session_ids)))
        .order_by(payment.c.taken_at)
    )
    return [Paid(*row) for row in connection.execute(query)]


def given_back(connection: Connection, session_ids: Collection[UUID]) -> list[GivenBack]:
    """Give the cash that went back of some stays: one statement."""
    query = select(refund.c.session_id, refund.c.refunded_at, refund.c.refunded_by).where(
        refund.c.session_id.in_(list(session_ids)), refund.c.channel == "cash"
    )
    return [GivenBack(*row) for row in connection.execute(query)]


def shifts_between(connection: Connection, from_at: datetime, before_at: datetime) -> list[Shift]:
    """Give the shifts that touch the time between two instants, at most `MOST_SHIFTS`."""
    query = (
        select(shift)
        .where(
            shift.c.opened_at < before_at,
            (shift.c.counted_at.is_(None)) | (shift.c.counted_at >= from_at),
        )
        .order_by(shift.c.id.desc())
        .limit(MOST_SHIFTS)
    )
    return [shift_of(row) for row in connection.execute(query).mappings()]


def add_run(
    connection: Connection, run: Run, lines: Sequence[Line], district_of: dict[str, str]
) -> None:
    """Write a list with what it rests on."""
    connection.execute(
        insert(honesty_run).values(
            id=run.id,
            from_at=run.from_at,
            until_at=run.until_at,
            worked_at=run.worked_at,
            people=run.people,
            looks=run.looks,
            false_share=run.false_share,
            rested_on=run.rested_on,
        )
    )
    rows = [
        {
            "run_id": run.id,
            "place": place,
            "signal": each.signal.value,
            "district": district_of[each.person],
            "evidence": [[one.kind.value, str(one.id), one.at] for one in each.evidence],
            **{
                name: getattr(each, name)
                for name in (
                    "person", "value", "usual", "events", "trials", "expected", "ratio", "p", "q",
                    "people", "strata",
                )
            },
        }
        for place, each in enumerate(lines)
    ]  # fmt: skip
    if rows:
        connection.execute(insert(honesty_line), rows)


def latest(connection: Connection) -> Run | None:
    """Give the last working out."""
    query = select(honesty_run).order_by(honesty_run.c.worked_at.desc()).limit(1)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    return Run(
        row["id"],
        row["from_at"],
        row["until_at"],
        row["worked_at"],
        row["people"],
        row["looks"],
        row["false_share"],
        row["rested_on"],
    )


def lines_of(connection: Connection, run_id: UUID, districts: Collection[str] | None) -> list[Line]:
    """Give a list's lines in their order; `districts` limits them to what a reader may see."""
    query = (
        select(honesty_line).where(honesty_line.c.run_id == run_id).order_by(honesty_line.c.place)
    )
    if districts is not None:
        query = query.where(honesty_line.c.district.in_(sorted(districts)))
    return [_line(row) for row in connection.execute(query).mappings()]


def forget(connection: Connection, before_at: datetime) -> None:
    """Drop lists that are older."""
    connection.execute(delete(honesty_run).where(honesty_run.c.worked_at < before_at))


def _line(row: RowMapping) -> Line:
    known: dict[str, Any] = {
        name: row[name]
        for name in (
            "person", "value", "usual", "events", "trials", "expected", "ratio", "p", "q",
            "people", "strata",
        )
    }  # fmt: skip
    evidence = tuple(
        Evidence(EvidenceKind(kind), UUID(one), at) for kind, one, at in row["evidence"]
    )
    return Line(signal=Signal(row["signal"]), evidence=evidence, **known)
