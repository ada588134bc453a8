"""Facilities with their live counts, whole: bays that never spoke are unknown, not missing."""

from collections.abc import Sequence

from sqlalchemy import Connection

from city.identifiers import FacilityId
from parking.adapters.live_store import FacilityNow, LiveStore, whole
from parking.store.maps import bays_in_box, count_bays
from parking.store.places import Facility

__all__ = ["bays_in_box", "facilities_now"]


def facilities_now(
    connection: Connection, live_store: LiveStore, facilities: Sequence[Facility]
) -> dict[FacilityId, FacilityNow]:
    """Give the live counts of facilities: one statement and one pipeline, whatever their number."""
    counted = live_store.counts((each.district, each.id) for each in facilities)
    bays = count_bays(connection, counted)
    return {each: whole(now, bays.get(each, 0)) for each, now in counted.items()}
