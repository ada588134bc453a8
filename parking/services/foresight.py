"""What is foretold: occupancy ahead, and chances with how they came true."""

from datetime import datetime

from sqlalchemy import Connection

from city.errors import NotFound
from city.identifiers import DistrictCode, FacilityId
from parking.store import chances, forecasts
from parking.store.chances import ChanceModel
from parking.store.forecasts import Forecast, Judgement

__all__ = ["chance_of_district", "forecasts_of"]


def forecasts_of(
    connection: Connection, facility_id: FacilityId
) -> list[tuple[Forecast, datetime, Judgement]]:
    """Give a facility's newest forecasts with their models' training instant and errors."""
    return forecasts.forecasts(connection, facility_id)


def chance_of_district(connection: Connection, district: DistrictCode) -> ChanceModel:
    """Give a district's chance model; NotFound while too few changes are on record."""
    found = chances.of_districts(connection).get(district)
    if found is None:
        raise NotFound("Too few changes are on record in that district yet.", field="district")
    return found
