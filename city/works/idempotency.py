"""One answer for each `Idempotency-Key`: kept in the same transaction as what it answers.

A key belongs to an actor. `begin` inserts it; a second request with it waits for the first one's
transaction and then gets its answer, or goes ahead where the first one failed.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from city.errors import Conflict, Invalid, Unavailable
from city.works.database import UnitOfWork

KEY_LIMIT = 200
"""Characters."""
WAIT_S = 5
"""Longest wait for a concurrent request with the same key."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, to be answered again."""

    status: int
    content_type: str
    body: bytes


def request_hash(method: str, path: str, body: bytes) -> bytes:
    """Return the SHA-256 of what makes two requests the same."""
    digest = hashlib.sha256()
    for part in (method.upper().encode(), path.encode(), body):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


def check_key(key: str) -> None:
    """Pass what can be a key; Invalid otherwise."""
    if not 0 < len(key) <= KEY_LIMIT or not (key.isascii() and key.isprintable()):
        raise Invalid(
            f"must be 1 to {KEY_LIMIT} printable ASCII characters", field="Idempotency-Key"
        )


def begin(
    uow: UnitOfWork, actor: str, key: str, route: str, hashed: bytes, *earlier: bytes
) -> Answer | None:
    """Claim `key` for this request, or return the answer that it already has.

    Parameters
    ----------
    uow
        The unit of work that also does what the request asks for.
    actor
        Whose key it is: kind and subject.
    key
        The header's value, at most `KEY_LIMIT` printable characters.
    route
        Name of the operation, for people who look into the table.
    hashed
        `request_hash` of the request, or a keyed hash of that.
    earlier
        What the same request would have been hashed to under earlier keys.

    Returns
    -------
    Answer or None
        None: go ahead, then call `finish` before the unit of work ends.

    Raises
    ------
    Conflict
        The key came before with another request, or its first request is still running.
    Invalid
        The key is empty, too long or not printable ASCII.
    """
    check_key(key)
    connection = uow.connection
    connection.execute(text(f"set local lock_timeout = '{WAIT_S}s'"))
    try:
        with connection.begin_nested():
            claimed = connection.execute(
                text(
                    "insert into works.idempotency (actor, key, route, request_hash, begun_at)"
                    " values (:actor, :key, :route, :hashed, :at)"
                    " on conflict (actor, key) do nothing returning 1"
                ),
                {
                    "actor": actor,
                    "key": key,
                    "route": route,
                    "hashed": hashed,
                    "at": uow.wall.now(),
                },
            ).scalar_one_or_none()
    except Exception as error:
        if getattr(getattr(error, "orig", None), "sqlstate", None) == "55P03":
            raise Conflict(
                "a request with this key is still running", field="Idempotency-Key"
            ) from error
        raise
    connection.execute(text("set local lock_timeout to default"))
    if claimed is not None:
        return None
    found = connection.execute(
        text(
            "select request_hash, status, content_type, body from works.idempotency"
            " where actor = :actor and key = :key"
        ),
        {"actor": actor, "key": key},
    ).one_or_none()
    if found is None:  # forgotten between the two statements
        raise Unavailable("try again")
    if bytes(found.request_hash) not in {hashed, *earlier}:
        raise Conflict("this key came before with another request", field="Idempotency-Key")
    if found.status is None:
        raise Conflict("this key's first request ended without an answer", field="Idempotency-Key")
    return Answer(found.status, found.content_type, bytes(found.body))


def finish(uow: UnitOfWork, actor: str, key: str, answer: Answer) -> None:
    """Keep `answer` for `key`, in the transaction that began it."""
    uow.connection.execute(
        text(
            "update works.idempotency set status = :status, content_type = :content_type,"
            " body = :body where actor = :actor and key = :key"
        ),
        {
            "status": answer.status,
            "content_type": answer.content_type,
            "body": answer.body,
            "actor": actor,
            "key": key,
        },
    )


def forget(uow: UnitOfWork, before_at: datetime) -> int:
    """Remove the answers to requests begun before `before_at`; return how many."""
    return uow.connection.execute(
        text("delete from works.idempotency where begun_at < :before"), {"before": before_at}
    ).rowcount
