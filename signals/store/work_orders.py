"""Work orders, their history, the policy of their deadlines, and every query on them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    Table,
    Text,
    Uuid,
    and_,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from signals.rules.maintenance.orders import ACTIVE, Person, Progress, State
from signals.rules.maintenance.policy import Limits
from signals.store.alarms import Alarm
from signals.store.tables import INSTANT, METADATA, alarm, network

Origin = Literal["alarm", "hand", "rule"]
View = Literal["active", "over", "all"]

work_policy = Table(
    "work_policy",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("document", JSONB, nullable=False),
    Column("set_at", INSTANT, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_name", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

work_order = Table(
    "work_order",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("network_code", Text, nullable=False),
    Column("network_id", Uuid, nullable=False),
    Column("signal", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("what_zh", Text, nullable=False),
    Column("what_en", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("alarm_id", Uuid),
    Column("code", Text),
    Column("subject", Text),
    Column("limits", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("raised_at", INSTANT, nullable=False),
    Column("raised_by", Text, nullable=False),
    Column("raised_name", Text, nullable=False),
    Column("assignee", Text),
    Column("assignee_name", Text),
    Column("taken_at", INSTANT),
    Column("done_at", INSTANT),
    Column("done_by", Text),
    Column("done_name", Text),
    Column("ended_at", INSTANT),
    Column("ended_by", Text),
    Column("ended_name", Text),
    Column("due_at", INSTANT),
)

work_entry = Table(
    "work_entry",
    METADATA,
    Column("order_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("words", Text),
    Column("other_name", Text),
    Column("picture_id", Uuid),
    Column("format", Text),
    Column("sha256", Text),
)


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """Work at a signal, and how far it is."""

    id: UUID
    network_code: str
    network_id: UUID
    signal: str
    kind: str
    priority: str
    what_zh: str
    what_en: str
    """The same where a person wrote it."""
    origin: Origin
    alarm_id: UUID | None
    code: str | None
    """Of the alarm, with its subject: what the fault is told apart by."""
    subject: str | None
    raised_by: Person
    progress: Progress


@dataclass(frozen=True, slots=True)
class WorkEntry:
    """A line of an order's history; with a picture where one was sent."""

    number: int
    at: datetime
    actor: str
    actor_name: str
    what: str
    words: str | None
    other_name: str | None = None
    picture_id: UUID | None = None
    format: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class SetPolicy:
    """A version of the policy, and who set it why."""

    number: int
    document: dict[str, Any]
    set_at: datetime
    set_by: str
    set_name: str
    reason: str


# --- policy --------------------------------------------------------------------------------------


def policy(connection: Connection) -> SetPolicy | None:
    """Give the policy in force; None where none was ever set."""
    query = select(work_policy).order_by(work_policy.c.number.desc()).limit(1)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else SetPolicy(**row)


def set_policy(connection: Connection, made: SetPolicy) -> None:
    """Write the next version of the policy."""
    connection.execute(insert(work_policy).values(**asdict(made)))


# --- orders --------------------------------------------------------------------------------------


def add(connection: Connection, made: WorkOrder) -> bool:
    """Write an order; False where its fault has one already."""
    statement = upsert(work_order).values(**_row(made)).on_conflict_do_nothing()
    return connection.execute(statement.returning(work_order.c.id)).first() is not None


def keep(connection: Connection, order_id: UUID, progress: Progress) -> None:
    """Write how far an order is."""
    connection.execute(
        update(work_order).where(work_order.c.id == order_id).values(**_progress_row(progress))
    )


def order_of(connection: Connection, order_id: UUID, *, lock: bool = False) -> WorkOrder | None:
    """Give an order; None where there is none."""
    query = select(work_order).where(work_order.c.id == order_id)
    if lock:
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _order(row)


