"""Partitions of the telemetry: made ahead of time, dropped after their retention."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from sqlalchemy import Connection, func, select, text

UPLINK_RETENTION: Final = timedelta(days=90)
"""Raw frames: long enough to replay a quarter through a corrected codec."""
CHANGE_RETENTION: Final = timedelta(days=3 * 366)
"""Bays' changes: evidence behind fees, and three seasons for forecasts."""
AHEAD: Final = timedelta(days=3)
"""Partitions made ahead; enough for a demo at 60 times the speed and an hourly job."""


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A table in parts by time."""

    table: str
    column: str
    span: Literal["day", "month"]


PARTITIONED: Final = (
    Partitioned("uplink", "received_at", "day"),
    Partitioned("bay_change", "changed_at", "month"),
)
FIGURES: Final = (
    Partitioned("figure_hour", "hour_at", "month"),
    Partitioned("figure_facility_day", "day", "month"),
    Partitioned("figure_day", "day", "month"),
)
"""Counts: made with the first of a month, kept for good."""


def _floor(at: datetime, span: str) -> datetime:
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day if span == "day" else day.replace(day=1)


def _following(start_at: datetime, span: str) -> datetime:
    if span == "day":
        return start_at + timedelta(days=1)
    return (start_at + timedelta(days=32)).replace(day=1)


def _partition_name(table: str, start_at: datetime, span: str) -> str:
    return f"{table}_{start_at:%Y%m%d}" if span == "day" else f"{table}_{start_at:%Y%m}"


def make_partitions(connection: Connection, *, now: datetime) -> tuple[str, ...]:
    """Make the partitions from the one of `now` to `AHEAD` after it; give the new ones' names.

    Rows of a new partition's span that fell into the default one meanwhile are moved, in the same
    transaction.
    """
    # One maker at a time: two would both see the partition missing.
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("parking.partitions"))))
    made: list[str] = []
    for part in PARTITIONED:
        start_at = _floor(now, part.span)
        while start_at <= now + AHEAD:
            name = _partition_name(part.table, start_at, part.span)
            if not _present(connection, name):
                _make_partition(connection, part, name, start_at)
                made.append(name)
            start_at = _following(start_at, part.span)
    return tuple(made)


def ensure_partition(connection: Connection, part: Partitioned, at: datetime) -> None:
    """Make the partition that an instant falls into, where it is missing."""
    start_at = _floor(at, part.span)
    name = _partition_name(part.table, start_at, part.span)
    if _present(connection, name):
        return
    # As above; another maker may have been first.
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("parking.partitions"))))
    if not _present(connection, name):
        _make_partition(connection, part, name, start_at)


def _present(connection: Connection, name: str) -> bool:
    return connection.execute(select(func.to_regclass(f"parking.{name}").is_not(None))).scalar_one()


def _make_partition(
    connection: Connection, part: Partitioned, name: str, start_at: datetime
) -> None:
    end_at = _following(start_at, part.span)
    # Names and instants are ours; DDL takes no parameters.
    span = f"{part.column} >= '{start_at.isoformat()}' and {part.column} < '{end_at.isoformat()}'"
    for statement in (
        f"create table parking.{name} (like parking.{part.table} including all)",
        # The parent before the default partition: an insert that has chosen the default one, and
        # waits for it while a better one is attached, would fail on the default one's constraint.
        f"lock table parking.{part.table} in share row exclusive mode",
        f"lock table parking.{part.table}_default in access exclusive mode",
        (
            f"with moved as (delete from parking.{part.table}_default"  # noqa: S608 - our own names - see above
            f" where {span} returning *) insert into parking.{name} select * from moved"
        ),
        (
            f"alter table parking.{part.table} attach partition parking.{name}"
            f" for values from ('{start_at.isoformat()}') to ('{end_at.isoformat()}')"
        ),
    ):
        connection.exec_driver_sql(statement)


def drop_partitions(
    connection: Connection,
    *,
    now: datetime,
    uplinks: timedelta = UPLINK_RETENTION,
    changes: timedelta = CHANGE_RETENTION,
) -> tuple[str, ...]:
    """Drop the partitions that lie wholly before the retention; give their names."""
    dropped: list[str] = []
    for part, retention in zip(PARTITIONED, (uplinks, changes), strict=True):
        oldest = _partition_name(part.table, _floor(now - retention, part.span), part.span)
        names = connection.execute(
            text(
                "select child.relname from pg_inherits"
                " join pg_class child on child.oid = inhrelid"
                " where inhparent = to_regclass(:table)"
                " and child.relname <> :default and child.relname < :oldest order by 1"
            ),
            {
                "table": f"parking.{part.table}",
                "default": f"{part.table}_default",
                "oldest": oldest,
            },
        ).scalars()
        for name in list(names):
            connection.exec_driver_sql(f'drop table parking."{name}"')
            dropped.append(name)
        # What fell into the default partition, as under a clock that jumped.
        connection.execute(
            text(
                # Names of ours.
                f"delete from parking.{part.table}_default"  # noqa: S608 - our own names
                f" where {part.column} < :before"
            ),
            {"before": now - retention},
        )
    return tuple(dropped)
