"""Bays and facilities in Greenbay's own columns, as GeoJSON properties or as a table.

The names that each column may come by are in `words`; `docs/places.md` lists them.
"""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from city.errors import Invalid
from city.places import Position
from parking.rules.places.importing.hours import read_opening_hours, read_stay_min
from parking.rules.places.importing.stated import (
    MOST_SPACES,
    Faulty,
    Group,
    ImportOptions,
    Shape,
    Stated,
)
from parking.rules.places.importing.words import (
    column_of,
    count_of,
    facility_kind_of,
    ground_of,
    kind_of,
    number_of,
    orientation_of,
    purpose_of,
    text_of,
)
from parking.rules.places.model import BayKind, FacilityKind, Limits, Purpose
from parking.rules.places.times import TimeSpan
from parking.rules.places.usage import UseRule


class Columns:
    """A feature's members under our names; errors name them as the file does."""

    def __init__(self, members: Mapping[str, JsonValue]) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, JsonValue] = {}
        for name, value in members.items():
            column = column_of(name)
            empty = value is None or (isinstance(value, str) and not value.strip())
            if column is None or (column in self._values and empty):
                continue
            if column not in self._values or self._values[column] is None:
                self._names[column] = name
                self._values[column] = None if empty else value

    def name(self, column: str) -> str:
        """Give what the file calls a column."""
        return self._names.get(column, column)

    def value(self, column: str) -> JsonValue:
        """Give a column's value; None where it is empty or not there."""
        return self._values.get(column)

    def text(self, column: str, most: int = 200) -> str | None:
        """Give a column's text."""
        return text_of(self.value(column), self.name(column), most)

    def number(self, column: str) -> float | None:
        """Give a column's number."""
        return number_of(self.value(column), self.name(column))


def read(  # noqa: PLR0917 - one feature in its parts
    index: int,
    ref: str,
    members: Mapping[str, JsonValue],
    shape: Shape,
    points: Sequence[Position],
    options: ImportOptions,
) -> Stated:
    """Read a bay, or a place with a capacity.

    Raises
    ------
    Faulty
        Naming the member and the rule.
    """
    columns = Columns(members)
    spaces = count_of(columns.value("capacity"), columns.name("capacity"), MOST_SPACES)
    label = columns.text("label", 64)
    facility = columns.text("facility")
    name = columns.text("facility_name")
    kind, facility_kind = _kinds(columns, options)
    key = facility or (name if spaces is None else None)
    if spaces is None and shape == "LineString":
        raise Faulty(
            "must be stated: a line without a capacity has no bays", field=columns.name("capacity")
        )
    is_bay = spaces is None
    ground = columns.text("ground")
    orientation = columns.text("orientation")
    level = columns.number("level")
    return Stated(
        index=index,
        ref=ref,
        shape=shape,
        points=tuple(points),
        facility_key=(key or options.source) if is_bay else key,
        facility_name=name or facility or (options.source if is_bay else ref),
        facility_kind=facility_kind,
        groups=(Group(spaces or 1, kind, _purpose(columns), _rules(columns)),),
        ground=(
            ground_of(ground, columns.name("ground"))
            if ground
            else "unknown"
            if facility_kind == "kerb"
            else "off_street"
        ),
        label=(label or ref[:64]) if is_bay else None,
        orientation=(
            orientation_of(orientation, columns.name("orientation")) if orientation else None
        ),
        level=None if level is None else int(level),
        bearing_deg=_bearing(columns),
        length_m=_size(columns, "length_m"),
        width_m=_size(columns, "width_m"),
        opening=_opening(columns),
        limits=_limits(columns),
        address=columns.text("address", 512),
        grid_cell=_digits(columns, "grid_cell", 15),
        component_code=_digits(columns, "component_code", 16),
        capacity_field=columns.name("capacity"),
        label_field=columns.name("label"),
    )


def _kinds(columns: Columns, options: ImportOptions) -> tuple[BayKind, FacilityKind]:
    """Read the bay's kind and the facility's: a column ``type`` may be either."""
    stated = columns.text("facility_kind")
    facility_kind = options.kind
    if stated:
        facility_kind = facility_kind_of(stated, columns.name("facility_kind"))
    kind = columns.text("kind")
    if not kind:
        return "standard", facility_kind
    try:
        return kind_of(kind, columns.name("kind")), facility_kind
    except Faulty:
        if stated:
            raise
        try:
            return "standard", facility_kind_of(kind, columns.name("kind"))
        except Faulty:
            pass
        raise


def _purpose(columns: Columns) -> Purpose:
    stated = columns.text("purpose")
    return purpose_of(stated, columns.name("purpose")) if stated else "public"


def _opening(columns: Columns) -> tuple[TimeSpan, ...]:
    stated = columns.text("opening_hours", 500)
    if not stated:
        return ()
    try:
        return read_opening_hours(stated, columns.name("opening_hours"))
    except Invalid as error:
        raise Faulty(error.message, field=columns.name("opening_hours")) from None


def _rules(columns: Columns) -> tuple[UseRule, ...]:
    name = columns.name("max_stay")
    try:
        stay_min = read_stay_min(columns.value("max_stay"), name)
    except Invalid as error:
        raise Faulty(error.message, field=name) from None
    return () if stay_min is None else (UseRule("parking", max_stay_min=stay_min),)


def _bearing(columns: Columns) -> float | None:
    bearing = columns.number("bearing_deg")
    if bearing is None:
        return None
    if not -360 <= bearing <= 360:  # noqa: PLR2004 - a turn
        raise Faulty("must be -360 to 360 degrees", field=columns.name("bearing_deg"))
    return bearing % 360


def _size(columns: Columns, column: str) -> float | None:
    value = columns.number(column)
    if value is not None and not 0 < value <= 60:  # noqa: PLR2004 - metres
        raise Faulty("must lie above 0 and up to 60", field=columns.name(column))
    return value


def _limits(columns: Columns) -> Limits:
    height = columns.number("max_height")
    try:
        return Limits(max_height_m=height)
    except Invalid as error:
        raise Faulty(error.message, field=columns.name("max_height")) from None


def _digits(columns: Columns, column: str, length: int) -> str | None:
    stated = columns.text(column)
    if stated is None:
        return None
    if len(stated) != length or not (stated.isascii() and stated.isdigit()):
        raise Faulty(f"must be {length} digits (GB/T 30428)", field=columns.name(column))
    return stated
