"""How full the facilities of a tariff were, hour by hour: from what the figures have counted."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text

from city.identifiers import TariffId

HOURS: Final = text(
    "select h.hour_at, cast(sum(h.occupied_us) / 1000000 as bigint) as occupied_s,"
    " cast(sum(h.free_us) / 1000000 as bigint) as free_s"
    " from parking.figure_hour h join parking.facility f on f.id = h.facility_id"
    " where f.tariff_id = :tariff and h.hour_at >= :from_at and h.hour_at < :until_at"
    " group by h.hour_at order by h.hour_at"
)


def hours_of_tariff(
    connection: Connection, tariff_id: TariffId, from_at: datetime, until_at: datetime
) -> list[tuple[datetime, int, int]]:
    """Give hours by their beginnings with occupied and free bay-seconds; unknown time left out.

    Cost grows with the hours and the tariff's facilities, by index.
    """
    values = {"tariff": tariff_id, "from_at": from_at, "until_at": until_at}
    rows = connection.execute(HOURS, values)
    return [(row.hour_at, row.occupied_s, row.free_s) for row in rows]
