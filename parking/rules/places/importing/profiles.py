"""Which kind of GeoJSON a feature is of, told by its properties; each kind has its reader."""

from collections.abc import Mapping

from pydantic import JsonValue

from parking.rules.places.importing import own, park_raum_check, parkapi
from parking.rules.places.importing.stated import Found, ImportOptions, Stated


def read_properties(
    index: int,
    ref: str,
    properties: Mapping[str, JsonValue],
    found: "Found",
    options: ImportOptions,
) -> Stated:
    """Read a feature by its kind.

    Raises
    ------
    Faulty
        Naming the property and the rule.
    """
    names = properties.keys()
    if park_raum_check.is_one(names):
        return park_raum_check.read(index, ref, properties, found, options)
    if parkapi.is_one(names):
        return parkapi.read(index, ref, properties, found, options)
    return own.read(index, ref, properties, found.shape, found.points, options)
