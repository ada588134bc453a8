"""Reading CurbLR: regulations along linear references, into zones of kerbs with rules.

One side of one street is a facility. Its features may lie on top of each other, that is how
CurbLR states different uses at different times: the kerb is cut where any of them begins or ends,
and each stretch gets the rules of all that cover it, so that no metre of kerb, and no bay, is
counted twice. Which rule is in force when is `usage`'s business.

Source: CurbLR specification 1.1.0 (curblr/curblr-spec), and its files of Portland.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import JsonValue

from city.errors import Invalid
from city.places import Position
from parking.rules.places.geometry import along, cut, line_length_m, middle
from parking.rules.places.importing.assembly import code_of, geometry_of, ownership_of
from parking.rules.places.importing.collection import open_collection, read_geometry
from parking.rules.places.importing.regulations import read_regulations
from parking.rules.places.importing.stated import (
    Accepted,
    Faulty,
    ImportOptions,
    ImportPlan,
    PlannedBay,
    PlannedFacility,
    PlannedZone,
    Rejected,
)
from parking.rules.places.importing.words import text_of
from parking.rules.places.model import BayKind, Purpose
from parking.rules.places.times import overlap
from parking.rules.places.usage import UseRule

SHORTEST_M: Final = 0.5
"""A stretch shorter than this is an error of measuring between two features' ends."""
LONGEST_M: Final = 5_000.0
_SIDES: Final = frozenset({"left", "right", "unknown", "both"})
_MOST_BAYS: Final = 500


@dataclass(frozen=True, slots=True)
class Regulated:
    """One feature: a stretch of one side of a street, and what holds there."""

    index: int
    ref: str
    street: str | None
    """Reference of the street's segment; None where the file has none: it stands by itself."""
    side: str
    start_m: float
    end_m: float
    line: tuple[Position, ...]
    rules: tuple[UseRule, ...]
    fields: tuple[str, ...]
    """Of each rule, what the file calls it."""
    name: str
    bays: int | None

    def at(self, offset_m: float) -> float:
        """Give where along its own line a distance along the street lies."""
        share = (offset_m - self.start_m) / (self.end_m - self.start_m)
        return share * line_length_m(self.line)


def read_curblr(value: JsonValue, options: ImportOptions) -> ImportPlan:
    """Read a CurbLR feed.

    Raises
    ------
    Invalid
        Where the file as a whole cannot be used.
    """
    features, mercator = open_collection(value)
    manifest = value.get("manifest") if isinstance(value, dict) else None
    timezone, hierarchy = _manifest(manifest if isinstance(manifest, dict) else {}, options)
    read: list[Regulated] = []
    refused: list[Rejected] = []
    known: dict[str, int] = {}
    for index, feature in enumerate(features):
        try:
            each = _feature(index, feature, hierarchy, mercator=mercator)
            twin = known.setdefault(each.ref, index)
            if twin != index:
                raise Faulty(f"is a copy of feature {twin}", field="properties")
            read.append(each)
        except Invalid as error:
            refused.append(Rejected(index, f"#{index}", error.field or "properties", error.message))
    sides: dict[tuple[str, str], list[Regulated]] = defaultdict(list)
    for each in read:
        sides[each.street or f"feature {each.ref}", each.side].append(each)
    facilities, accepted = [], []
    for (street, side), members in sides.items():
        kept = _consistent(members, refused)
        planned, counted = _facility(street, side, kept, timezone, options)
        facilities.append(planned)
        accepted += [
            Accepted(each.index, each.ref, planned.code, counted.get(each.index, 0))
            for each in kept
        ]
    return ImportPlan(
        tuple(facilities),
        tuple(sorted(accepted, key=lambda each: each.index)),
        tuple(sorted(refused, key=lambda each: each.index)),
    )


