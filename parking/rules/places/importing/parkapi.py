"""Spots and sites as ParkAPI's sources publish them: `uid`, `purpose`, `type`, `restrictions`.

Source: ParkenDD/parkapi-sources-v3, models of its static inputs (MIT); the file of Ulm.
"""

from collections.abc import Collection, Mapping
from typing import Final

from pydantic import JsonValue

from city.errors import Invalid
from parking.rules.places.importing.hours import read_opening_hours, read_stay_min
from parking.rules.places.importing.stated import (
    MOST_SPACES,
    Faulty,
    Found,
    Group,
    ImportOptions,
    Stated,
)
from parking.rules.places.importing.words import count_of, number_of, orientation_of, text_of
from parking.rules.places.model import BayKind, FacilityKind, Limits, Purpose
from parking.rules.places.times import TimeSpan
from parking.rules.places.usage import UseRule

_TYPES: Final[Mapping[str, FacilityKind | None]] = {
    "ON_STREET": "kerb",
    "OFF_STREET_PARKING_GROUND": "lot",
    "UNDERGROUND": "garage",
    "CAR_PARK": "garage",
    "OTHER": None,
}
_AUDIENCES: Final[Mapping[str, tuple[BayKind, Purpose, str]]] = {
    "DISABLED": ("disabled", "public", "disabled"),
    "WOMEN": ("standard", "public", "women"),
    "FAMILY": ("standard", "public", "family"),
    "CARSHARING": ("standard", "reserved", "car share"),
    "CHARGING": ("charging", "public", "electric"),
    "TAXI": ("standard", "reserved", "taxi"),
    "DELIVERY": ("loading", "public", "delivery"),
    "TRUCK": ("lorry", "public", "truck"),
    "BUS": ("coach", "public", "bus"),
    "CUSTOMER": ("standard", "reserved", "customer"),
    "RESIDENT": ("standard", "permit", "resident"),
    "STAFF": ("standard", "reserved", "staff"),
    "STUDENT": ("standard", "reserved", "student"),
    "CARAVAN": ("standard", "public", "caravan"),
    "CARGOBIKE": ("standard", "public", "cargo bike"),
}
"""Kind and purpose of a bay for an audience, and the class of users that a rule names."""
_PLAIN_RULES: Final = frozenset({"women", "family", "caravan", "cargo bike"})
_CAPACITIES: Final[Mapping[str, str]] = {
    "capacity_disabled": "DISABLED",
    "capacity_charging": "CHARGING",
    "capacity_woman": "WOMEN",
    "capacity_women": "WOMEN",
    "capacity_family": "FAMILY",
    "capacity_carsharing": "CARSHARING",
    "capacity_truck": "TRUCK",
    "capacity_bus": "BUS",
}
_CENTIMETRES_FROM: Final = 50
"""No garage is 50 m high, and none 50 cm: from here on a height is in centimetres."""


def is_one(names: Collection[str]) -> bool:
    """Tell by its properties' names whether a feature is a ParkAPI spot or site."""
    return "uid" in names and not {
        "restrictions",
        "restricted_to",
        "purpose",
        "has_realtime_data",
    }.isdisjoint(names)


def read(
    index: int,
    ref: str,
    properties: Mapping[str, JsonValue],
    found: "Found",
    options: ImportOptions,
) -> Stated:
    """Read a spot (a bay of its own) or a site (a facility with a capacity).

    Raises
    ------
    Faulty
        Naming the property and the rule.
    """
    purpose = text_of(properties.get("purpose"), "purpose")
    if purpose is not None and purpose != "CAR":
        raise Faulty("must be CAR: bicycles and lockers have no bay here", field="purpose")
    _check_position(properties, found)
    kind = _facility_kind(properties.get("type"), options)
    name = text_of(properties.get("name"), "name")
    is_site = properties.get("capacity") is not None
    site = text_of(properties.get("parking_site_uid"), "parking_site_uid")
    groups, opening = _site_groups(properties) if is_site else ((_spot_group(properties),), ())
    uid = text_of(properties.get("uid"), "uid") or ref
    orientation = text_of(properties.get("orientation"), "orientation")
    return Stated(
        index=index,
        ref=ref,
        shape=found.shape,
        points=found.points,
        facility_key=None if is_site else site or name or options.source,
        facility_name=name or (uid if is_site else options.source),
        facility_kind=kind,
        groups=groups,
        ground="unknown" if kind == "kerb" else "off_street",
        label=None if is_site else uid[:64],
        orientation=None if orientation is None else orientation_of(orientation, "orientation"),
        opening=opening,
        limits=_limits(properties),
        address=text_of(properties.get("address"), "address", 512),
        label_field="uid",
    )