def of_fault(
    connection: Connection, network_code: str, signal: str, code: str, subject: str
) -> WorkOrder | None:
    """Give the order that a fault has now; None where it has none."""
    query = select(work_order).where(
        work_order.c.network_code == network_code,
        work_order.c.signal == signal,
        work_order.c.code == code,
        work_order.c.subject == subject,
        work_order.c.state.in_(list(ACTIVE)),
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _order(row)


def orders(
    connection: Connection,
    view: View,
    *,
    network_code: str | None = None,
    signal: str | None = None,
    assignee: str | None = None,
    after: UUID | None = None,
    limit: int,
) -> list[WorkOrder]:
    """Give orders, one more than asked: active ones by when they are due, others the latest first.

    Parameters
    ----------
    connection : Connection
    view : {"active", "over", "all"}
    network_code, signal, assignee : str or None
    after : UUID or None
        The last one of the page before.
    limit : int
    """
    query = select(work_order).limit(limit + 1)
    if view == "active":
        key = tuple_(work_order.c.due_at, work_order.c.id)
        query = query.where(work_order.c.due_at.is_not(None)).order_by(*key.clauses)
        if after is not None:
            other = work_order.alias("other")
            last = select(other.c.due_at, other.c.id).where(other.c.id == after)
            query = query.where(key > last.scalar_subquery())
    else:
        query = query.order_by(work_order.c.id.desc())
        if view == "over":
            query = query.where(work_order.c.due_at.is_(None))
        if after is not None:
            query = query.where(work_order.c.id < after)
    for column, wanted in (
        (work_order.c.network_code, network_code),
        (work_order.c.signal, signal),
        (work_order.c.assignee, assignee),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    return [_order(row) for row in connection.execute(query).mappings()]


def counts(
    connection: Connection, now: datetime, network_code: str | None = None
) -> dict[str, int]:
    """Count active orders by state, and those of them whose next step is overdue."""
    query = (
        select(
            work_order.c.state,
            func.count().label("n"),
            func.count().filter(work_order.c.due_at < now).label("overdue"),
        )
        .where(work_order.c.due_at.is_not(None))
        .group_by(work_order.c.state)
    )
    if network_code is not None:
        query = query.where(work_order.c.network_code == network_code)
    rows = connection.execute(query).all()
    found = {state.value: 0 for state in State if state in ACTIVE}
    found |= {row.state: row.n for row in rows}
    return found | {"overdue": sum(row.overdue for row in rows)}


def without_order(
    connection: Connection, raised_before_at: Mapping[str, datetime], *, limit: int
) -> list[tuple[str, Alarm]]:
    """Give open alarms that never had an order, with the network's code, the oldest first.

    One whose fault has an order that is not over is left out, too: it is the same fault.

    Parameters
    ----------
    connection : Connection
    raised_before_at : Mapping
        By code; alarms of other codes are left out.
    limit : int
    """
    long_enough = [
        and_(alarm.c.code == code, alarm.c.raised_at <= at) for code, at in raised_before_at.items()
    ]
    mine = exists().where(work_order.c.alarm_id == alarm.c.id)
    same = exists().where(
        work_order.c.network_code == network.c.code,
        work_order.c.signal == alarm.c.signal,
        work_order.c.code == alarm.c.code,
        work_order.c.subject == alarm.c.subject,
        work_order.c.state.in_(list(ACTIVE)),
    )
    query = (
        select(network.c.code.label("network_code"), *alarm.c)
        .join(network, network.c.id == alarm.c.network_id)
        .where(
            alarm.c.cleared_at.is_(None),
            or_(false(), *long_enough),
            ~mine,
            ~same,
        )
        .order_by(alarm.c.raised_at, alarm.c.id)
        .limit(limit)
    )
    found = []
    for row in connection.execute(query).mappings():
        values = dict(row)
        found.append((str(values.pop("network_code")), Alarm(**values)))
    return found


def _row(made: WorkOrder) -> dict[str, Any]:
    values = {name: getattr(made, name) for name in WorkOrder.__slots__[:12]}
    return (
        values
        | _progress_row(made.progress)
        | {
            "raised_by": made.raised_by.subject,
            "raised_name": made.raised_by.name,
            "raised_at": made.progress.raised_at,
            "limits": asdict(made.progress.limits),
        }
    )


def _progress_row(progress: Progress) -> dict[str, Any]:
    assignee, done, ended = progress.assignee, progress.done_by, progress.ended_by
    return {
        "state": progress.state.value,
        "assignee": None if assignee is None else assignee.subject,
        "assignee_name": None if assignee is None else assignee.name,
        "taken_at": progress.taken_at,
        "done_at": progress.done_at,
        "done_by": None if done is None else done.subject,
        "done_name": None if done is None else done.name,
        "ended_at": progress.ended_at,
        "ended_by": None if ended is None else ended.subject,
        "ended_name": None if ended is None else ended.name,
        "due_at": progress.due_at,
    }


def _order(row: Mapping[Any, Any]) -> WorkOrder:
    def person(subject: str, name: str) -> Person | None:
        return None if row[subject] is None else Person(row[subject], row[name])

    progress = Progress(
        State(row["state"]),
        row["raised_at"],
        Limits(**row["limits"]),
        person("assignee", "assignee_name"),
        row["taken_at"],
        row["done_at"],
        person("done_by", "done_name"),
        row["ended_at"],
        person("ended_by", "ended_name"),
    )
    return WorkOrder(
        **{name: row[name] for name in WorkOrder.__slots__[:12]},
        raised_by=Person(row["raised_by"], row["raised_name"]),
        progress=progress,
    )


# --- history -------------------------------------------------------------------------------------


def add_entry(connection: Connection, order_id: UUID, made: WorkEntry) -> None:
    """Write the next line of an order's history; lock the order first."""
    connection.execute(insert(work_entry).values(order_id=order_id, **asdict(made)))


def next_number(connection: Connection, order_id: UUID) -> int:
    """Give the number of an order's next line."""
    query = select(func.max(work_entry.c.number)).where(work_entry.c.order_id == order_id)
    return int(connection.execute(query).scalar_one() or 0) + 1


def entries(
    connection: Connection, order_id: UUID, *, after: int = 0, limit: int
) -> list[WorkEntry]:
    """Give an order's history in its order, one more than asked."""
    query = (
        select(*(each for each in work_entry.c if each.name != "order_id"))
        .where(work_entry.c.order_id == order_id, work_entry.c.number > after)
        .order_by(work_entry.c.number)
        .limit(limit + 1)
    )
    return [WorkEntry(**row) for row in connection.execute(query).mappings()]


def photo(connection: Connection, order_id: UUID, sha256: str) -> WorkEntry | None:
    """Give the line of an order that has a picture; None where none has it."""
    query = select(*(each for each in work_entry.c if each.name != "order_id")).where(
        work_entry.c.order_id == order_id, work_entry.c.sha256 == sha256
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else WorkEntry(**row)


def photo_count(connection: Connection, order_id: UUID) -> int:
    """Count an order's pictures."""
    query = select(func.count()).where(
        work_entry.c.order_id == order_id, work_entry.c.sha256.is_not(None)
    )
    return int(connection.execute(query).scalar_one())