def _manifest(
    manifest: Mapping[str, JsonValue], options: ImportOptions
) -> tuple[str, tuple[str, ...] | None]:
    """Read the zone of all times, and which rule prevails over which."""
    timezone = text_of(manifest.get("timeZone"), "manifest.timeZone") or options.timezone
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid("is not an IANA time zone", field="manifest.timeZone") from None
    hierarchy = manifest.get("priorityHierarchy")
    if hierarchy is None:
        return timezone, None
    if not isinstance(hierarchy, list) or not all(isinstance(each, str) for each in hierarchy):
        raise Invalid("must be a list of categories", field="manifest.priorityHierarchy")
    return timezone, tuple(str(each).strip().lower() for each in hierarchy)


def _feature(
    index: int, feature: JsonValue, hierarchy: Sequence[str] | None, *, mercator: bool
) -> Regulated:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise Faulty("must be a GeoJSON Feature", field="type")
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        raise Faulty("must be an object", field="properties")
    location = properties.get("location")
    if not isinstance(location, dict):
        raise Faulty("must be an object", field="location")
    found = read_geometry(feature, mercator=mercator)
    if found.shape != "LineString":
        raise Faulty("must be a LineString: a regulation holds along a kerb", field="geometry.type")
    start_m, end_m = _reference(location, line_length_m(found.points))
    side = (text_of(location.get("sideOfStreet"), "location.sideOfStreet") or "unknown").lower()
    if side not in _SIDES:
        raise Faulty(f"must be one of {', '.join(sorted(_SIDES))}", field="location.sideOfStreet")
    street = text_of(location.get("shstRefId"), "location.shstRefId", 64)
    bays = location.get("baysCount")
    if bays is not None and (
        isinstance(bays, bool) or not isinstance(bays, int) or not 0 <= bays <= _MOST_BAYS
    ):
        raise Faulty(f"must be 0 to {_MOST_BAYS}", field="location.baysCount")
    rules, fields = read_regulations(properties.get("regulations"), hierarchy)
    return Regulated(
        index=index,
        ref=_ref(feature, location, properties),
        street=street,
        side=side,
        start_m=start_m,
        end_m=end_m,
        line=found.points,
        rules=rules,
        fields=fields,
        name=text_of(location.get("streetName"), "location.streetName") or "",
        bays=bays,
    )


def _reference(location: Mapping[str, JsonValue], length_m: float) -> tuple[float, float]:
    """Read from where to where along its street a regulation holds, in metres."""
    found: list[float | None] = []
    for names in (("shstLocationStart", "shstLocationSt"), ("shstLocationEnd",)):
        name = next((each for each in names if each in location), names[0])
        value = location.get(name)
        if value is None:
            found.append(None)
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:  # noqa: PLR2004 - metres
            raise Faulty("must be metres along the street", field=f"location.{name}")
        found.append(float(value))
    start_m, end_m = found
    if start_m is None or end_m is None:
        if start_m is not end_m:
            raise Faulty("must be stated with shstLocationStart", field="location.shstLocationEnd")
        return 0.0, length_m
    if end_m <= start_m:
        raise Faulty("must lie beyond the start", field="location.shstLocationEnd")
    if end_m - start_m > LONGEST_M:
        raise Faulty(f"must be at most {LONGEST_M:g} m long", field="location.shstLocationEnd")
    return start_m, end_m


def _ref(
    feature: Mapping[str, JsonValue],
    location: Mapping[str, JsonValue],
    properties: Mapping[str, JsonValue],
) -> str:
    for given in (feature.get("id"), location.get("objectId")):
        if isinstance(given, str | int) and not isinstance(given, bool) and str(given).strip():
            return str(given).strip()[:200]
    whole = json.dumps([feature.get("geometry"), properties], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:24]


