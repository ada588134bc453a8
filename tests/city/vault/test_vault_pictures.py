"""Pictures in the vault: sealed, bound to their row, in the way of a key's retirement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from city.errors import CityError, Invalid, NotFound
from city.vault import (
    FileKeys,
    begin_rotation,
    drop_pictures,
    keep_picture,
    open_picture,
    rotate,
)

if TYPE_CHECKING:
    from pathlib import Path

    from city.works.database import Database

CONTENT = b"\xff\xd8\xff a plate, in the clear"


@pytest.fixture
def keys(tmp_path: Path) -> FileKeys:
    return FileKeys(tmp_path / "vault.json")


def test_a_picture_is_sealed_opened_and_forgotten(database: Database, keys: FileKeys) -> None:
    with database.unit_of_work() as uow:
        kept = keep_picture(uow, CONTENT, keys=keys)
        row = uow.connection.execute(text("select ciphertext from vault.picture")).scalar_one()
        assert b"plate" not in bytes(row)
        assert open_picture(uow, kept, keys=keys) == CONTENT
        drop_pictures(uow, [kept])
        with pytest.raises(NotFound):
            open_picture(uow, kept, keys=keys)
        for wrong in (b"", b"x" * (2 * 1024 * 1024 + 1)):
            with pytest.raises(Invalid):
                keep_picture(uow, wrong, keys=keys)


def test_a_picture_in_the_place_of_another_does_not_open(
    database: Database, keys: FileKeys
) -> None:
    with database.unit_of_work() as uow:
        first, second = (keep_picture(uow, each, keys=keys) for each in (CONTENT, CONTENT[::-1]))
        uow.connection.execute(
            text(
                "update vault.picture p set nonce = o.nonce, ciphertext = o.ciphertext"
                " from vault.picture o where p.id = :one and o.id = :other"
            ),
            {"one": first, "other": second},
        )
        with pytest.raises(CityError, match="tampered"):
            open_picture(uow, first, keys=keys)


def test_a_key_retires_when_its_last_picture_is_forgotten(
    database: Database, keys: FileKeys
) -> None:
    with database.unit_of_work() as uow:
        kept = keep_picture(uow, CONTENT, keys=keys)
    with database.unit_of_work() as uow:
        begin_rotation(uow, keys=keys)
    with database.unit_of_work() as uow:
        report = rotate(uow, keys=keys)
        assert (report.left, report.retired) == (1, ())
        assert open_picture(uow, kept, keys=keys) == CONTENT
        drop_pictures(uow, [kept])
        assert rotate(uow, keys=keys).retired == (1,)
