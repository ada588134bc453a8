"""The base map of the demo town: streets, river, parks and junctions as GeoJSON."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import orjson
from pydantic import JsonValue

from city.street_files import streets_as_geojson, streets_as_json

if TYPE_CHECKING:
    from pathlib import Path

    from web.demo.town import Area, Town

FILE: Final = "static/map/streets.geojson"
"""Below ``var/``; pages read it at ``/static/map/streets.geojson``."""
DIGITS: Final = 6
"""Of a degree: about 0.1 m."""


def base_map(town: Town) -> dict[str, JsonValue]:
    """Return areas, then streets (a line for both directions), then signalled junctions."""
    drawn = streets_as_geojson(town.network)["features"]
    names = {str(each.junction_id): each for each in town.junctions}
    features: list[JsonValue] = [_area(each) for each in town.areas]
    for feature in drawn if isinstance(drawn, list) else ():
        if not isinstance(feature, dict):
            continue
        properties = feature["properties"]
        if isinstance(properties, dict) and "junction_id" in properties:
            junction = names[str(properties["junction_id"])]
            properties |= {
                "class": "junction",
                "code": junction.code,
                "name_zh": junction.name.zh,
                "name_en": junction.name.en,
            }
        features.append(feature)
    return {"type": "FeatureCollection", "features": features}


def _area(area: Area) -> dict[str, JsonValue]:
    ring: list[JsonValue] = [list[JsonValue](each.as_json()) for each in area.outline]
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"class": area.kind, "name_zh": area.name.zh, "name_en": area.name.en},
    }


def write_base_map(var: Path, town: Town) -> None:
    """Write the map whole or not at all; a reader never sees half of it."""
    _write(var / FILE, _rounded(base_map(town)))


def write_streets(path: Path, town: Town) -> None:
    """Write the network that walks and drives go by."""
    _write(path, streets_as_json(town.network))


def _write(path: Path, value: JsonValue) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps(value))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _rounded(value: JsonValue) -> JsonValue:
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return value
