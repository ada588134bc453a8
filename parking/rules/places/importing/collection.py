"""Reading a GeoJSON feature collection: its coordinate system, its geometries, its names.

Source: RFC 7946; the member ``crs`` is that of the 2008 format, which exporters still write.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import JsonValue

from city.errors import Invalid
from city.places import Position
from parking.rules.places.geometry import Plane, area_m2, from_web_mercator
from parking.rules.places.importing.profiles import read_properties
from parking.rules.places.importing.stated import (
    MOST_FEATURES,
    Faulty,
    Found,
    ImportOptions,
    Rejected,
    Stated,
)

_WGS84: Final = re.compile(r"(CRS84|EPSG:+[0-9.]*:?4326|EPSG/0/4326)$", re.IGNORECASE)
_MERCATOR: Final = re.compile(r"(EPSG:+[0-9.]*:?(3857|900913)|EPSG/0/3857)$", re.IGNORECASE)
_LONGEST_KERB_M: Final = 10_000.0
_RING: Final = 4
MOST_POINTS: Final = 2_000


def read_collection(
    value: JsonValue, options: ImportOptions
) -> tuple[list[Stated], list[Rejected]]:
    """Read every feature of a collection: stated, or rejected with the reason.

    Raises
    ------
    Invalid
        Where the file as a whole cannot be used: no collection, another coordinate system.
    """
    features, mercator = open_collection(value)
    stated: list[Stated] = []
    rejected: list[Rejected] = []
    refs: set[str] = set()
    for index, feature in enumerate(features):
        ref = f"#{index}"
        try:
            properties, ref = _identity(feature, index)
            if ref in refs:
                raise Faulty("is that of another feature of this file", field="id")
            refs.add(ref)
            found = read_geometry(feature, mercator=mercator)
            stated.append(read_properties(index, ref, properties, found, options))
        except Invalid as error:
            rejected.append(Rejected(index, ref, error.field or "properties", error.message))
    return stated, rejected


def open_collection(value: JsonValue) -> tuple[list[JsonValue], bool]:
    """Give a collection's features, and whether they are in Web Mercator.

    Raises
    ------
    Invalid
        Where it is no collection, too large, or in a coordinate system that is not known.
    """
    if not isinstance(value, dict) or value.get("type") != "FeatureCollection":
        raise Invalid("must be a GeoJSON FeatureCollection", field="type")
    features = value.get("features")
    if not isinstance(features, list):
        raise Invalid("must be a list of features", field="features")
    if len(features) > MOST_FEATURES:
        raise Invalid(f"must be at most {MOST_FEATURES} features", field="features")
    crs = value.get("crs")
    if crs is None:
        return features, False
    members = crs.get("properties") if isinstance(crs, dict) else None
    name = members.get("name") if isinstance(members, dict) else None
    if isinstance(name, str) and _WGS84.search(name):
        return features, False
    if isinstance(name, str) and _MERCATOR.search(name):
        return features, True
    raise Invalid(
        f"must be WGS-84 (CRS84, EPSG:4326) or EPSG:3857, not {str(name)[:60]}", field="crs"
    )


def _identity(feature: JsonValue, index: int) -> tuple[Mapping[str, JsonValue], str]:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise Faulty("must be a GeoJSON Feature", field="type")
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        raise Faulty("must be an object", field="properties")
    given = feature.get("id")
    for each in (given, *(properties.get(name) for name in ("uid", "fid", "id", "objectid"))):
        if isinstance(each, str | int) and not isinstance(each, bool) and str(each).strip():
            return properties, str(each).strip()[:200]
    label = next(
        (
            str(properties[name]).strip()
            for name in ("label", "bay", "number", "name", "泊位编号", "车位编号")
            if isinstance(properties.get(name), str | int)
        ),
        None,
    )
    place = properties.get("facility")
    if label:
        return properties, f"{place}/{label}"[:200] if isinstance(place, str) else label[:200]
    return properties, f"#{index}"


def read_geometry(feature: JsonValue, *, mercator: bool) -> Found:
    """Read a feature's geometry.

    A collection of one geometry (``MultiLineString``, ``MultiPolygon``, ``MultiPoint``) is read
    as that one.

    Raises
    ------
    Faulty
        Naming the member and the rule.
    """
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    if not isinstance(geometry, dict):
        raise Faulty("must be an object: a place without a place cannot be found", field="geometry")
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if isinstance(kind, str) and kind.startswith("Multi"):
        if not isinstance(coordinates, list) or len(coordinates) != 1:
            raise Faulty("must be one geometry, not several", field="geometry.type")
        kind, coordinates = kind.removeprefix("Multi"), coordinates[0]
    if kind == "Point":
        return Found("Point", (_position(coordinates, mercator=mercator),))
    if kind == "LineString":
        return Found("LineString", _line(coordinates, mercator=mercator))
    if kind == "Polygon":
        return Found("Polygon", _ring(coordinates, mercator=mercator))
    raise Faulty("must be a Point, a LineString or a Polygon", field="geometry.type")


def _position(value: JsonValue, *, mercator: bool) -> Position:
    numbers = value if isinstance(value, list) else []
    x, y = (*numbers[:2], None, None)[:2]
    if (
        not isinstance(x, int | float)
        or not isinstance(y, int | float)
        or isinstance(x, bool)
        or isinstance(y, bool)
        or not (math.isfinite(x) and math.isfinite(y))
    ):
        raise Faulty("must be [longitude, latitude]", field="geometry.coordinates")
    try:
        return from_web_mercator(x, y) if mercator else Position(float(x), float(y))
    except Invalid as error:
        raise Faulty(
            f"must be [longitude, latitude]: {error.message}", field="geometry.coordinates"
        ) from None


def _points(value: JsonValue, *, mercator: bool) -> Iterator[Position]:
    if not isinstance(value, list) or not 2 <= len(value) <= MOST_POINTS:  # noqa: PLR2004 - ends
        raise Faulty(f"must be 2 to {MOST_POINTS} points", field="geometry.coordinates")
    previous = None
    for each in value:
        at = _position(each, mercator=mercator)
        if at != previous:
            yield at
        previous = at


def _line(value: JsonValue, *, mercator: bool) -> tuple[Position, ...]:
    line = tuple(_points(value, mercator=mercator))
    if len(line) < 2:  # noqa: PLR2004 - a line has ends
        raise Faulty("must have a length", field="geometry.coordinates")
    plane = Plane(line[0])
    if any(math.hypot(*plane.point(each)) > _LONGEST_KERB_M for each in line):
        raise Faulty("must lie within 10 km", field="geometry.coordinates")
    return line


def _ring(value: JsonValue, *, mercator: bool) -> tuple[Position, ...]:
    if not isinstance(value, list) or not value:
        raise Faulty("must be a list of rings", field="geometry.coordinates")
    outer = value[0]
    if not isinstance(outer, list) or len(outer) < _RING or outer[0] != outer[-1]:
        raise Faulty("must be a closed ring of at least 4 points", field="geometry.coordinates")
    ring = tuple(_points(outer, mercator=mercator))[:-1]
    if len(ring) < _RING - 1:
        raise Faulty("must enclose an area", field="geometry.coordinates")
    plane = Plane(ring[0])
    corners = [plane.point(each) for each in ring]
    if any(math.hypot(*each) > _LONGEST_KERB_M for each in corners):
        raise Faulty("must lie within 10 km", field="geometry.coordinates")
    if abs(area_m2(corners)) < 0.5:  # noqa: PLR2004 - square metres: no vehicle stands on less
        raise Faulty("must enclose an area", field="geometry.coordinates")
    return ring
