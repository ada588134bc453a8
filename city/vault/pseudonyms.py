"""Pseudonyms: an identifier for somebody's phone number or wallet, which itself is not kept.

Only a keyed hash is: whoever reads the database cannot try out all phone numbers without the key.
Unlike a plate it cannot be carried over to a new key by a job, for the text is nowhere; it is
carried over when it is used next, and an old key retires only when no pseudonym needs it.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import insert, select, tuple_, update

from city.identifiers import uuid7
from city.vault.keys import KeySource
from city.vault.opening import open_for_writing, take_turns
from city.vault.plates import USE_NOTED_EVERY
from city.vault.store import PSEUDONYM
from city.works.database import UnitOfWork


def _purpose(purpose: str) -> str:
    return f"pseudonym/{purpose}"


def keyed_digests(
    uow: UnitOfWork, purpose: str, subject: str, *, keys: KeySource | None = None
) -> tuple[bytes, ...]:
    """Hash a text under every live key, the one for new rows first; 32 bytes each.

    For what lives shorter than a rotation takes, such as one-time codes.
    """
    opened = open_for_writing(uow, keys)
    hashes = opened.lookups(_purpose(purpose), subject)
    first = hashes.pop(opened.current)
    return (first, *hashes.values())


def keep_pseudonym(
    uow: UnitOfWork, purpose: str, subject: str, *, keys: KeySource | None = None
) -> UUID:
    """Find or make the pseudonym of a text.

    Parameters
    ----------
    uow : UnitOfWork
        Its transaction.
    purpose : str
        What it is for; the same text has unrelated pseudonyms for two purposes.
    subject : str
        The text, in the one form in which it is written.
    keys : KeySource or None
        Another key source than the process's own.

    Returns
    -------
    UUID
        The same for the same purpose and text, until it is forgotten.
    """
    opened = open_for_writing(uow, keys)
    hashes = opened.lookups(_purpose(purpose), subject)
    take_turns(uow.connection, hashes.values())
    row = uow.connection.execute(
        select(PSEUDONYM.c.id, PSEUDONYM.c.key_version, PSEUDONYM.c.used_at).where(
            PSEUDONYM.c.purpose == purpose,
            tuple_(PSEUDONYM.c.key_version, PSEUDONYM.c.lookup).in_(list(hashes.items())),
        )
    ).one_or_none()
    at = uow.wall.now()
    if row is None:
        fresh = uuid7()
        uow.connection.execute(
            insert(PSEUDONYM).values(
                id=fresh,
                purpose=purpose,
                key_version=opened.current,
                lookup=hashes[opened.current],
                created_at=at,
                used_at=at,
            )
        )
        return fresh
    known: UUID = row.id
    if row.key_version != opened.current or at - row.used_at >= USE_NOTED_EVERY:
        uow.connection.execute(
            update(PSEUDONYM)
            .where(PSEUDONYM.c.id == known)
            .values(key_version=opened.current, lookup=hashes[opened.current], used_at=at)
        )
    return known


FORGET_AT_ONCE: Final = 1_000


def forget_pseudonyms(uow: UnitOfWork, before_at: datetime, *, limit: int = FORGET_AT_ONCE) -> int:
    """Forget pseudonyms last used before an instant of wall time; give how many.

    The same text used again gets a new one.
    """
    old = (
        select(PSEUDONYM.c.id)
        .where(PSEUDONYM.c.forgotten_at.is_(None), PSEUDONYM.c.used_at < before_at)
        .order_by(PSEUDONYM.c.used_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return uow.connection.execute(
        update(PSEUDONYM)
        .where(PSEUDONYM.c.id.in_(old.scalar_subquery()))
        .values(key_version=None, lookup=None, forgotten_at=uow.wall.now())
    ).rowcount
