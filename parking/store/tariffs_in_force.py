"""The tariff versions in force at many facilities at once."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, text

from city.identifiers import FacilityId, TariffVersionId

IN_FORCE: Final = text(
    "select f.id as facility_id, v.id as version_id from parking.facility f"
    " cross join lateral (select id from parking.tariff_version v"
    "  where v.tariff_id = f.tariff_id and v.status = 'published' and v.valid_from <= :at"
    "  order by v.valid_from desc limit 1) v"
    " where f.id = any(:facilities)"
)

DOCUMENTS: Final = text(
    "select id, cast(document as text) as document from parking.tariff_version where id = any(:ids)"
)


def in_force(
    connection: Connection, facility_ids: Iterable[FacilityId], at: datetime
) -> dict[FacilityId, TariffVersionId]:
    """Give the version in force at each facility; one without is left out. One statement."""
    rows = connection.execute(IN_FORCE, {"facilities": list(facility_ids), "at": at})
    return {FacilityId(row.facility_id): TariffVersionId(row.version_id) for row in rows}


def documents(connection: Connection, version_ids: Iterable[UUID]) -> dict[TariffVersionId, str]:
    """Give versions' documents as JSON text; one statement."""
    rows = connection.execute(DOCUMENTS, {"ids": list(version_ids)})
    return {TariffVersionId(row.id): row.document for row in rows}