def _check_position(properties: Mapping[str, JsonValue], found: "Found") -> None:
    """Refuse a feature that says in two members that it lies in two places."""
    longitude, latitude = (number_of(properties.get(name), name) for name in ("lon", "lat"))
    if longitude is None or latitude is None or found.shape != "Point":
        return
    at = found.points[0]
    if abs(at.longitude - longitude) > 1e-4 or abs(at.latitude - latitude) > 1e-4:  # noqa: PLR2004 - 10 m
        raise Faulty("contradicts geometry.coordinates", field="lat")


def _facility_kind(value: JsonValue, options: ImportOptions) -> FacilityKind:
    stated = text_of(value, "type")
    if stated is None:
        return options.kind
    if stated not in _TYPES:
        raise Faulty(f"must be one of {', '.join(_TYPES)}", field="type")
    return _TYPES[stated] or options.kind


def _spans(value: JsonValue, field: str) -> tuple[TimeSpan, ...]:
    text = text_of(value, field, 500)
    if text is None:
        return ()
    try:
        return read_opening_hours(text, field)
    except Invalid as error:
        raise Faulty(error.message, field=field) from None


def _spot_group(properties: Mapping[str, JsonValue]) -> Group:
    member = "restrictions" if "restrictions" in properties else "restricted_to"
    stated = properties.get(member)
    if stated is None:
        return Group(1)
    if not isinstance(stated, list):
        raise Faulty("must be a list", field=member)
    kind: BayKind = "standard"
    purpose: Purpose = "public"
    rules: list[UseRule] = []
    for number, each in enumerate(stated):
        its_kind, its_purpose, rule = _restriction(each, f"{member}[{number}]")
        kind = its_kind if its_kind != "standard" else kind
        purpose = its_purpose if its_purpose != "public" else purpose
        rules += [] if rule is None else [rule]
    return Group(1, kind, purpose, tuple(rules))


def _restriction(each: JsonValue, field: str) -> tuple[BayKind, Purpose, UseRule | None]:
    """Read for whom a spot is and when: of a kind or purpose of its own, the bay says it itself."""
    if not isinstance(each, dict):
        raise Faulty("must be an object", field=field)
    audience = text_of(each.get("type"), f"{field}.type")
    spans = _spans(each.get("hours"), f"{field}.hours")
    try:
        stay_min = read_stay_min(each.get("max_stay"), f"{field}.max_stay")
    except Invalid as error:
        raise Faulty(error.message, field=f"{field}.max_stay") from None
    if audience is None:
        limited = spans or stay_min is not None
        rule = UseRule("parking", spans, (), stay_min) if limited else None
        return "standard", "public", rule
    if audience not in _AUDIENCES:
        raise Faulty(f"must be one of {', '.join(_AUDIENCES)}", field=f"{field}.type")
    kind, purpose, user = _AUDIENCES[audience]
    users = (user,) if spans or user in _PLAIN_RULES else ()
    if not users and stay_min is None:
        return kind, purpose, None
    # What holds at some times only is no purpose of the bay: at others anybody may use it.
    return kind, "public" if spans else purpose, UseRule("parking", spans, users, stay_min)


def _site_groups(
    properties: Mapping[str, JsonValue],
) -> tuple[tuple[Group, ...], tuple[TimeSpan, ...]]:
    capacity = count_of(properties.get("capacity"), "capacity", MOST_SPACES)
    assert capacity is not None  # noqa: S101 - a site is told by it
    groups = []
    left = capacity
    for name, audience in _CAPACITIES.items():
        stated = number_of(properties.get(name), name)
        if not stated:
            continue
        count = count_of(properties.get(name), name, MOST_SPACES) or 0
        if count > left:
            raise Faulty("exceeds, with the others, the capacity of all", field=name)
        kind, purpose, user = _AUDIENCES[audience]
        rules = (UseRule("parking", users=(user,)),) if user in _PLAIN_RULES else ()
        groups.append(Group(count, kind, purpose, rules))
        left -= count
    if left:
        groups.insert(0, Group(left))
    return tuple(groups), _spans(properties.get("opening_hours"), "opening_hours")


def _limits(properties: Mapping[str, JsonValue]) -> Limits:
    sizes = {}
    for name in ("max_height", "max_width"):
        value = number_of(properties.get(name), name)
        sizes[name] = value / 100 if value is not None and value >= _CENTIMETRES_FROM else value
    try:
        return Limits(max_height_m=sizes["max_height"], max_width_m=sizes["max_width"])
    except Invalid as error:
        raise Faulty(
            error.message, field=(error.field or "max_height").removesuffix("_m")
        ) from None
