"""Kerb surveys of the *Park-Raum-Check* of Baden-Württemberg: lines and areas with a capacity.

Source: the published surveys of Kehl, Sachsenheim and Ladenburg (2024); names and values as there.
"""

from collections.abc import Collection, Mapping
from typing import Final

from pydantic import JsonValue

from city.errors import Invalid
from parking.rules.places.importing.hours import hours_in, read_stay_min
from parking.rules.places.importing.stated import (
    MOST_SPACES,
    Faulty,
    Found,
    Group,
    ImportOptions,
    Stated,
)
from parking.rules.places.importing.words import count_of, orientation_of, plain, text_of
from parking.rules.places.model import BayKind, FacilityKind, Purpose
from parking.rules.places.usage import UseRule

_PLACES: Final[Mapping[str, FacilityKind]] = {
    "strassenraum": "kerb",
    "parkplatz": "lot",
    "p+r": "lot",
    "bahnhof": "lot",
    "parkhaus": "garage",
    "parkdeck": "garage",
    "tiefgarage": "garage",
}
_DEDICATIONS: Final[Mapping[str, tuple[BayKind, Purpose]]] = {
    "oeffentlich": ("standard", "public"),
    "halboeffentlich": ("standard", "reserved"),
    "privat": ("standard", "reserved"),
    "behinderten_stellplatz": ("disabled", "public"),
    "behindertenparkplatz": ("disabled", "public"),
    "lademoeglichkeit": ("charging", "public"),
    "e_ladesaeule": ("charging", "public"),
}
_MANAGEMENT: Final[Mapping[str, tuple[BayKind | None, Purpose | None]]] = {
    "freies_parken": (None, None),
    "parkscheibe": (None, None),
    "parkschein": (None, None),
    "behindertenparkplatz": ("disabled", None),
    "e_ladesaeule": ("charging", None),
    "lademoeglichkeit": ("charging", None),
    "halboeffentlich": (None, "reserved"),
    "privat": (None, "reserved"),
    "carsharing": (None, "reserved"),
    "taxi": (None, "reserved"),
    "bewohnerparken": (None, "permit"),
    "anwohnerparken": (None, "permit"),
    "ladezone": ("loading", None),
    "lieferzone": ("loading", None),
    "motorrad": ("motorcycle", None),
    "lkw": ("lorry", None),
    "bus": ("coach", None),
    "reisebus": ("coach", None),
}


def is_one(names: Collection[str]) -> bool:
    """Tell by its properties' names whether a feature comes from such a survey."""
    plainly = {plain(name) for name in names}
    return "kapazitaet" in plainly and bool(
        plainly & {"bewirtschaftung", "widmung", "parkrichtung"}
    )


def read(
    index: int,
    ref: str,
    properties: Mapping[str, JsonValue],
    found: "Found",
    options: ImportOptions,
) -> Stated:
    """Read a surveyed kerb or car park.

    Raises
    ------
    Faulty
        Naming the property and the rule.
    """
    named = {plain(name): (name, value) for name, value in properties.items()}

    def given(name: str) -> tuple[str, JsonValue]:
        return named.get(name, (name, None))

    def said(name: str) -> str | None:
        return text_of(given(name)[1], given(name)[0])

    capacity_name, capacity = given("kapazitaet")
    spaces = count_of(capacity, capacity_name, MOST_SPACES)
    if spaces is None:
        raise Faulty("must be stated: a place without a capacity has no bays", field=capacity_name)
    kind, purpose = _use(given("widmung"), given("bewirtschaftung"))
    place = said("ortsbezug")
    facility_kind = options.kind if place is None else _PLACES.get(place.lower().replace("ß", "ss"))
    if facility_kind is None:
        raise Faulty(
            f"is no kind of place: must be one of {', '.join(_PLACES)}", field=given("ortsbezug")[0]
        )
    if found.shape == "Point":
        raise Faulty("must be a LineString or a Polygon", field="geometry.type")
    direction_name, direction = given("parkrichtung")
    direction_text = text_of(direction, direction_name)
    street, town = said("adresse"), said("ort")
    name = said("name") or street or ref
    rule, notes = _rule(named)
    return Stated(
        index=index,
        ref=ref,
        shape=found.shape,
        points=found.points,
        facility_key=None,
        facility_name=name,
        facility_kind=facility_kind,
        groups=(Group(spaces, kind, purpose, () if rule is None else (rule,)),),
        ground="unknown" if facility_kind == "kerb" else "off_street",
        orientation=(
            None if direction_text is None else orientation_of(direction_text, direction_name)
        ),
        address=", ".join(each for each in (street, town) if each) or None,
        capacity_field=capacity_name,
        notes=notes,
    )


def _use(
    dedication: tuple[str, JsonValue], management: tuple[str, JsonValue]
) -> tuple[BayKind, Purpose]:
    dedicated = text_of(dedication[1], dedication[0])
    managed = text_of(management[1], management[0])
    kind: BayKind = "standard"
    purpose: Purpose = "public"
    if dedicated is not None:
        known = _DEDICATIONS.get(plain(dedicated))
        if known is None:
            raise Faulty(
                f"is no dedication: must be one of {', '.join(_DEDICATIONS)}", field=dedication[0]
            )
        kind, purpose = known
    if managed is not None:
        found = _MANAGEMENT.get(plain(managed))
        if found is None:
            raise Faulty(
                f"is no kind of management: must be one of {', '.join(_MANAGEMENT)}",
                field=management[0],
            )
        kind, purpose = found[0] or kind, found[1] or purpose
    return kind, purpose


def _rule(
    named: Mapping[str, tuple[str, JsonValue]],
) -> tuple[UseRule | None, tuple[str, ...]]:
    """Read what limits a stay, and when: hours without which a limit would hold by night too."""
    stay_name, stay = next(
        (named[name] for name in ("maximale_parkdauer", "max_parkdauer") if name in named),
        ("Maximale_Parkdauer", None),
    )
    try:
        stay_min = read_stay_min(stay, stay_name)
    except Invalid as error:
        raise Faulty(error.message, field=stay_name) from None
    fee_name, fee = named.get("gebuehreninformation", ("Gebühreninformation", None))
    notice = text_of(fee, fee_name)
    paid_name, paid = named.get("gebuehrenpflichtig", ("Gebührenpflichtig", None))
    if paid is not None and not isinstance(paid, bool):
        raise Faulty("must be true or false", field=paid_name)
    spans = hours_in(notice) if notice else ()
    notes = (f"notice: {notice}",) if notice and not spans and plain(notice) != "nein" else ()
    if stay_min is None and not paid:
        return None, notes
    return UseRule("parking", spans, max_stay_min=stay_min, paid=bool(paid)), notes
