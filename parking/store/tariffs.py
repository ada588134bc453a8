"""Tariffs and their versions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import JsonValue
from sqlalchemy import Connection, RowMapping, Select, Text, cast, func, insert, select
from sqlalchemy.dialects import postgresql

from city.identifiers import FacilityId, TariffId, TariffVersionId, uuid7
from parking.store.tables import facility, tariff, tariff_version


@dataclass(frozen=True, slots=True)
class TariffVersion:
    """A version of a tariff as it is stored."""

    id: TariffVersionId
    tariff_id: TariffId
    version: int
    document: str
    """JSON text."""
    status: str
    valid_from: datetime | None


def ensure_tariff(connection: Connection, code: str, name_zh: str, name_en: str) -> TariffId:
    """Find or make a tariff by its code, and lock it until the end of the transaction."""
    connection.execute(
        postgresql.insert(tariff)
        .values(id=uuid7(), code=code, name_zh=name_zh, name_en=name_en)
        .on_conflict_do_nothing(index_elements=["code"])
    )
    found = select(tariff.c.id).where(tariff.c.code == code).with_for_update()
    return TariffId(connection.execute(found).scalar_one())


def latest_version(connection: Connection, tariff_id: TariffId) -> TariffVersion | None:
    """Give the version of a tariff that was written last."""
    return _one(
        connection,
        _versions()
        .where(tariff_version.c.tariff_id == tariff_id)
        .order_by(tariff_version.c.version.desc())
        .limit(1),
    )


def add_version(
    connection: Connection,
    tariff_id: TariffId,
    version: int,
    document: JsonValue,
    *,
    valid_from: datetime,
    published_at: datetime,
    published_by: str,
) -> TariffVersionId:
    """Write a published version; lock the tariff first (`ensure_tariff`)."""
    made = uuid7()
    connection.execute(
        insert(tariff_version).values(
            id=made,
            tariff_id=tariff_id,
            version=version,
            document=document,
            status="published",
            origin="import",
            valid_from=valid_from,
            published_at=published_at,
            published_by=published_by,
        )
    )
    return TariffVersionId(made)


def version(connection: Connection, version_id: TariffVersionId) -> TariffVersion | None:
    """Give a version by its id."""
    return _one(connection, _versions().where(tariff_version.c.id == version_id))


def version_at(
    connection: Connection, facility_id: FacilityId, at: datetime
) -> TariffVersion | None:
    """Give the version in force at a facility at an instant; None where it charges nothing."""
    return _one(
        connection,
        _versions()
        .join(facility, facility.c.tariff_id == tariff_version.c.tariff_id)
        .where(
            facility.c.id == facility_id,
            tariff_version.c.status == "published",
            tariff_version.c.valid_from <= at,
        )
        .order_by(tariff_version.c.valid_from.desc())
        .limit(1),
    )


def in_force(connection: Connection, tariff_id: TariffId, at: datetime) -> TariffVersion | None:
    """Give the version of a tariff that is in force at an instant."""
    return _one(
        connection,
        _versions()
        .where(
            tariff_version.c.tariff_id == tariff_id,
            tariff_version.c.status == "published",
            tariff_version.c.valid_from <= at,
        )
        .order_by(tariff_version.c.valid_from.desc())
        .limit(1),
    )


def facility_known(connection: Connection, facility_id: FacilityId) -> bool:
    """Tell whether there is such a facility."""
    found = select(func.count()).where(facility.c.id == facility_id)
    return bool(connection.execute(found).scalar_one())


def codes(connection: Connection, tariff_ids: Iterable[TariffId]) -> dict[TariffId, str]:
    """Give the codes of tariffs; those that do not exist are left out."""
    wanted = set(tariff_ids)
    if not wanted:
        return {}
    rows = connection.execute(select(tariff.c.id, tariff.c.code).where(tariff.c.id.in_(wanted)))
    return {TariffId(row.id): row.code for row in rows}


def _versions() -> Select[Any]:
    return select(
        tariff_version.c.id,
        tariff_version.c.tariff_id,
        tariff_version.c.version,
        cast(tariff_version.c.document, Text).label("document"),
        tariff_version.c.status,
        tariff_version.c.valid_from,
    )


def _one(connection: Connection, query: Select[Any]) -> TariffVersion | None:
    row: RowMapping | None = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    values = dict(row)
    return TariffVersion(**values)
