"""Writing the audit record, and reading it page by page."""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection, Row, Select, Text, cast, select, text

from city.audit.store import RECORD
from city.errors import Invalid
from city.people.actors import Actor
from city.works.database import UnitOfWork
from city.works.logs import masked_text
from city.works.rows import as_rows

MOST_DETAIL_BYTES = 16 * 1024
MOST_ITEMS = 200
_LARGEST_INTEGER = 2**53 - 1
_ADD: Final = text(
    "insert into audit.record (at, actor_kind, actor_subject, actor_account_id, actor_roles,"
    " action, subject_kind, subject_id, detail)"
    " select r.at, r.actor_kind, r.actor_subject, r.actor_account_id, r.actor_roles, r.action,"
    " r.subject_kind, r.subject_id, r.detail"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(at timestamptz, actor_kind text,"
    " actor_subject text, actor_account_id uuid, actor_roles text[], action text,"
    " subject_kind text, subject_id text, detail jsonb)"
)
_ACTION = re.compile(r"[a-z][a-z0-9._-]{2,79}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Record:
    """One act, as it was recorded.

    Parameters
    ----------
    record_id : int
        Order of writing; gaps are normal, for a transaction that was rolled back leaves one.
    at : datetime
        Wall time of the act.
    actor_kind, actor_subject, actor_account_id, actor_roles
        Who acted, and in which roles, as of then.
    action : str
        What was done: the room, a dot, a past participle, such as ``vault.plate_revealed``.
    subject_kind, subject_id : str
        To what.
    detail : Mapping
        Further facts.
    """

    record_id: int
    at: datetime
    actor_kind: str
    actor_subject: str
    actor_account_id: UUID | None
    actor_roles: tuple[str, ...]
    action: str
    subject_kind: str
    subject_id: str
    detail: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which records to read; every part that is given must hold.

    Parameters
    ----------
    actor_subject, action, subject_kind, subject_id : str or None
        Exact values; an action that ends in a dot stands for all that begin with it.
    since_at, until_at : datetime or None
        From, inclusive, and to, exclusive.
    """

    actor_subject: str | None = None
    action: str | None = None
    subject_kind: str | None = None
    subject_id: str | None = None
    since_at: datetime | None = None
    until_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordPage:
    """A page of records, newest first, and the cursor of the next one (None at the end)."""

    items: tuple[Record, ...]
    next: str | None


def _whole(digits: str) -> int:
    number = int(digits)
    if abs(number) > _LARGEST_INTEGER:
        raise ValueError("beyond 2^53")
    return number


_WRITER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_READER: Final = json.JSONDecoder(parse_int=_whole)


def _checked(detail: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Refuse what would not come back exactly as it was written."""
    kept = dict(detail)
    try:
        written = _WRITER.encode(kept)
        size = len(written.encode())
        faithful = _READER.decode(written) == kept and "\\u0000" not in written
    except (TypeError, ValueError, RecursionError):
        faithful = False
        size = 0
    if not faithful:
        raise Invalid("is not JSON that can be kept exactly", field="detail")
    if size > MOST_DETAIL_BYTES:
        raise Invalid(f"is larger than {MOST_DETAIL_BYTES} bytes", field="detail")
    return {key: _masked(value) for key, value in kept.items()}


def _masked(value: JsonValue) -> JsonValue:
    """Mask what looks like a plate, whoever let it slip in: the record can forget nothing."""
    match value:
        case str():
            return masked_text(value)
        case list():
            return [_masked(item) for item in value]
        case dict():
            return {key: _masked(item) for key, item in value.items()}
        case _:
            return value


def record(  # noqa: PLR0917 - who did what to which, in the order of the sentence
    uow: UnitOfWork,
    actor: Actor,
    action: str,
    subject_kind: str,
    subject_id: str,
    detail: Mapping[str, JsonValue],
) -> None:
    """Record an act in the transaction of the act itself.

    Parameters
    ----------
    uow : UnitOfWork
        The act's own; where it is rolled back, there was no act and there is no record.
    actor : Actor
        Who acts.
    action : str
        What: the room, a dot, a past participle, such as ``payments.cash_taken``.
    subject_kind, subject_id : str
        To what, such as ``bill`` and its id.
    detail : Mapping
        JSON values, at most 16 KiB; what looks like a plate is masked. Never a phone number or a
        secret: the record can never be changed, so that nothing in it can be forgotten.

    Raises
    ------
    Invalid
        On a name of another form or a detail that cannot be kept exactly.
    """
    record_all(uow, actor, action, subject_kind, {subject_id: detail})


def record_all(
    uow: UnitOfWork,
    actor: Actor,
    action: str,
    subject_kind: str,
    subjects: Mapping[str, Mapping[str, JsonValue]],
) -> None:
    """Record one act on several subjects, each with its own detail, in one statement.

    As `record`; nothing is written where there is no subject.
    """
    record_each(
        uow,
        [
            Deed(actor, action, subject_kind, subject_id, detail)
            for subject_id, detail in subjects.items()
        ],
    )


@dataclass(frozen=True, slots=True)
class Deed:
    """Who did what to which, to be recorded; as `record` takes it."""

    actor: Actor
    action: str
    subject_kind: str
    subject_id: str
    detail: Mapping[str, JsonValue]


def record_each(uow: UnitOfWork, deeds: Sequence[Deed]) -> None:
    """Record several acts in their order, in one statement.

    As `record`; nothing is written where there is none.
    """
    at = uow.wall.now()
    rows = []
    for deed in deeds:
        if _ACTION.fullmatch(deed.action) is None:
            raise Invalid("is not an action's name (such as parking.device_placed)", field="action")
        rows.append(
            {
                "at": at,
                "actor_kind": deed.actor.kind,
                "actor_subject": deed.actor.subject,
                "actor_account_id": deed.actor.account_id,
                "actor_roles": sorted(deed.actor.roles),
                "action": deed.action,
                "subject_kind": deed.subject_kind,
                "subject_id": deed.subject_id,
                "detail": _checked(deed.detail),
            }
        )
    if rows:
        uow.connection.execute(_ADD, {"rows": as_rows(rows)})


def record_columns() -> Select[Any]:
    """Select a record's columns; the detail as text, so that no number is rounded on its way."""
    columns = [column for column in RECORD.columns if column.name != "detail"]
    return select(*columns, cast(RECORD.c.detail, Text).label("detail"))


def record_of(row: Row[Any]) -> Record:
    """Read a record from a row of `record_columns`."""
    return Record(
        record_id=row.id,
        at=row.at,
        actor_kind=row.actor_kind,
        actor_subject=row.actor_subject,
        actor_account_id=row.actor_account_id,
        actor_roles=tuple(row.actor_roles),
        action=row.action,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        detail=json.loads(row.detail),
    )


def _cursor(record_id: int) -> str:
    return base64.urlsafe_b64encode(f"r{record_id}".encode()).rstrip(b"=").decode()


def _read_cursor(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        match = re.fullmatch(r"r([0-9]{1,18})", text)
    except (binascii.Error, ValueError):
        match = None
    if match is None:
        raise Invalid("is not a cursor that was given out", field="cursor")
    return int(match[1])


def records(
    connection: Connection,
    cursor: str | None = None,
    limit: int = 50,
    filters: RecordFilter | None = None,
) -> RecordPage:
    """Read the record, newest first.

    Parameters
    ----------
    connection : Connection
        Any.
    cursor : str or None
        The ``next`` of the page before; None for the newest.
    limit : int
        1 to 200 items.
    filters : RecordFilter or None
        Which; None for all.

    Raises
    ------
    Invalid
        On another limit or a cursor that was not given out.

    Notes
    -----
    One index range scan: cost grows with the page, not with the record.
    """
    if not 1 <= limit <= MOST_ITEMS:
        raise Invalid(f"must be 1 to {MOST_ITEMS}", field="limit")
    asked = filters or RecordFilter()
    query = record_columns().order_by(RECORD.c.id.desc()).limit(limit + 1)
    if cursor is not None:
        query = query.where(RECORD.c.id < _read_cursor(cursor))
    for name in ("actor_subject", "subject_kind", "subject_id"):
        value = getattr(asked, name)
        if value is not None:
            query = query.where(RECORD.c[name] == value)
    if asked.action is not None:
        query = query.where(
            RECORD.c.action.startswith(asked.action, autoescape=True)
            if asked.action.endswith(".")
            else RECORD.c.action == asked.action
        )
    if asked.since_at is not None:
        query = query.where(RECORD.c.at >= asked.since_at)
    if asked.until_at is not None:
        query = query.where(RECORD.c.at < asked.until_at)
    found = [record_of(row) for row in connection.execute(query)]
    more = len(found) > limit
    return RecordPage(tuple(found[:limit]), _cursor(found[limit - 1].record_id) if more else None)
