"""Making facilities, zones and bays of what a file states, feature by feature."""

import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from pydantic import JsonValue

from city.places import Position
from parking.rules.places.geometry import (
    Footprint,
    laid_along,
    line_length_m,
    middle,
    rectangle,
)
from parking.rules.places.importing.stated import (
    Accepted,
    ImportOptions,
    ImportPlan,
    Orientation,
    PlannedBay,
    PlannedFacility,
    PlannedZone,
    Rejected,
    Shape,
    Stated,
)
from parking.rules.places.model import FacilityKind, Limits, Located, Ownership
from parking.rules.places.overlaps import (
    SHARED_GROUND,
    Claim,
    KerbLine,
    kerb_overlaps,
    overlaps,
)

LEAST_PITCH_M: Final[Mapping[Orientation | None, float]] = {
    "parallel": 2.0,
    "perpendicular": 1.0,
    "diagonal": 1.0,
    None: 1.0,
}
"""Kerb that a bay takes at the least, be it for motorcycles: 1 m wide and 2 m long. A survey that
claims less a bay has a wrong capacity or a wrong line; digitised lines of real bays are up to a
third too short, so that the measures of cars' bays would refuse good ones."""
CODE_LENGTH: Final = 64


def assemble(
    stated: Sequence[Stated], rejected: Sequence[Rejected], options: ImportOptions
) -> ImportPlan:
    """Plan facilities and bays; features that contradict earlier ones are rejected.

    Parameters
    ----------
    stated
        What was read, in the order of the file.
    rejected
        What was not.
    options
        What the file does not say.
    """
    refused = list(rejected)
    kept = _fitting(stated, refused)
    kept = _labelled(kept, refused)
    kept = _apart(kept, refused)
    facilities, accepted = _facilities(kept, options)
    return ImportPlan(
        tuple(facilities),
        tuple(sorted(accepted, key=lambda each: each.index)),
        tuple(sorted(refused, key=lambda each: each.index)),
    )


