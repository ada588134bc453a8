"""Pictures with plates in them, sealed: a photograph of a plate is the plate. Other files, too.

Unlike plates they are not carried over to a new key: an old key retires when the last picture under
it is dropped. Pictures of vehicles are not kept for long; what is kept of junctions keeps its key.
"""

import os
from collections.abc import Collection
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, insert, select

from city.errors import CityError, Invalid, NotFound
from city.identifiers import uuid7
from city.vault.keys import KeySource
from city.vault.opening import open_for_writing, open_vault
from city.vault.store import PICTURE
from city.works.database import UnitOfWork

LARGEST: Final = 2 * 1024 * 1024
_PURPOSE: Final = "picture"
_NONCE_BYTES: Final = 12


def keep_picture(uow: UnitOfWork, content: bytes, *, keys: KeySource | None = None) -> UUID:
    """Seal a picture and keep it; give its id.

    Raises
    ------
    Invalid
        Where it is empty or larger than `LARGEST`.
    """
    if not 0 < len(content) <= LARGEST:
        raise Invalid(f"must have 1 to {LARGEST} bytes", field="picture")
    opened = open_for_writing(uow, keys)
    picture_id, nonce = uuid7(), os.urandom(_NONCE_BYTES)
    cipher = AESGCM(opened.ring.derive(opened.current, _PURPOSE))
    uow.connection.execute(
        insert(PICTURE).values(
            id=picture_id,
            key_version=opened.current,
            nonce=nonce,
            # Bound to its row: another row's picture in its place does not open.
            ciphertext=cipher.encrypt(nonce, content, picture_id.bytes),
            created_at=uow.wall.now(),
        )
    )
    return picture_id


def open_picture(uow: UnitOfWork, picture_id: UUID, *, keys: KeySource | None = None) -> bytes:
    """Open a picture; whoever shows it to somebody puts that on record.

    Raises
    ------
    NotFound
        Where it is not kept any more.
    CityError
        Where it was tampered with.
    """
    row = uow.connection.execute(select(PICTURE).where(PICTURE.c.id == picture_id)).one_or_none()
    opened = open_vault(uow.connection, keys) if row is not None else None
    if row is None or opened is None:
        raise NotFound("the picture is not kept any more", field="picture_id")
    cipher = AESGCM(opened.ring.derive(row.key_version, _PURPOSE))
    try:
        return cipher.decrypt(bytes(row.nonce), bytes(row.ciphertext), picture_id.bytes)
    except InvalidTag:
        raise CityError("a sealed picture was tampered with") from None


def drop_pictures(uow: UnitOfWork, picture_ids: Collection[UUID]) -> None:
    """Forget pictures for good."""
    if picture_ids:
        uow.connection.execute(delete(PICTURE).where(PICTURE.c.id.in_(list(picture_ids))))
