"""Days of channels held against their bills, and the differences found."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    RowMapping,
    Table,
    Text,
    Uuid,
    any_,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from city.errors import Invalid
from city.money import Money
from payments.rules.reconciling import (
    FOUND_NO_MORE,
    CaseState,
    KeptDifference,
    Resolution,
    held_again,
)
from payments.rules.three_way import SOURCE
from payments.store import tables
from payments.store.bills import LARGEST_PAGE

RECONCILIATION: Final = Table(
    "reconciliation",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("run_at", tables.INSTANT, nullable=False),
    Column("run_by", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("summary", JSONB, nullable=False),
)
DIFFERENCE: Final = Table(
    "difference",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("order_no", Text, nullable=False),
    Column("refund_no", Text, nullable=False),
    Column("proposal", Text, nullable=False),
    Column("certain", Boolean, nullable=False),
    Column("effect_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("found_at", tables.INSTANT, nullable=False),
    Column("resolution", Text),
    Column("note", Text, nullable=False, server_default=""),
    Column("proposed_at", tables.INSTANT),
    Column("proposed_by", Text),
    Column("approved_at", tables.INSTANT),
    Column("approved_by", Text),
    Column("resolved_at", tables.INSTANT),
    Column("resolved_by", Text),
    Column("entry_id", Uuid),
)


STAYS: Final = SOURCE
"""In a channel's place: a day's stays held against bills and payments."""


@dataclass(frozen=True, slots=True)
class Run:
    """One holding of a day against a bill."""

    id: UUID
    channel: str
    day: date
    run_at: datetime
    run_by: str
    sha256: str
    """Of the bill as it was given; of the report, where stays were held against bills."""
    summary: Mapping[str, JsonValue]


def add_run(connection: Connection, run: Run) -> None:
    """Keep a run."""
    connection.execute(
        insert(RECONCILIATION).values(
            id=run.id,
            channel=run.channel,
            day=run.day,
            run_at=run.run_at,
            run_by=run.run_by,
            sha256=run.sha256,
            summary=dict(run.summary),
        )
    )


def runs(
    connection: Connection, after: UUID | None = None, limit: int = 100
) -> tuple[list[Run], UUID | None]:
    """Give runs, the newest first, and the last one's id where more follow."""
    query = select(RECONCILIATION).order_by(RECONCILIATION.c.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(RECONCILIATION.c.id < after)
    found = [
        Run(
            row["id"],
            row["channel"],
            row["day"],
            row["run_at"],
            row["run_by"],
            row["sha256"],
            row["summary"],
        )
        for row in connection.execute(query).mappings()
    ]
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def days_run_by(
    connection: Connection, by: str, channel: str, days: Collection[date]
) -> frozenset[date]:
    """Give those of some days on which somebody held a channel's bill against ours."""
    query = select(RECONCILIATION.c.day).where(
        RECONCILIATION.c.run_by == by,
        RECONCILIATION.c.channel == channel,
        RECONCILIATION.c.day.in_(list(days)),
    )
    return frozenset(connection.execute(query).scalars())


def keep_found(
    connection: Connection,
    run: Run,
    found: Sequence[tuple[str, KeptDifference]],
    *,
    complete: bool = True,
) -> None:
    """Keep what a run found, by key, as `held_again` says: what people ended stays.

    Two runs of one day wait for each other at what both change. Four statements.
    """
    day = (DIFFERENCE.c.channel == run.channel) & (DIFFERENCE.c.day == run.day)
    rows = connection.execute(select(DIFFERENCE).where(day).with_for_update()).mappings()
    before = [(row["key"], _difference(row)) for row in rows]
    again = held_again(before, found, run.run_at, complete=complete)
    if again.new:
        connection.execute(
            postgresql.insert(DIFFERENCE).on_conflict_do_nothing(
                index_elements=[DIFFERENCE.c.channel, DIFFERENCE.c.day, DIFFERENCE.c.key]
            ),
            [
                {
                    "id": each.id,
                    "channel": each.channel,
                    "day": each.day,
                    "key": key,
                    "kind": each.kind,
                    "order_no": each.order_no,
                    "refund_no": each.refund_no,
                    "proposal": each.proposal,
                    "certain": each.certain,
                    "effect_minor": each.effect.minor,
                    "currency": each.effect.currency,
                    "detail": dict(each.detail),
                    "state": each.state.value,
                    "found_at": each.found_at,
                }
                for key, each in again.new
            ],
        )
    for case in again.changed:
        write(connection, case)
    # As one value: a bill of another account may have more differences than a statement has places.
    ended = any_(literal(list(again.gone), ARRAY(Uuid)))
    connection.execute(
        update(DIFFERENCE)
        .where(DIFFERENCE.c.id == ended)
        .values(
            state=CaseState.RESOLVED.value,
            resolution=Resolution.NOTE.value,
            note=FOUND_NO_MORE,
            resolved_at=run.run_at,
            resolved_by=run.run_by,
        )
    )


def find(
    connection: Connection, difference_id: UUID, *, lock: bool = False
) -> KeptDifference | None:
    """Give a difference."""
    query = select(DIFFERENCE).where(DIFFERENCE.c.id == difference_id)
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else _difference(row)


def write(connection: Connection, case: KeptDifference) -> None:
    """Write what people said of a difference, and what it is by the latest run."""
    connection.execute(
        update(DIFFERENCE)
        .where(DIFFERENCE.c.id == case.id)
        .values(
            proposal=case.proposal,
            certain=case.certain,
            effect_minor=case.effect.minor,
            detail=dict(case.detail),
            state=case.state.value,
            resolution=None if case.resolution is None else case.resolution.value,
            note=case.note,
            proposed_at=case.proposed_at,
            proposed_by=case.proposed_by,
            approved_at=case.approved_at,
            approved_by=case.approved_by,
            resolved_at=case.resolved_at,
            resolved_by=case.resolved_by,
            entry_id=case.entry_id,
        )
    )


def page(  # noqa: PLR0917 - which of them, and how many
    connection: Connection,
    state: CaseState | None = None,
    channel: str | None = None,
    day: date | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> tuple[list[KeptDifference], UUID | None]:
    """Give differences, the newest first, and the last one's id where more follow."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise Invalid(f"must lie between 1 and {LARGEST_PAGE}", field="limit")
    query = select(DIFFERENCE).order_by(DIFFERENCE.c.id.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(DIFFERENCE.c.state == state.value)
    if channel is not None:
        query = query.where(DIFFERENCE.c.channel == channel)
    if day is not None:
        query = query.where(DIFFERENCE.c.day == day)
    if after is not None:
        query = query.where(DIFFERENCE.c.id < after)
    found = [_difference(row) for row in connection.execute(query).mappings()]
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def unresolved(connection: Connection, channel: str, day: date) -> bool:
    """Whether something that differed on a channel's day has not ended."""
    query = select(DIFFERENCE.c.id).where(
        DIFFERENCE.c.channel == channel,
        DIFFERENCE.c.day == day,
        DIFFERENCE.c.state != CaseState.RESOLVED.value,
    )
    return connection.execute(query.limit(1)).first() is not None


def cleared_up(connection: Connection, channel: str, day: date) -> bool:
    """Whether a channel's day was held against our record, and all that differed has ended."""
    held = select(RECONCILIATION.c.id).where(
        RECONCILIATION.c.channel == channel, RECONCILIATION.c.day == day
    )
    was_held = connection.execute(held.limit(1)).first() is not None
    return was_held and not unresolved(connection, channel, day)


def _difference(row: RowMapping) -> KeptDifference:
    return KeptDifference(
        id=row["id"],
        channel=row["channel"],
        day=row["day"],
        kind=row["kind"],
        order_no=row["order_no"],
        refund_no=row["refund_no"],
        proposal=row["proposal"],
        certain=row["certain"],
        effect=Money(row["effect_minor"], row["currency"]),
        detail=row["detail"],
        state=CaseState(row["state"]),
        found_at=row["found_at"],
        resolution=None if row["resolution"] is None else Resolution(row["resolution"]),
        note=row["note"],
        proposed_at=row["proposed_at"],
        proposed_by=row["proposed_by"],
        approved_at=row["approved_at"],
        approved_by=row["approved_by"],
        resolved_at=row["resolved_at"],
        resolved_by=row["resolved_by"],
        entry_id=row["entry_id"],
    )
