"""The tariff versions in force at many facilities at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, text

from city.identifiers import FacilityId, TariffVersionId

IN_FORCE: Final = text(
    "select f.id as facility_id, v.id as version_id, n.valid_from as until_at"
    " from parking.facility f"
    " left join lateral (select id from parking.tariff_version v"
    "  where v.tariff_id = f.tariff_id and v.status = 'published' and v.valid_from <= :at"
    "  order by v.valid_from desc limit 1) v on true"
    " left join lateral (select valid_from from parking.tariff_version n"
    "  where n.tariff_id = f.tariff_id and n.status = 'published' and n.valid_from > :at"
    "  order by n.valid_from limit 1) n on true"
    " where f.id = any(:facilities)"
)

DOCUMENTS: Final = text(
    "select id, cast(document as text) as document from parking.tariff_version where id = any(:ids)"
)


@dataclass(frozen=True, slots=True)
class InForce:
    """What is in force from an instant on.

    Attributes
    ----------
    version_id
        None where no tariff is.
    until_at
        When another published version takes over; None where none is announced.
    """

    version_id: TariffVersionId | None
    until_at: datetime | None


def in_force(
    connection: Connection, facility_ids: Iterable[FacilityId], at: datetime
) -> dict[FacilityId, InForce]:
    """Give what is in force at each facility that exists; one statement."""
    rows = connection.execute(IN_FORCE, {"facilities": list(facility_ids), "at": at})
    return {
        FacilityId(row.facility_id): InForce(
            None if row.version_id is None else TariffVersionId(row.version_id), row.until_at
        )
        for row in rows
    }


def documents(connection: Connection, version_ids: Iterable[UUID]) -> dict[TariffVersionId, str]:
    """Give versions' documents as JSON text; one statement."""
    rows = connection.execute(DOCUMENTS, {"ids": list(version_ids)})
    return {TariffVersionId(row.id): row.document for row in rows}
