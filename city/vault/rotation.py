"""Rotating the keys: a new version for new rows, old rows carried over, old versions retired."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from city import audit
from city.errors import Conflict
from city.people.actors import system_actor
from city.vault.keys import KeySource, key_source
from city.vault.opening import OpenVault, open_for_writing, open_vault, take_alone
from city.vault.plates import LOOKUP, decrypt, encrypt
from city.vault.store import KEY, PICTURE, PSEUDONYM, VEHICLE
from city.works.database import UnitOfWork

ROTATION = system_actor("vault.rotation")


@dataclass(frozen=True, slots=True)
class RotationReport:
    """What one step of a rotation did.

    Parameters
    ----------
    current : int or None
        Version that new rows use; None for an empty vault.
    carried : int
        Plates carried over in this step.
    left : int
        Plates, pseudonyms and pictures still under older versions.
    retired : tuple of int
        Versions that no row needs any more, retired in this step.
    """

    current: int | None
    carried: int
    left: int
    retired: tuple[int, ...]


def begin_rotation(uow: UnitOfWork, *, keys: KeySource | None = None) -> int:
    """Let new rows use a fresh key; `rotate` then carries the old ones over.

    With a key file the key is made here. With ``VAULT_KEYS`` it has to be in the environment of
    every process first: one that lacks it refuses to work, rather than make vehicles twice.

    Returns
    -------
    int
        The new version.

    Raises
    ------
    Conflict
        Where ``VAULT_KEYS`` lacks the next version.
    Unavailable
        Where transactions that write keep it waiting for more than 5 s.
    """
    source = keys or key_source()
    if open_vault(uow.connection, source) is None:
        return open_for_writing(uow, source).current
    take_alone(uow.connection)
    highest: int = uow.connection.scalar(select(func.max(KEY.c.version))) or 0
    version = highest + 1
    # The ring first: a key that the database does not know yet harms nobody.
    ring = source.add(version)
    uow.connection.execute(update(KEY).where(KEY.c.current).values(current=False))
    uow.connection.execute(
        insert(KEY).values(
            version=version,
            check_value=ring.check_value(version),
            current=True,
            created_at=uow.wall.now(),
        )
    )
    audit.record(uow, ROTATION, "vault.key_added", "vault-key", str(version), {})
    return version


def rotate(uow: UnitOfWork, limit: int = 500, *, keys: KeySource | None = None) -> RotationReport:
    """Carry plates over to the current key and retire keys that no row needs; a job.

    Parameters
    ----------
    uow : UnitOfWork
        Its own: rows stay locked until it ends.
    limit : int
        Most plates to carry over in this transaction: 2 000 a second on 2 busy cores.
    keys : KeySource or None
        Another key source than the process's own.
    """
    opened = open_vault(uow.connection, keys)
    if opened is None:
        return RotationReport(None, 0, 0, ())
    carried = _carry_over(uow, opened, limit)
    old = [version for version in opened.live if version != opened.current]
    if not old:
        return RotationReport(opened.current, carried, 0, ())
    left = _rows_under(uow, old)
    needless = [version for version in old if left.get(version, 0) == 0]
    retired = _retire(uow, needless) if needless else ()
    return RotationReport(opened.current, carried, sum(left.values()), retired)


def _carry_over(uow: UnitOfWork, opened: OpenVault, limit: int) -> int:
    rows = uow.connection.execute(
        select(VEHICLE)
        .where(VEHICLE.c.key_version < opened.current)
        .order_by(VEHICLE.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    fresh: list[dict[str, Any]] = []
    for row in rows:
        sealed = (bytes(row.nonce), bytes(row.ciphertext))
        plate = decrypt(opened.ring, row.key_version, row.id, row.kind, sealed)
        nonce, ciphertext = encrypt(opened.ring, opened.current, row.id, row.kind, plate.text)
        fresh.append(
            {
                "row_id": row.id,
                "version": opened.current,
                "hash": opened.hash_current(LOOKUP, plate.identity),
                "fresh_nonce": nonce,
                "fresh_ciphertext": ciphertext,
            }
        )
    if fresh:
        uow.connection.execute(
            update(VEHICLE)
            .where(VEHICLE.c.id == bindparam("row_id"))
            .values(
                key_version=bindparam("version"),
                lookup=bindparam("hash"),
                nonce=bindparam("fresh_nonce"),
                ciphertext=bindparam("fresh_ciphertext"),
            ),
            fresh,
        )
    return len(fresh)


def _rows_under(uow: UnitOfWork, versions: list[int]) -> dict[int, int]:
    counted: dict[int, int] = {}
    for table in (VEHICLE, PSEUDONYM, PICTURE):
        rows = uow.connection.execute(
            select(table.c.key_version, func.count())
            .where(table.c.key_version.in_(versions))
            .group_by(table.c.key_version)
        )
        for version, number in rows:
            counted[version] = counted.get(version, 0) + number
    return counted


def _retire(uow: UnitOfWork, versions: list[int]) -> tuple[int, ...]:
    """Retire versions, looking again once nobody can write under them any more."""
    take_alone(uow.connection)
    used = _rows_under(uow, versions)
    retired = tuple(version for version in versions if used.get(version, 0) == 0)
    if retired:
        uow.connection.execute(
            update(KEY)
            .where(KEY.c.version.in_(retired), KEY.c.current.is_(False))
            .values(retired_at=uow.wall.now())
        )
    audit.record_all(uow, ROTATION, "vault.key_retired", "vault-key", {str(v): {} for v in retired})
    return retired


def drop_retired(uow: UnitOfWork, *, keys: KeySource | None = None) -> tuple[int, ...]:
    """Take retired keys out of the key ring, for good.

    Backups made while they were in use can then no longer be read: do it when the last of those
    has expired.

    Returns
    -------
    tuple of int
        The versions taken out.

    Raises
    ------
    Conflict
        Where the ring is in ``VAULT_KEYS``: take them out there.
    """
    source = keys or key_source()
    ring = source.reload()
    retired = frozenset(
        uow.connection.scalars(select(KEY.c.version).where(KEY.c.retired_at.is_not(None)))
    )
    droppable = retired & set(ring.versions if ring is not None else ())
    if not droppable:
        return ()
    if ring is not None and droppable == set(ring.versions):
        raise Conflict("the key ring would be empty")
    source.drop(droppable)
    audit.record_all(
        uow, ROTATION, "vault.key_dropped", "vault-key", {str(v): {} for v in sorted(droppable)}
    )
    return tuple(sorted(droppable))
