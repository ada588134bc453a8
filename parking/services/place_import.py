"""Importing places from a file: the good features are kept, each other one says why not.

An import is idempotent by the name of its source: the same file again changes nothing, a changed
feature changes its place, whose earlier state goes to the history. Places that a later file does
not have any more are left alone: files are often parts.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from city import audit
from city.errors import Invalid
from city.identifiers import BayId, DistrictCode, FacilityId, OperatorId, TariffId, ZoneId
from city.people.actors import Actor
from city.works.database import UnitOfWork
from parking.rules.places.importing.assembly import assemble
from parking.rules.places.importing.collection import read_collection
from parking.rules.places.importing.curblr import read_curblr
from parking.rules.places.importing.stated import (
    Accepted,
    ImportFormat,
    ImportOptions,
    ImportPlan,
    PlannedBay,
    PlannedFacility,
    PlannedZone,
    Rejected,
)
from parking.rules.places.importing.table import read_table
from parking.rules.places.model import Bay, Facility, RevenueNature, Standing, Zone
from parking.services.place_checks import without_conflicts
from parking.services.place_keeping import by_name, translated
from parking.store import imports, operators, place_history, places
from parking.store.devices import bump

SOURCE: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")
MOST_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ImportTarget:
    """Where imported places belong, which no file says."""

    district: DistrictCode
    operator_id: OperatorId
    revenue_nature: RevenueNature = "public_non_tax"
    tariff_id: TariffId | None = None


@dataclass(slots=True)
class _Changes:
    """What is to be written."""

    new_facilities: list[Facility] = field(default_factory=list)
    changed_facilities: list[Facility] = field(default_factory=list)
    new_zones: list[Zone] = field(default_factory=list)
    changed_zones: list[Zone] = field(default_factory=list)
    new_bays: list[Bay] = field(default_factory=list)
    changed_bays: list[Bay] = field(default_factory=list)
    retired_bays: list[Bay] = field(default_factory=list)
    kept: list[tuple[str, FacilityId, bytes]] = field(default_factory=list)
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file."""

    source: str
    dry_run: bool
    facilities: dict[str, int]
    zones: dict[str, int]
    bays: dict[str, int]
    accepted: tuple[Accepted, ...]
    rejected: tuple[Rejected, ...]

    def as_json(self) -> dict[str, JsonValue]:
        """Give it as commands and the API report it."""
        return {
            "source": self.source,
            "dry_run": self.dry_run,
            "features": len(self.accepted) + len(self.rejected),
            "facilities": {**self.facilities},
            "zones": {**self.zones},
            "bays": {**self.bays},
            "accepted": [each.as_json() for each in self.accepted],
            "rejected": [each.as_json() for each in self.rejected],
        }


def read_plan(kind: ImportFormat, content: bytes | JsonValue, options: ImportOptions) -> ImportPlan:
    """Read a file into a plan; nothing is compared with what stands.

    Parameters
    ----------
    kind
        ``geojson``, ``curblr`` or ``csv``.
    content
        The file's bytes, or of JSON formats the value.
    options
        What the file does not say.

    Raises
    ------
    Invalid
        Where the file as a whole cannot be used.
    """
    if SOURCE.fullmatch(options.source) is None:
        raise Invalid("must be 1 to 40 of a-z, 0-9, _ . and -", field="source")
    length_m = options.bay_length_m
    if length_m is not None and not 1 <= length_m <= 30:  # noqa: PLR2004 - metres
        raise Invalid("must be 1 to 30 m", field="bay_length_m")
    if isinstance(content, bytes) and len(content) > MOST_BYTES:
        raise Invalid("is larger than 64 MiB", field="file")
    if kind == "csv":
        raw = content if isinstance(content, bytes) else str(content).encode()
        return assemble(*read_table(raw, options), options)
    value = _json(content) if isinstance(content, bytes) else content
    if kind == "curblr":
        return read_curblr(value, options)
    return assemble(*read_collection(value, options), options)