def code_of(source: str, key: str) -> str:
    """Give a code for a thing of a source: readable where its name allows, and always its own."""
    spelt = unicodedata.normalize("NFKD", key).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^A-Za-z0-9]+", "-", spelt).strip("-")
    plain = re.fullmatch(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*", key) is not None
    code = f"{source}-{slug}"
    if plain and len(code) <= CODE_LENGTH:
        return code
    mark = hashlib.sha256(key.encode()).hexdigest()[:8]
    return f"{code[: CODE_LENGTH - 9].rstrip('-')}-{mark}"


def _fitting(stated: Iterable[Stated], refused: list[Rejected]) -> list[Stated]:
    """Refuse kerbs that cannot hold the bays that they claim."""
    kept = []
    for each in stated:
        if each.shape == "LineString" and each.facility_kind == "kerb":
            length_m = line_length_m(each.points)
            least_m = LEAST_PITCH_M[each.orientation]
            if length_m < least_m * each.spaces:
                refused.append(
                    Rejected(
                        each.index,
                        each.ref,
                        each.capacity_field,
                        f"{each.spaces} bays do not fit on {length_m:.1f} m of kerb: each needs "
                        f"{least_m:g} m or more",
                    )
                )
                continue
        kept.append(each)
    return kept


def _key(each: Stated) -> str:
    return each.ref if each.facility_key is None else f"={each.facility_key}"


def _labelled(stated: Iterable[Stated], refused: list[Rejected]) -> list[Stated]:
    """Refuse a label or component code given twice, and a facility that is of two kinds."""
    labels: set[tuple[str, str]] = set()
    kinds: dict[str, FacilityKind] = {}
    codes: set[str] = set()
    kept = []
    for each in stated:
        if each.facility_key is None or each.label is None:
            kept.append(each)
            continue
        kind = kinds.setdefault(each.facility_key, each.facility_kind)
        if (each.facility_key, each.label) in labels:
            reason = f"{each.label!r} is the label of an earlier bay of {each.facility_name}"
            refused.append(Rejected(each.index, each.ref, each.label_field, reason))
        elif kind != each.facility_kind:
            reason = f"{each.facility_name} is a {kind} by an earlier feature"
            refused.append(Rejected(each.index, each.ref, "facility_kind", reason))
        elif each.component_code is not None and each.component_code in codes:
            reason = "is the component code of an earlier bay"
            refused.append(Rejected(each.index, each.ref, "component_code", reason))
        else:
            labels.add((each.facility_key, each.label))
            codes |= {each.component_code} if each.component_code else set()
            kept.append(each)
    return kept


def _apart(stated: Sequence[Stated], refused: list[Rejected]) -> list[Stated]:
    """Refuse bays and kerb lines on ground that an earlier feature claims."""
    shared = shared_positions(stated)
    bays = [each for each in stated if located_of(each, shared) == "surveyed"]
    claims = [
        Claim(
            each.label or each.ref,
            (_key(each), each.level)
            if each.facility_kind in {"garage", "mechanical"}
            else SHARED_GROUND,
            footprint_of(each),
        )
        for each in bays
    ]
    out: set[int] = set()
    for found in overlaps(claims, ()):
        each = bays[found.index]
        out.add(each.index)
        refused.append(Rejected(each.index, each.ref, "geometry", found.message))
    lines = [each for each in stated if each.shape == "LineString" and each.facility_kind == "kerb"]
    for found in kerb_overlaps([KerbLine(each.ref, each.points) for each in lines], ()):
        each = lines[found.index]
        out.add(each.index)
        reason = f"overlaps the kerb of feature {found.other}: {found.how}; its bays would be"
        refused.append(Rejected(each.index, each.ref, "geometry", f"{reason} counted twice"))
    return [each for each in stated if each.index not in out]


def shared_positions(stated: Iterable[Stated]) -> set[tuple[str, Position]]:
    """Give positions that several bays of one garage have: they are the garage's, not theirs."""
    counted = Counter(
        (_key(each), each.points[0])
        for each in stated
        if each.shape == "Point" and each.facility_kind in {"garage", "mechanical"}
    )
    return {place for place, count in counted.items() if count > 1}


def located_of(each: Stated, shared: set[tuple[str, Position]]) -> Located:
    """Say how well the position of a feature's bays is known."""
    if each.shape == "LineString":
        return "derived" if each.facility_kind == "kerb" else "facility"
    if each.spaces > 1 or (each.shape == "Point" and (_key(each), each.points[0]) in shared):
        return "facility"
    return "surveyed"


def footprint_of(each: Stated) -> Footprint:
    """Give the ground that a single bay claims."""
    if each.shape == "Polygon":
        return Footprint(middle(each.points), each.points)
    at = each.points[0]
    if each.bearing_deg is None or each.length_m is None or each.width_m is None:
        return Footprint(at)
    return Footprint(at, rectangle(at, each.bearing_deg, each.length_m, each.width_m))


def geometry_of(shape: Shape, points: Sequence[Position]) -> dict[str, JsonValue]:
    """Write a geometry as GeoJSON."""
    line: list[JsonValue] = [[*each.as_json()] for each in points]
    if shape == "Point":
        return {"type": "Point", "coordinates": line[0]}
    if shape == "Polygon":
        return {"type": "Polygon", "coordinates": [[*line, line[0]]]}
    return {"type": "LineString", "coordinates": line}


def _facilities(
    stated: Sequence[Stated], options: ImportOptions
) -> tuple[list[PlannedFacility], list[Accepted]]:
    groups: dict[str, list[Stated]] = defaultdict(list)
    for each in stated:
        groups[_key(each)].append(each)
    shared = shared_positions(stated)
    facilities, accepted = [], []
    for key, members in groups.items():
        first = members[0]
        code = code_of(options.source, first.facility_key or first.ref)
        bays = _bays(members, shared)
        numbered = Counter(bay.feature for bay in bays)
        accepted += [
            Accepted(
                each.index,
                each.ref,
                code,
                numbered[each.index],
                (*each.notes, *_located_note(located_of(each, shared))),
            )
            for each in members
        ]
        single = len(members) == 1 and first.shape != "Point" and first.label is None
        facilities.append(
            PlannedFacility(
                ref=key,
                code=code,
                kind=first.facility_kind,
                ownership=ownership_of(first.facility_kind, options),
                name=first.facility_name[:200],
                position=_place_of(members),
                timezone=options.timezone,
                zones=_levels(members),
                bays=tuple(bays),
                geometry=geometry_of(first.shape, first.points) if single else None,
                opening=next((each.opening for each in members if each.opening), ()),
                limits=next((e.limits for e in members if e.limits != Limits()), Limits()),
                address=next((each.address for each in members if each.address), None),
                features=tuple(each.index for each in members),
            )
        )
    return facilities, accepted


def ownership_of(kind: FacilityKind, options: ImportOptions) -> Ownership:
    """Say whose kind of place it is where the file does not."""
    return options.ownership or ("roadside" if kind == "kerb" else "public")


def _located_note(located: Located) -> tuple[str, ...]:
    if located == "derived":
        return ("its bays are laid along its line: their own places were not surveyed",)
    if located == "facility":
        return ("the places of its bays are not known: theirs is the facility's",)
    return ()


def _place_of(members: Sequence[Stated]) -> Position:
    first = members[0]
    if len(members) == 1 and first.shape == "LineString":
        return laid_along(first.points, 1)[0].position
    return middle([middle(each.points) for each in members])


def _levels(members: Iterable[Stated]) -> tuple[PlannedZone, ...]:
    levels = sorted({each.level for each in members if each.level is not None})
    return tuple(PlannedZone(level_code(level), "level", level=level) for level in levels)


def level_code(level: int) -> str:
    """Name a level: L2, B1 below ground."""
    return f"B{-level}" if level < 0 else f"L{level}"


def _bays(members: Sequence[Stated], shared: set[tuple[str, Position]]) -> list[PlannedBay]:
    bays: list[PlannedBay] = []
    for each in members:
        places = _places(each)
        located = located_of(each, shared)
        # Of several features that make one facility each numbers its own.
        prefix = "" if len(members) == 1 else f"{each.ref[:50]}-"
        zone = None if each.level is None else level_code(each.level)
        outlined = each.shape == "Polygon" and each.spaces == 1
        kinds = (group for group in each.groups for _ in range(group.count))
        for number, (group, (at, bearing)) in enumerate(zip(kinds, places, strict=True), 1):
            bays.append(
                PlannedBay(
                    label=each.label or f"{prefix}{number}",
                    kind=group.kind,
                    purpose=group.purpose,
                    ground=each.ground,
                    located=located,
                    position=at,
                    feature=each.index,
                    zone=zone,
                    bearing_deg=None if bearing is None else round(bearing, 1) % 360,
                    length_m=each.length_m,
                    width_m=each.width_m,
                    geometry=geometry_of("Polygon", each.points) if outlined else None,
                    rules=group.rules,
                    grid_cell=each.grid_cell,
                    component_code=each.component_code,
                )
            )
    return bays


def _places(each: Stated) -> Iterator[tuple[Position, float | None]]:
    """Yield where a feature's bays are, and how they are turned, as far as that is known."""
    if each.shape == "LineString" and each.facility_kind == "kerb":
        for place in laid_along(each.points, each.spaces):
            turn = {"parallel": 0.0, "perpendicular": 90.0}.get(each.orientation or "")
            yield place.position, None if turn is None else place.bearing_deg + turn
        return
    at = middle(each.points)
    for _ in range(each.spaces):
        yield at, each.bearing_deg