def _consistent(members: Sequence[Regulated], refused: list[Rejected]) -> list[Regulated]:
    """Refuse features whose rules contradict an earlier one's on the same kerb at the same time."""
    kept: list[Regulated] = []
    for each in members:
        found = next(
            (
                (other, number)
                for other in kept
                if min(each.end_m, other.end_m) - max(each.start_m, other.start_m) > SHORTEST_M
                for number, rule in enumerate(each.rules)
                if any(contradict(rule, standing) for standing in other.rules)
            ),
            None,
        )
        if found is None:
            kept.append(each)
            continue
        other, number = found
        refused.append(
            Rejected(
                each.index,
                each.ref,
                f"{each.fields[number]}.rule.priorityCategory",
                f"contradicts feature {other.index} on the same kerb at the same time: of two "
                "rules for the same users one must have the higher priority",
            )
        )
    return kept


def contradict(a: UseRule, b: UseRule) -> bool:
    """Tell whether two rules on one kerb say different things with the same priority."""
    if a.priority != b.priority or bool(a.users) != bool(b.users):
        return False
    if a.users and not set(a.users) & set(b.users):
        return False
    same = (a.activity, a.max_stay_min, a.no_return_min) == (
        b.activity,
        b.max_stay_min,
        b.no_return_min,
    )
    prohibited = not a.permits and not b.permits
    return not same and not prohibited and overlap(a.spans, b.spans)


@dataclass(frozen=True, slots=True)
class _Stretch:
    start_m: float
    end_m: float
    members: tuple[Regulated, ...]

    @property
    def rules(self) -> tuple[UseRule, ...]:
        return tuple(dict.fromkeys(rule for each in self.members for rule in each.rules))

    @property
    def line(self) -> tuple[Position, ...]:
        """Give its part of the line of the feature that was measured closest around it."""
        best = min(self.members, key=lambda each: each.end_m - each.start_m)
        return cut(best.line, best.at(self.start_m), best.at(self.end_m))


def _stretches(members: Sequence[Regulated]) -> list[_Stretch]:
    """Cut one side of a street where any feature begins or ends."""
    marks: list[float] = []
    for mark in sorted({m for each in members for m in (each.start_m, each.end_m)}):
        if not marks or mark - marks[-1] >= SHORTEST_M:
            marks.append(mark)
    found: list[_Stretch] = []
    for start_m, end_m in pairwise(marks):
        half_m = (start_m + end_m) / 2
        cover = tuple(each for each in members if each.start_m <= half_m < each.end_m)
        if not cover:
            continue
        last = found[-1] if found else None
        if last is not None and last.end_m == start_m and last.members == cover:
            found[-1] = _Stretch(last.start_m, end_m, cover)
        else:
            found.append(_Stretch(start_m, end_m, cover))
    return found


def _facility(
    street: str,
    side: str,
    members: Sequence[Regulated],
    timezone: str,
    options: ImportOptions,
) -> tuple[PlannedFacility, dict[int, int]]:
    stretches = _stretches(members)
    key = f"{street}-{side}"
    bays = list(_laid(stretches, members, options))
    counted: dict[int, int] = defaultdict(int)
    for bay in bays:
        counted[bay.feature] += 1
    longest = max(members, key=lambda each: each.end_m - each.start_m)
    name = next((each.name for each in members if each.name), f"{street[:8]} {side}")
    return (
        PlannedFacility(
            ref=key,
            code=code_of(options.source, key),
            kind="kerb",
            ownership=ownership_of("kerb", options),
            name=name,
            position=middle(longest.line),
            timezone=timezone,
            zones=tuple(
                PlannedZone(
                    _code(each),
                    "stretch",
                    length_m=round(each.end_m - each.start_m, 2),
                    geometry=geometry_of("LineString", each.line),
                    rules=each.rules,
                )
                for each in stretches
            ),
            bays=tuple(bays),
            features=tuple(each.index for each in members),
        ),
        counted,
    )


def _code(stretch: _Stretch) -> str:
    return f"{stretch.start_m:.1f}-{stretch.end_m:.1f}"


