"""Stays that are over, read in one pass for whole tariffs: the vehicle's own stays together."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from city.identifiers import TariffId

AT_ONCE = 5_000

_STAYS = text(
    "select s.vehicle_id, s.facility_id, s.tariff_version_id, s.opened_at, s.closed_at"
    " from parking.parking_session s"
    " where s.state = 'closed' and s.vehicle_id is not null"
    " and s.opened_at >= :from_at and s.opened_at < :to_at"
    " and s.tariff_version_id in (select id from parking.tariff_version where tariff_id = :tariff)"
    " order by s.vehicle_id, s.opened_at, s.id"
)

_VERSIONS = text(
    "select id, document::text from parking.tariff_version"
    " where tariff_id = :tariff and status = 'published'"
)

_UNATTRIBUTED = text(
    "select count(*) from parking.parking_session s"
    " where s.state = 'unattributed'"
    " and s.opened_at >= :from_at and s.opened_at < :to_at"
    " and s.tariff_version_id in (select id from parking.tariff_version where tariff_id = :tariff)"
)


class PastStayRow(NamedTuple):
    """A closed stay of a known vehicle, and the version that it was pinned to."""

    vehicle_id: UUID
    facility_id: UUID
    tariff_version_id: UUID
    opened_at: datetime
    closed_at: datetime


def past_stays(
    connection: Connection, tariff_id: TariffId, from_at: datetime, to_at: datetime
) -> Iterator[PastStayRow]:
    """Give the closed stays under a tariff that began in ``[from_at, to_at)``.

    In the order of vehicle and beginning, from a cursor of the server: memory does not grow with
    their number. Read them before the connection does anything else that ends its transaction.
    """
    values = {"tariff": tariff_id, "from_at": from_at, "to_at": to_at}
    rows = connection.execution_options(yield_per=AT_ONCE).execute(_STAYS, values)
    for row in rows:
        yield PastStayRow(*row)


def published_documents(connection: Connection, tariff_id: TariffId) -> dict[UUID, str]:
    """Give the JSON texts of a tariff's published versions by their ids."""
    return {row[0]: row[1] for row in connection.execute(_VERSIONS, {"tariff": tariff_id})}


def count_unattributed(
    connection: Connection, tariff_id: TariffId, from_at: datetime, to_at: datetime
) -> int:
    """Count the stays of that time that nobody attached a vehicle to: they are never billed."""
    values = {"tariff": tariff_id, "from_at": from_at, "to_at": to_at}
    return int(connection.execute(_UNATTRIBUTED, values).scalar_one())
