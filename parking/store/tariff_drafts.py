"""Tariff versions on their way to the street, and the simulations of drafts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection, RowMapping, Select, Text, cast, insert, select, text, update

from city.identifiers import TariffId, TariffVersionId, uuid7
from parking.store.pages import Page, checked_limit, paged
from parking.store.tables import facility, tariff, tariff_simulation, tariff_version

Status = Literal["draft", "approved", "published", "withdrawn"]
Origin = Literal["import", "person", "demand_rule"]


@dataclass(frozen=True, slots=True)
class KnownTariff:
    """A tariff by its code, and how long before they take effect its changes are announced."""

    id: TariffId
    code: str
    name_zh: str
    name_en: str
    notice_s: int


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A version with who did what to it; without its document."""

    id: TariffVersionId
    tariff_id: TariffId
    version: int
    status: Status
    origin: Origin
    revision: int
    """Counts the edits of a draft."""
    note: str
    drafted_at: datetime | None
    drafted_by: str | None
    edited_at: datetime | None
    edited_by: str | None
    approved_at: datetime | None
    approved_by: str | None
    published_at: datetime | None
    published_by: str | None
    valid_from: datetime | None
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_reason: str | None


@dataclass(frozen=True, slots=True)
class Simulation:
    """A simulation of one revision of a version on the stays of a stretch of time."""

    id: UUID
    version_id: TariffVersionId
    revision: int
    from_at: datetime
    to_at: datetime
    status: Literal["waiting", "done", "failed"]
    requested_at: datetime
    requested_by: str
    finished_at: datetime | None
    result: dict[str, JsonValue] | None
    problem: str | None


def tariffs(
    connection: Connection, *, after: UUID | None = None, limit: int = 100
) -> Page[KnownTariff]:
    """Give tariffs, the latest first."""
    query = _tariffs().order_by(tariff.c.id.desc()).limit(checked_limit(limit) + 1)
    if after is not None:
        query = query.where(tariff.c.id < after)
    found = [KnownTariff(**row) for row in connection.execute(query).mappings()]
    return paged(found, [each.id for each in found], limit)


def tariff_by_code(connection: Connection, code: str) -> KnownTariff | None:
    """Give a tariff by its code."""
    row = connection.execute(_tariffs().where(tariff.c.code == code)).mappings().one_or_none()
    return None if row is None else KnownTariff(**row)


def tariff_by_id(
    connection: Connection, tariff_id: TariffId, *, lock: bool = False
) -> KnownTariff | None:
    """Give a tariff; with `lock` nobody else publishes for it before the transaction ends."""
    query = _tariffs().where(tariff.c.id == tariff_id)
    if lock:
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else KnownTariff(**row)


def districts_of(connection: Connection, code: str) -> list[str]:
    """Give the districts in which a tariff is charged."""
    query = (
        select(facility.c.district)
        .join(tariff, tariff.c.id == facility.c.tariff_id)
        .where(tariff.c.code == code)
        .distinct()
    )
    return list(connection.scalars(query))


def code_of(connection: Connection, version_id: TariffVersionId) -> str | None:
    """Give the code of a version's tariff; None where there is no such version."""
    query = (
        select(tariff.c.code)
        .join(tariff_version, tariff_version.c.tariff_id == tariff.c.id)
        .where(tariff_version.c.id == version_id)
    )
    return connection.execute(query).scalar_one_or_none()


def set_notice(connection: Connection, tariff_id: TariffId, notice_s: int) -> None:
    """Write how long before they take effect a tariff's changes are announced."""
    connection.execute(update(tariff).where(tariff.c.id == tariff_id).values(notice_s=notice_s))


def rename(connection: Connection, tariff_id: TariffId, name_zh: str, name_en: str) -> None:
    """Write a tariff's name: the one of what is published last."""
    connection.execute(
        update(tariff).where(tariff.c.id == tariff_id).values(name_zh=name_zh, name_en=name_en)
    )


def versions(
    connection: Connection,
    tariff_id: TariffId,
    *,
    after: UUID | None = None,
    limit: int = 100,
) -> Page[VersionRecord]:
    """Give the versions of a tariff, the latest first."""
    query = (
        _records()
        .where(tariff_version.c.tariff_id == tariff_id)
        .order_by(tariff_version.c.id.desc())
        .limit(checked_limit(limit) + 1)
    )
    if after is not None:
        query = query.where(tariff_version.c.id < after)
    found = [_record(row) for row in connection.execute(query).mappings()]
    return paged(found, [each.id for each in found], limit)


