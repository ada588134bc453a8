"""What the next hour costs at a facility, worked out once a minute of business time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from city.errors import Invalid, NotFound
from parking.rules.tariffs.model import Stay
from parking.services import tariffs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from city.identifiers import FacilityId
    from city.works.database import Database

HOUR: Final = timedelta(hours=1)
MOST_KEPT: Final = 20_000


class HourlyPrices:
    """Keeps each facility's price of an hour for the minute in which it was asked.

    Parameters
    ----------
    database
        Asked for what is not kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._minute: datetime | None = None
        self._kept: dict[FacilityId, dict[str, Any] | None] = {}

    def of(
        self, facility_ids: Iterable[FacilityId], at: datetime
    ) -> dict[FacilityId, dict[str, Any] | None]:
        """Give what the hour from this minute on costs a small car; None where it is not known.

        Parameters
        ----------
        facility_ids
            The facilities.
        at
            Business time.
        """
        minute = at.replace(second=0, microsecond=0)
        if minute != self._minute or len(self._kept) > MOST_KEPT:
            self._minute, self._kept = minute, {}
        kept = self._kept
        wanted = list(facility_ids)
        missing = [each for each in wanted if each not in kept]
        if missing:
            with self._database.read() as connection:
                for each in missing:
                    try:
                        quote = tariffs.quote(connection, each, Stay(minute, minute + HOUR))
                    except (NotFound, Invalid):  # no tariff, or none for a small car
                        kept[each] = None
                    else:
                        kept[each] = quote.total.as_json()
        return {each: kept[each] for each in wanted}
