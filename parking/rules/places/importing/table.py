"""Reading a table of bays: comma, semicolon or tab; UTF-8 or GB 18030; Chinese or English heads."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import JsonValue

from city.errors import Invalid
from city.places import Position
from parking.rules.places.importing.collection import read_geometry
from parking.rules.places.importing.own import Columns, read
from parking.rules.places.importing.stated import (
    MOST_FEATURES,
    Faulty,
    Found,
    ImportOptions,
    Rejected,
    Stated,
)
from parking.rules.places.importing.words import column_of

_DELIMITERS: Final = ",;\t|"
_WKT: Final = re.compile(
    r"^\s*(?:SRID=4326;\s*)?(POINT|LINESTRING|POLYGON)\s*(?:Z\s*)?\((.*)\)\s*$",
    re.IGNORECASE | re.DOTALL,
)
_NEEDED: Final = ("longitude", "latitude")


def read_table(content: bytes, options: ImportOptions) -> tuple[list[Stated], list[Rejected]]:
    """Read every row: stated, or rejected with the reason.

    Rows are counted from 0, the head not among them.

    Raises
    ------
    Invalid
        Where the table as a whole cannot be used: no text, no head, no place in it.
    """
    rows = _rows(_text(content))
    head = next(rows, None)
    if head is None:
        raise Invalid("is empty", field="file")
    columns = [column_of(name) for name in head]
    known = {name for name in columns if name}
    if not {*_NEEDED} <= known and "geometry" not in known:
        raise Invalid(
            "must have the columns longitude and latitude, or wkt; it has "
            + ", ".join(name.strip()[:30] for name in head[:12]),
            field="file",
        )
    double = sorted({name for name in columns if name and columns.count(name) > 1})
    if {*double} & {"label", *_NEEDED}:
        raise Invalid(f"has {double[0]} in more than one column", field="file")
    stated: list[Stated] = []
    rejected: list[Rejected] = []
    refs: set[str] = set()
    for index, row in enumerate(rows):
        if index >= MOST_FEATURES:
            raise Invalid(f"must be at most {MOST_FEATURES} rows", field="file")
        ref = f"#{index}"
        try:
            if len(row) > len(head):
                raise Faulty(f"must have {len(head)} fields, not {len(row)}", field="row")
            members: dict[str, JsonValue] = dict(zip(head, row, strict=False))
            fields = Columns(members)
            ref = _ref(fields, index)
            if ref in refs:
                raise Faulty("is that of an earlier row", field=fields.name("label"))
            refs.add(ref)
            found = _place(fields)
            stated.append(read(index, ref, members, found.shape, found.points, options))
        except Invalid as error:
            rejected.append(Rejected(index, ref, error.field or "row", error.message))
    return stated, rejected


def _text(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise Invalid("must be text in UTF-8 or GB 18030", field="file")


def _rows(text: str) -> Iterator[list[str]]:
    """Yield rows that hold something; the delimiter is the one that the head has most of."""
    head = text.lstrip().partition("\n")[0]
    delimiter = max(_DELIMITERS, key=head.count)
    try:
        for row in csv.reader(io.StringIO(text.lstrip("\r\n"), newline=""), delimiter=delimiter):
            if any(each.strip() for each in row):
                yield row
    except csv.Error as error:
        raise Invalid(f"is no table: {error}", field="file") from None


def _ref(fields: Columns, index: int) -> str:
    label = fields.text("label", 64)
    facility = fields.text("facility") or fields.text("facility_name")
    if label:
        return f"{facility}/{label}" if facility else label
    return facility or f"#{index}"


def _place(fields: Columns) -> Found:
    written = fields.value("geometry")
    if isinstance(written, str):
        return _wkt(written, fields.name("geometry"))
    longitude, latitude = (fields.number(name) for name in _NEEDED)
    for name, value in zip(_NEEDED, (longitude, latitude), strict=True):
        if value is None:
            raise Faulty("must be stated", field=fields.name(name))
    try:
        return Found("Point", (Position(longitude or 0.0, latitude or 0.0),))
    except Invalid as error:
        raise Faulty(error.message, field=fields.name(error.field or "longitude")) from None


def _wkt(text: str, field: str) -> Found:
    """Read well-known text by way of GeoJSON, so that the same rules hold.

    Source: OGC 06-103r4, clause 7.
    """
    found = _WKT.match(text)
    if found is None:
        raise Faulty("must be a POINT, LINESTRING or POLYGON in WKT", field=field)
    kind, inner = found[1].upper(), found[2]
    try:
        if kind == "POLYGON":
            rings: JsonValue = [_numbers(ring) for ring in re.findall(r"\(([^()]*)\)", inner)]
            geometry: Mapping[str, JsonValue] = {"type": "Polygon", "coordinates": rings}
        elif kind == "LINESTRING":
            geometry = {"type": "LineString", "coordinates": _numbers(inner)}
        else:
            points = _numbers(inner)
            geometry = {"type": "Point", "coordinates": points[0] if points else None}
        return read_geometry({"geometry": dict(geometry)}, mercator=False)
    except ValueError:
        raise Faulty("must be numbers", field=field) from None
    except Invalid as error:
        raise Faulty(error.message, field=field) from None


def _numbers(text: str) -> list[JsonValue]:
    return [[float(number) for number in pair.split()] for pair in text.split(",")]