def _laid(
    stretches: Sequence[_Stretch], members: Sequence[Regulated], options: ImportOptions
) -> Iterator[PlannedBay]:
    """Yield bays where their number is stated, or, where the operator says how long one is, all.

    A metre of kerb gets bays once, however many regulations speak of it.
    """
    taken: list[tuple[float, float]] = []
    number = 0
    for start_m, end_m, count, feature in _runs(stretches, members, options):
        if any(max(start_m, a) < min(end_m, b) - SHORTEST_M for a, b in taken):
            continue
        taken.append((start_m, end_m))
        pitch_m = (end_m - start_m) / count
        for index in range(count):
            offset_m = start_m + (index + 0.5) * pitch_m
            stretch = next((s for s in stretches if s.start_m <= offset_m < s.end_m), None)
            if stretch is None or not _usable(stretch):
                continue
            best = min(stretch.members, key=lambda each: each.end_m - each.start_m)
            place = along(best.line, best.at(offset_m))
            kind, purpose = _use(stretch.rules)
            number += 1
            yield PlannedBay(
                label=str(number),
                kind=kind,
                purpose=purpose,
                ground="carriageway",
                located="derived",
                position=place.position,
                feature=feature,
                zone=_code(stretch),
                bearing_deg=round(place.bearing_deg, 1) % 360,
            )


def _runs(
    stretches: Sequence[_Stretch], members: Sequence[Regulated], options: ImportOptions
) -> Iterator[tuple[float, float, int, int]]:
    for each in sorted(members, key=lambda m: (m.start_m, m.index)):
        if each.bays:
            yield each.start_m, each.end_m, each.bays, each.index
    if options.bay_length_m is None:
        return
    for run in _joined(stretch for stretch in stretches if _usable(stretch)):
        start_m, end_m = run[0].start_m, run[-1].end_m
        count = int((end_m - start_m) / options.bay_length_m)
        if count:
            yield start_m, end_m, count, run[0].members[0].index


def _joined(stretches: Iterable[_Stretch]) -> Iterator[list[_Stretch]]:
    """Yield runs of stretches that follow each other without a gap."""
    run: list[_Stretch] = []
    for each in stretches:
        if run and run[-1].end_m != each.start_m:
            yield run
            run = []
        run.append(each)
    if run:
        yield run


def _usable(stretch: _Stretch) -> bool:
    """Tell whether a vehicle may ever be left on a stretch: else there is no bay."""
    permitted = [rule for rule in stretch.rules if rule.activity in {"parking", "loading"}]
    always_off = [rule for rule in stretch.rules if not rule.permits and not rule.spans]
    return any(
        all(off.users or off.priority > rule.priority for off in always_off) for rule in permitted
    )


_KINDS: Final[Mapping[str, BayKind]] = {
    "handicap": "disabled",
    "disabled": "disabled",
    "motorcycle": "motorcycle",
    "electric": "charging",
    "truck": "lorry",
    "bus": "coach",
    "tour_bus": "coach",
}
_PERMITS: Final = frozenset({"permit", "resident permit", "residential", "resident", "staff"})
_RESERVED: Final = frozenset(
    {"reserved", "official", "police", "diplomat", "usps", "car share", "taxi", "emergency"}
)


def _use(rules: Sequence[UseRule]) -> tuple[BayKind, Purpose]:
    """Say what bay a stretch makes: by those who alone may use it, if it is for some alone."""
    parking = [rule for rule in rules if rule.activity == "parking"]
    if not parking:
        return "loading", "public"
    if not all(rule.users for rule in parking):
        return "standard", "public"
    users = {user.partition(":")[0] for rule in parking for user in rule.users}
    kinds = {_KINDS[user] for user in users if user in _KINDS}
    kind: BayKind = kinds.pop() if len(kinds) == 1 and users <= _KINDS.keys() else "standard"
    if users <= _PERMITS:
        return kind, "permit"
    return kind, "reserved" if users <= _RESERVED else "public"
