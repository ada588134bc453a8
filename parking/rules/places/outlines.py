"""GeoJSON geometries that people hand in with a place."""

from collections.abc import Mapping

from pydantic import JsonValue

from parking.rules.places.importing.assembly import geometry_of
from parking.rules.places.importing.collection import read_geometry


def checked_geometry(value: Mapping[str, JsonValue] | None) -> dict[str, JsonValue] | None:
    """Pass a Point, LineString or Polygon in WGS-84, without what is no part of it.

    Raises
    ------
    Invalid
        Naming the member and the rule.
    """
    if value is None:
        return None
    found = read_geometry({"geometry": dict(value)}, mercator=False)
    return geometry_of(found.shape, found.points)
