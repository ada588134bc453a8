"""Sealing the record into a hash chain, and checking that nobody has touched it since.

A seal is ``SHA-256(previous hash || canonical JSON of the record and its number)``. One sealer at
a time (an advisory lock) seals in the order of (transaction, record). Records become visible out
of the order of their ids, for a transaction that wrote early may commit late: so the sealer stops
at the oldest transaction still running (``pg_snapshot_xmin``), below which nothing can appear any
more, and the order of the chain does not depend on when the sealer ran.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Literal

from sqlalchemy import Connection, insert, text

from city.audit.store import RECORD, SEAL
from city.audit.trail import Record, record_columns, record_of
from city.errors import Invalid
from city.time import rfc3339
from city.works.database import UnitOfWork

GENESIS = bytes(32)
BATCH = 5_000
MOST_PROBLEMS = 100
_SEALER_LOCK = 0x6772_6E62_6179_5345
_READ_AHEAD = 1_000

ProblemKind = Literal[
    "tampered", "missing", "inserted", "broken_link", "missing_seal", "anchor_not_found"
]

# A transaction at or above the snapshot's xmax has not begun in this cluster: such a row came with
# a restored backup of another one, and its transaction has long ended.
TAKE = text("""
    select u.record_id from audit.unsealed u
    where (u.tx < pg_snapshot_xmin(pg_current_snapshot())
           or u.tx >= pg_snapshot_xmax(pg_current_snapshot()))
      and exists (select from audit.record r where r.id = u.record_id)
      and not exists (select from audit.seal s where s.record_id = u.record_id)
    order by u.tx, u.record_id
    limit :most
""")
DROP = text("delete from audit.unsealed where record_id = any(:ids)")
HEAD = text("select number, hash from audit.seal order by number desc limit 1")
OLDEST = text("""
    select r.at from audit.unsealed u join audit.record r on r.id = u.record_id
    order by r.at limit 1
""")
LEFT = text("""
    select count(*), min(r.at) from audit.unsealed u join audit.record r on r.id = u.record_id
""")
INSERTED = text("""
    select r.id from audit.record r
    where not exists (select from audit.seal s where s.record_id = r.id)
      and not exists (select from audit.unsealed u where u.record_id = r.id)
    order by r.id limit :most
""")
VANISHED = text("""
    select u.record_id from audit.unsealed u
    where not exists (select from audit.record r where r.id = u.record_id)
    order by u.record_id limit :most