def import_places(
    uow: UnitOfWork,
    actor: Actor,
    plan: ImportPlan,
    options: ImportOptions,
    target: ImportTarget,
    *,
    dry_run: bool = False,
) -> ImportReport:
    """Bring the registry to what a plan says, feature by feature.

    Parameters
    ----------
    uow, actor
        The transaction, and who does it; audited.
    plan, options
        From `read_plan`.
    target
        Where the places belong.
    dry_run
        Say what would be done, and do nothing.

    Raises
    ------
    Invalid
        Where the operator or tariff does not exist.

    Notes
    -----
    A number of statements that does not depend on the features; cost grows with them.
    """
    bump(uow.connection)
    if not operators.exists(uow.connection, target.operator_id):
        raise Invalid("there is no such operator", field="operator_id")
    at, by = uow.clock.now(), by_name(actor)
    known = imports.imported(uow.connection, options.source)
    plan = without_conflicts(uow.connection, plan, known)
    changes = _changes(uow, plan, known, target, at=at, by=by)
    report = _report(plan, options, changes, dry_run=dry_run)
    if dry_run:
        return report
    with translated(uow):
        _write(uow, changes, at=at, by=by)
    imports.keep(uow.connection, options.source, changes.kept, at=at, by=by)
    audit.record(
        uow,
        actor,
        "parking.places_imported",
        "import",
        options.source,
        {
            "accepted": len(report.accepted),
            "rejected": len(report.rejected),
            "facilities": {**report.facilities},
            "bays": {**report.bays},
        },
    )
    return report


