"""How many bays of a facility a driver can use now, from the registry and the live state.

The live store counts all bays of a facility alike. Bays that are not the public's, or may not be
used now, are few: they are looked at one by one and taken out of its counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from city.identifiers import BayId, DistrictCode, FacilityId
from parking.adapters.live_store import BayNow, LiveStore
from parking.known_places import KnownPlaces
from parking.rules.places.counting import Capacity, Pool, Tally, capacity
from parking.rules.places.model import Facility
from parking.rules.places.times import hold, next_change
from parking.store.apart import BayApart


@dataclass(frozen=True, slots=True)
class FacilityCapacity:
    """A facility's capacity now, and when one of its bays was last heard."""

    capacity: Capacity
    heard_at: datetime | None
    is_open: bool
    changes_at: datetime | None
    """When it opens or closes next, within some days; None: not that is known."""


def capacities(
    known: KnownPlaces, live: LiveStore, facilities: Sequence[Facility], at: datetime
) -> dict[FacilityId, FacilityCapacity]:
    """Give the capacities of facilities.

    Two round trips to the live store at most, each one command a district; cost grows with the
    facilities and with their bays that count apart.
    """
    ids = [each.id for each in facilities]
    bays = known.bay_counts(ids)
    counts = live.counts((each.district, each.id) for each in facilities)
    apart = known.apart(ids)
    pools = {each.id: pools_at(apart.get(each.id, ()), each, at) for each in facilities}
    states = _states(live, {each.id: each.district for each in facilities}, pools)
    found = {}
    for each in facilities:
        now = counts[each.id]
        is_open = open_at(each, at)
        local = each.local(at)
        turn = next_change(each.opening, local)
        found[each.id] = FacilityCapacity(
            capacity(
                Tally(now.free, now.occupied, now.unknown),
                bays[each.id],
                [(pool, states[bay_id].state.value) for bay_id, pool in pools[each.id].items()],
                is_open=is_open,
            ),
            now.heard_at,
            is_open,
            None if turn is None else turn.astimezone(at.tzinfo),
        )
    return found


def open_at(facility: Facility, at: datetime) -> bool:
    """Tell whether a facility is open and in service at an instant."""
    if facility.onboarding in {"suspended", "withdrawn"}:
        return False
    return hold(facility.opening, facility.local(at))


def pools_at(apart: Iterable[BayApart], facility: Facility, at: datetime) -> dict[BayId, Pool]:
    """Give where bays count at an instant, those left out that count as public after all."""
    local = facility.local(at)
    found = {each.bay_id: each.pool(at, local) for each in apart}
    return {bay_id: pool for bay_id, pool in found.items() if pool != "public"}


def for_the_public(
    known: KnownPlaces, bays: Iterable[tuple[BayId, Facility]], at: datetime
) -> set[BayId]:
    """Give those bays on which somebody without any right may park at an instant."""
    by_facility: dict[FacilityId, tuple[Facility, list[BayId]]] = {}
    for bay_id, facility in bays:
        by_facility.setdefault(facility.id, (facility, []))[1].append(bay_id)
    apart = known.apart(by_facility)
    found: set[BayId] = set()
    for facility_id, (facility, wanted) in by_facility.items():
        if not open_at(facility, at):
            continue
        away = pools_at(apart.get(facility_id, ()), facility, at)
        found.update(bay_id for bay_id in wanted if bay_id not in away)
    return found


def _states(
    live: LiveStore,
    districts: Mapping[FacilityId, DistrictCode],
    pools: Mapping[FacilityId, Mapping[BayId, Pool]],
) -> dict[BayId, BayNow]:
    by_district: dict[DistrictCode, list[BayId]] = {}
    for facility_id, found in pools.items():
        if found:
            by_district.setdefault(districts[facility_id], []).extend(found)
    states: dict[BayId, BayNow] = {}
    for district, bay_ids in by_district.items():
        states |= live.bay_states(district, bay_ids)
    return states