""")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A link of the chain that was noted down elsewhere, to compare with."""

    number: int
    hash: bytes

    @classmethod
    def parse(cls, written: str, field: str = "head") -> "Anchor":
        """Read ``NUMBER:HEX``, as the sealer logs it and `verify` prints it; Invalid otherwise."""
        number, _, digest = written.partition(":")
        try:
            anchor = cls(int(number), bytes.fromhex(digest))
        except ValueError:
            raise Invalid("is not NUMBER:HASH", field=field) from None
        if len(anchor.hash) != hashlib.sha256().digest_size or anchor.number < 1:
            raise Invalid("is not NUMBER:HASH", field=field)
        return anchor

    def __str__(self) -> str:
        return f"{self.number}:{self.hash.hex()}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the record.

    Parameters
    ----------
    kind : ProblemKind
        ``tampered``: a sealed record is not what was sealed; ``missing``: it is gone;
        ``inserted``: a record was added past the queue; ``broken_link``: a seal does not follow
        the one before; ``missing_seal``: a number is skipped; ``anchor_not_found``: the chain
        does not hold a link that was noted down, so that it was cut or rewritten.
    number : int or None
        Place in the chain, where it has one.
    record_id : int or None
        The record, where it is known.
    """

    kind: ProblemKind
    number: int | None
    record_id: int | None


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a check of the chain found.

    Parameters
    ----------
    checked : int
        Seals checked.
    head : Anchor or None
        The last link; note it down outside the database. None for an empty chain.
    unsealed : int
        Records that wait for the sealer.
    oldest_unsealed_at : datetime or None
        When the oldest of them was written.
    problems : tuple of Problem
        In the order of the chain, at most 100.
    """

    checked: int
    head: Anchor | None
    unsealed: int
    oldest_unsealed_at: datetime | None
    problems: tuple[Problem, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def first_broken(self) -> int | None:
        """Number of the first broken link; None where no link is broken."""
        return min((p.number for p in self.problems if p.number is not None), default=None)


def canonical(record: Record, number: int) -> bytes:
    """Give the bytes that are sealed: JSON with sorted keys, no spaces, UTF-8, times in UTC.

    As RFC 8785 for all that the record can hold (text keys of the basic plane, integers below
    2^53), so that others can check an export without this code.
    """
    return json.dumps(
        {
            "account_id": None if record.actor_account_id is None else str(record.actor_account_id),
            "action": record.action,
            "actor_kind": record.actor_kind,
            "actor_roles": list(record.actor_roles),
            "actor_subject": record.actor_subject,
            "at": rfc3339(record.at),
            "detail": record.detail,
            "number": number,
            "record_id": record.record_id,
            "subject_id": record.subject_id,
            "subject_kind": record.subject_kind,
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    ).encode()


def link(previous_hash: bytes, record: Record, number: int) -> bytes:
    """Give the hash that seals a record after the one before it; 32 bytes."""
    return hashlib.sha256(previous_hash + canonical(record, number)).digest()


def head(connection: Connection) -> Anchor | None:
    """Give the last link of the chain, or None where nothing is sealed yet."""
    row = connection.execute(HEAD).one_or_none()
    return None if row is None else Anchor(row.number, bytes(row.hash))


def seal(uow: UnitOfWork, limit: int = BATCH) -> int:
    """Seal what no running transaction can precede any more; a periodic job.

    Parameters
    ----------
    uow : UnitOfWork
        Its own, with nothing else in it.
    limit : int
        Most records to seal in this transaction.

    Returns
    -------
    int
        How many were sealed; 0 also where another sealer is at work. Where it equals `limit`
        there may be more.
    """
    connection = uow.connection
    if not connection.scalar(
        text("select pg_try_advisory_xact_lock(:lock)"), {"lock": _SEALER_LOCK}
    ):
        return 0
    # This statement and the next begin after the lock was taken, so that their snapshots hold
    # all that the sealer before has committed.
    ids = list(connection.scalars(TAKE, {"most": limit}))
    if not ids:
        return 0
    found = {
        row.id: record_of(row)
        for row in connection.execute(record_columns().where(RECORD.c.id.in_(ids)))
    }
    last = head(connection)
    number, previous = (0, GENESIS) if last is None else (last.number, last.hash)
    sealed_at = uow.wall.now()
    seals: list[dict[str, Any]] = []
    for record_id in ids:
        number += 1
        digest = link(previous, found[record_id], number)
        seals.append(
            {
                "number": number,
                "record_id": record_id,
                "sealed_at": sealed_at,
                "previous_hash": previous,
                "hash": digest,
            }
        )
        previous = digest
    connection.execute(insert(SEAL), seals)
    connection.execute(DROP, {"ids": ids})
    return len(seals)


def unsealed_age_s(connection: Connection, now: datetime) -> float:
    """Give the age in seconds, at an instant of wall time, of the oldest record not sealed yet.

    0 where all are sealed.
    """
    oldest: datetime | None = connection.scalar(OLDEST)
    return 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())


def sealed_records(connection: Connection, after: int = 0) -> Iterator[tuple[Any, Record | None]]:
    """Read the chain in order, without holding it in memory.

    Yields
    ------
    tuple
        The seal's row (number, record_id, sealed_at, previous_hash, hash) and its record, None
        where that is gone.
    """
    columns = record_columns()
    query = (
        columns.add_columns(
            SEAL.c.number, SEAL.c.record_id, SEAL.c.sealed_at, SEAL.c.previous_hash, SEAL.c.hash
        )
        .select_from(SEAL.outerjoin(RECORD, RECORD.c.id == SEAL.c.record_id))
        .where(SEAL.c.number > after)
        .order_by(SEAL.c.number)
        .execution_options(yield_per=_READ_AHEAD)
    )
    for row in connection.execute(query):
        yield row, None if row.id is None else record_of(row)


def _broken_links(connection: Connection, anchor: Anchor | None) -> Iterator[Problem | Anchor]:
    """Walk the chain: every problem in its order, and each link as it is passed."""
    previous, expected, anchored = GENESIS, 1, anchor is None
    for row, record in sealed_records(connection):
        hash_, previous_hash = bytes(row.hash), bytes(row.previous_hash)
        if row.number != expected:
            yield Problem("missing_seal", expected, None)
        elif previous_hash != previous:
            yield Problem("broken_link", row.number, row.record_id)
        if record is None:
            yield Problem("missing", row.number, row.record_id)
        elif link(previous_hash, record, row.number) != hash_:
            yield Problem("tampered", row.number, row.record_id)
        passed = Anchor(row.number, hash_)
        anchored = anchored or passed == anchor
        yield passed
        previous, expected = hash_, row.number + 1
    if not anchored and anchor is not None:
        yield Problem("anchor_not_found", anchor.number, None)


def verify(connection: Connection, anchor: Anchor | None = None) -> ChainReport:
    """Check the whole chain.

    Parameters
    ----------
    connection : Connection
        Best with a single snapshot (repeatable read): a sealer that commits between the checks
        could otherwise move a record from the queue to the chain unseen.
    anchor : Anchor or None
        A link noted down earlier outside the database: without one, a chain that was cut at its
        end or rewritten as a whole looks whole.

    Notes
    -----
    Reads every record once, in order, in constant memory: 16 000 a second on 2 busy cores.
    """
    problems: list[Problem] = []
    checked, last = 0, None
    for found in _broken_links(connection, anchor):
        if isinstance(found, Anchor):
            checked, last = checked + 1, found
        elif len(problems) < MOST_PROBLEMS:
            problems.append(found)
    room = MOST_PROBLEMS - len(problems)
    strays = [
        *(Problem("inserted", None, i) for i in connection.scalars(INSERTED, {"most": room})),
        *(Problem("missing", None, i) for i in connection.scalars(VANISHED, {"most": room})),
    ]
    problems += islice(strays, room)
    left = connection.execute(LEFT).one()
    return ChainReport(checked, last, left[0], left[1], tuple(problems))


def chain_lines(connection: Connection, after: int = 0) -> Iterator[dict[str, Any]]:
    """Write the chain for others to check: a line a link, its hash and exactly what it covers.

    ``sha256(bytes.fromhex(previous_hash) + sealed.encode())`` is ``hash``.
    """
    for row, record in sealed_records(connection, after):
        yield {
            "number": row.number,
            "record_id": row.record_id,
            "sealed_at": rfc3339(row.sealed_at),
            "previous_hash": bytes(row.previous_hash).hex(),
            "hash": bytes(row.hash).hex(),
            "sealed": None if record is None else canonical(record, row.number).decode(),
        }