def _json(content: bytes) -> JsonValue:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON number")

    try:
        value: JsonValue = json.loads(content.decode("utf-8-sig"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"is not JSON: {str(error)[:120]}", field="file") from None
    return value


def _changes(
    uow: UnitOfWork,
    plan: ImportPlan,
    known: dict[str, tuple[FacilityId, bytes]],
    target: ImportTarget,
    *,
    at: datetime,
    by: str,
) -> _Changes:
    changes = _Changes()
    digests = {each.ref: each.digest() for each in plan.facilities}
    differing = []
    for each in plan.facilities:
        if each.ref not in known:
            _add(changes, each, target, digests[each.ref], Standing(1, at, by))
        elif known[each.ref][1] == digests[each.ref]:
            changes.unchanged += 1
        else:
            differing.append(each)
    ids = [known[each.ref][0] for each in differing]
    facilities = places.facilities_by_id(uow.connection, ids)
    zones = list(place_history.zones(uow.connection, ids).values()) if ids else []
    bays = imports.bays_of(uow.connection, ids)
    devices = imports.with_devices(uow.connection, [each.id for each in bays])
    for each in differing:
        home = facilities[known[each.ref][0]]
        changes.kept.append((each.ref, home.id, digests[each.ref]))
        new = replace(
            home,
            kind=each.kind,
            ownership=each.ownership,
            name_zh=each.name,
            name_en=each.name,
            position=each.position,
            timezone=each.timezone,
            geometry=each.geometry,
            opening=each.opening,
            limits=each.limits,
            machine=home.machine if each.kind == "mechanical" else None,
            address=each.address,
        )
        if new != home:
            changes.changed_facilities.append(new)
        standing = Standing(1, at, by)
        codes = _change_zones(
            changes, each, home, [z for z in zones if z.facility_id == home.id], standing
        )
        mine = [bay for bay in bays if bay.facility_id == home.id]
        _change_bays(changes, each, home, mine, zones=codes, devices=devices, standing=standing)
    return changes


def _add(
    changes: _Changes,
    each: PlannedFacility,
    target: ImportTarget,
    digest: bytes,
    standing: Standing,
) -> None:
    facility = Facility(
        code=each.code,
        district=target.district,
        ownership=each.ownership,
        kind=each.kind,
        name_zh=each.name,
        name_en=each.name,
        position=each.position,
        timezone=each.timezone,
        operator_id=target.operator_id,
        revenue_nature=target.revenue_nature,
        tariff_id=target.tariff_id,
        address=each.address,
        onboarding="surveyed",
        opening=each.opening,
        geometry=each.geometry,
        limits=each.limits,
        standing=standing,
    )
    changes.new_facilities.append(facility)
    changes.kept.append((each.ref, facility.id, digest))
    codes = _change_zones(changes, each, facility, [], standing)
    changes.new_bays += [_bay(bay, facility, codes, standing) for bay in each.bays]


def _zone(each: PlannedZone, facility: Facility, standing: Standing) -> Zone:
    return Zone(
        facility_id=facility.id,
        district=facility.district,
        code=each.code,
        kind=each.kind,
        name_zh=each.name,
        name_en=each.name,
        level=each.level,
        length_m=each.length_m,
        rules=each.rules,
        geometry=each.geometry,
        standing=standing,
    )


def _change_zones(
    changes: _Changes,
    each: PlannedFacility,
    facility: Facility,
    present: Sequence[Zone],
    standing: Standing,
) -> dict[str, ZoneId]:
    """Bring a facility's zones to the plan; give their ids by code."""
    by_code = {zone.code: zone for zone in present}
    ids: dict[str, ZoneId] = {}
    for planned in each.zones:
        new = _zone(planned, facility, standing)
        old = by_code.pop(planned.code, None)
        if old is None:
            changes.new_zones.append(new)
            ids[planned.code] = new.id
            continue
        ids[planned.code] = old.id
        new = replace(new, id=old.id, standing=old.standing)
        if new != old:
            changes.changed_zones.append(new)
    gone = [replace(zone, retired_at=standing.changed_at) for zone in by_code.values()]
    changes.changed_zones += gone
    return ids


def _bay(each: PlannedBay, facility: Facility, zones: dict[str, ZoneId], standing: Standing) -> Bay:
    return Bay(
        facility_id=facility.id,
        district=facility.district,
        label=each.label,
        kind=each.kind,
        position=each.position,
        bearing_deg=each.bearing_deg,
        zone_id=None if each.zone is None else zones[each.zone],
        purpose=each.purpose,
        ground=each.ground,
        located=each.located,
        length_m=each.length_m,
        width_m=each.width_m,
        geometry=each.geometry,
        rules=each.rules,
        grid_cell=each.grid_cell,
        component_code=each.component_code,
        standing=standing,
    )


def _change_bays(
    changes: _Changes,
    each: PlannedFacility,
    facility: Facility,
    present: Sequence[Bay],
    *,
    zones: dict[str, ZoneId],
    devices: set[UUID],
    standing: Standing,
) -> None:
    by_label = {bay.label: bay for bay in present}
    for planned in each.bays:
        new = _bay(planned, facility, zones, standing)
        old = by_label.pop(planned.label, None)
        if old is None:
            changes.new_bays.append(new)
            continue
        new = replace(new, id=old.id, number=old.number, standing=old.standing)
        if new != old:
            changes.changed_bays.append(new)
    changes.retired_bays += [
        replace(bay, retired_at=standing.changed_at)
        for bay in by_label.values()
        # A device that still lies in it speaks for a bay that the file forgot.
        if bay.retired_at is None and bay.id not in devices
    ]


def _write(uow: UnitOfWork, changes: _Changes, *, at: datetime, by: str) -> None:
    connection = uow.connection
    places.add_facilities(connection, changes.new_facilities)
    for each in changes.changed_facilities:
        place_history.change_facility(connection, each, at=at, by=by)
    place_history.add_zones(connection, changes.new_zones)
    # Retired first: a label or code that moves to another bay is free by then.
    place_history.change_bays(connection, changes.retired_bays, at=at, by=by)
    place_history.change_bays(connection, changes.changed_bays, at=at, by=by)
    place_history.change_zones(connection, changes.changed_zones, at=at, by=by)
    places.add_bays(connection, changes.new_bays)
    moved: list[BayId] = [each.id for each in changes.changed_bays]
    if moved:
        operators.touch_devices_in(connection, moved, bump(connection))


def _report(
    plan: ImportPlan, options: ImportOptions, changes: _Changes, *, dry_run: bool
) -> ImportReport:
    return ImportReport(
        options.source,
        dry_run,
        {
            "added": len(changes.new_facilities),
            "changed": len(changes.kept) - len(changes.new_facilities),
            "unchanged": changes.unchanged,
        },
        {"added": len(changes.new_zones), "changed": len(changes.changed_zones)},
        {
            "added": len(changes.new_bays),
            "changed": len(changes.changed_bays),
            "retired": len(changes.retired_bays),
        },
        plan.accepted,
        plan.rejected,
    )