def record_of(
    connection: Connection, version_id: TariffVersionId, *, lock: bool = False
) -> VersionRecord | None:
    """Give a version without its document; with `lock` nobody else changes it meanwhile."""
    query = _records().where(tariff_version.c.id == version_id)
    if lock:
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _record(row)


def document_of(connection: Connection, version_id: TariffVersionId) -> str | None:
    """Give the JSON text of a version's document."""
    query = select(cast(tariff_version.c.document, Text)).where(tariff_version.c.id == version_id)
    return connection.execute(query).scalar_one_or_none()


def latest_published_from(connection: Connection, tariff_id: TariffId) -> datetime | None:
    """Give from when the last published version of a tariff is in force; None without one."""
    query = (
        select(tariff_version.c.valid_from)
        .where(tariff_version.c.tariff_id == tariff_id, tariff_version.c.status == "published")
        .order_by(tariff_version.c.valid_from.desc())
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()


def add_draft(
    connection: Connection,
    tariff_id: TariffId,
    document: JsonValue,
    *,
    note: str,
    origin: Origin,
    at: datetime,
    by: str,
) -> TariffVersionId:
    """Write a draft under the tariff's next number; lock the tariff first."""
    made = TariffVersionId(uuid7())
    last = (
        select(tariff_version.c.version)
        .where(tariff_version.c.tariff_id == tariff_id)
        .order_by(tariff_version.c.version.desc())
        .limit(1)
    )
    number = connection.execute(last).scalar_one_or_none() or 0
    connection.execute(
        insert(tariff_version).values(
            id=made,
            tariff_id=tariff_id,
            version=number + 1,
            document=document,
            status="draft",
            origin=origin,
            note=note,
            drafted_at=at,
            drafted_by=by,
        )
    )
    return made


def change(connection: Connection, version_id: TariffVersionId, **values: object) -> None:
    """Write columns of a version; lock it first (`record_of`)."""
    connection.execute(
        update(tariff_version).where(tariff_version.c.id == version_id).values(**values)
    )


# --- simulations ---------------------------------------------------------------------------------


def add_simulation(
    connection: Connection,
    version: VersionRecord,
    from_at: datetime,
    to_at: datetime,
    *,
    at: datetime,
    by: str,
) -> UUID:
    """Write a simulation that waits to be run."""
    made = uuid7()
    connection.execute(
        insert(tariff_simulation).values(
            id=made,
            version_id=version.id,
            revision=version.revision,
            from_at=from_at,
            to_at=to_at,
            status="waiting",
            requested_at=at,
            requested_by=by,
        )
    )
    return made


def simulation(
    connection: Connection, simulation_id: UUID, *, lock: bool = False
) -> Simulation | None:
    """Give a simulation; with `lock` nobody else runs it meanwhile."""
    query = select(tariff_simulation).where(tariff_simulation.c.id == simulation_id)
    if lock:
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Simulation(**row)


def latest_simulation(connection: Connection, version_id: TariffVersionId) -> Simulation | None:
    """Give the simulation of a version that was asked for last."""
    query = (
        select(tariff_simulation)
        .where(tariff_simulation.c.version_id == version_id)
        .order_by(tariff_simulation.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Simulation(**row)


def simulated(connection: Connection, version_id: TariffVersionId, revision: int) -> bool:
    """Tell whether a revision has a simulation that is done."""
    found = text(
        "select exists (select from parking.tariff_simulation"
        " where version_id = :version and revision = :revision and status = 'done')"
    )
    values = {"version": version_id, "revision": revision}
    return bool(connection.execute(found, values).scalar_one())


def finish_simulation(
    connection: Connection,
    simulation_id: UUID,
    at: datetime,
    *,
    result: Mapping[str, JsonValue] | None = None,
    problem: str | None = None,
) -> None:
    """Write what a simulation gave, or why it gave nothing."""
    connection.execute(
        update(tariff_simulation)
        .where(tariff_simulation.c.id == simulation_id)
        .values(
            status="failed" if result is None else "done",
            finished_at=at,
            result=None if result is None else dict(result),
            problem=problem,
        )
    )


def _tariffs() -> Select[Any]:
    return select(tariff.c.id, tariff.c.code, tariff.c.name_zh, tariff.c.name_en, tariff.c.notice_s)


def _records() -> Select[Any]:
    return select(*(column for column in tariff_version.c if column.name != "document"))


def _record(row: RowMapping) -> VersionRecord:
    return VersionRecord(**row)
