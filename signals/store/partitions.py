"""Partitions of detector data: made ahead of time, dropped after their retention."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from sqlalchemy import Connection, func, select, text

from signals.rules.detections.rows import COUNTS_KEPT, KEPT

BINS_KEPT: Final = timedelta(days=400)
"""A year and a month, so that a day can be set beside last year's."""

AHEAD: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A table in parts by time, and for how long they are kept."""

    table: str
    column: str
    span: Literal["day", "month"]
    kept: timedelta


PARTITIONED: Final = (
    Partitioned("controller_event", "at", "day", KEPT),
    Partitioned("plate_pass", "at", "day", KEPT),
    Partitioned("detector_count", "from_at", "month", COUNTS_KEPT),
    Partitioned("detector_bin", "from_at", "month", BINS_KEPT),
    Partitioned("phase_bin", "from_at", "month", BINS_KEPT),
)


def make_partitions(connection: Connection, *, now: datetime) -> tuple[str, ...]:
    """Make the partitions from yesterday's to those of the next days; give the new ones' names.

    Rows that fell into the default partition meanwhile are moved, in the same transaction.
    """
    # One maker at a time: two would both see the partition missing.
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("signals.partitions"))))
    made: list[str] = []
    for part in PARTITIONED:
        start_at = _floor(now - timedelta(days=1), part.span)
        while start_at <= now + AHEAD:
            name = _name(part, start_at)
            present = select(func.to_regclass(f"signals.{name}").is_not(None))
            if not connection.execute(present).scalar_one():
                _make(connection, part, name, start_at)
                made.append(name)
            start_at = _following(start_at, part.span)
    return tuple(made)


def drop_partitions(connection: Connection, *, now: datetime) -> tuple[str, ...]:
    """Drop the partitions that lie wholly before their retention; give their names."""
    dropped: list[str] = []
    for part in PARTITIONED:
        oldest = _name(part, _floor(now - part.kept, part.span))
        names = connection.execute(
            text(
                "select child.relname from pg_inherits"
                " join pg_class child on child.oid = inhrelid"
                " where inhparent = to_regclass(:table)"
                " and child.relname <> :default and child.relname < :oldest order by 1"
            ),
            {
                "table": f"signals.{part.table}",
                "default": f"{part.table}_default",
                "oldest": oldest,
            },
        ).scalars()
        for name in list(names):
            connection.exec_driver_sql(f'drop table signals."{name}"')
            dropped.append(name)
        connection.execute(
            text(
                f"delete from signals.{part.table}_default"  # noqa: S608 - our own names
                f" where {part.column} < :before"
            ),
            {"before": now - part.kept},
        )
    return tuple(dropped)


def _floor(at: datetime, span: str) -> datetime:
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day if span == "day" else day.replace(day=1)


def _following(start_at: datetime, span: str) -> datetime:
    if span == "day":
        return start_at + timedelta(days=1)
    return (start_at + timedelta(days=32)).replace(day=1)


def _name(part: Partitioned, start_at: datetime) -> str:
    stamp = f"{start_at:%Y%m%d}" if part.span == "day" else f"{start_at:%Y%m}"
    return f"{part.table}_{stamp}"


def _make(connection: Connection, part: Partitioned, name: str, start_at: datetime) -> None:
    end_at = _following(start_at, part.span)
    # Names and instants are ours; DDL takes no parameters.
    span = f"{part.column} >= '{start_at.isoformat()}' and {part.column} < '{end_at.isoformat()}'"
    for statement in (
        f"create table signals.{name} (like signals.{part.table} including all)",
        # The parent before the default partition: an insert that has chosen the default one, and
        # waits for it while a better one is attached, would fail on the default one's constraint.
        f"lock table signals.{part.table} in share row exclusive mode",
        f"lock table signals.{part.table}_default in access exclusive mode",
        (
            f"with moved as (delete from signals.{part.table}_default"  # noqa: S608 - our own names
            f" where {span} returning *) insert into signals.{name} select * from moved"
        ),
        (
            f"alter table signals.{part.table} attach partition signals.{name}"
            f" for values from ('{start_at.isoformat()}') to ('{end_at.isoformat()}')"
        ),
    ):
        connection.exec_driver_sql(statement)
