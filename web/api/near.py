"""Free bays around a place, the quickest from door to door first; places by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint
from flask import current_app

from city.errors import Invalid
from city.places import Position
from city.vehicles import Energy, VehicleClass
from parking.finding import Wish
from parking.finding_places import places_named
from parking.rules.finding import navigation
from web import access
from web.api.place_states import limits_json
from web.api.places import AGE, ageless, answers, bay_json
from web.api.schemas.near import NamedPlacesOut, NamedQuery, NearestOut, NearestQuery
from web.fresh import Answer, dumped, made

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from flask import Response

    from city.time import Clock
    from parking.finding import Finder, FoundBay
    from parking.known_streets import KnownStreets

blueprint = APIBlueprint("near", __name__, url_prefix="/api/v1", tag="Places")

SEARCHED_AFTER = 15
"""Moments (`web.fresh.SURE_S`) for which a search stands: less than any cache may keep it."""
NEAREST_KEPT_S = 20.0
"""Which bays are free is searched anew meanwhile, and ages are told anew; chances, prices and when
a bay was heard are that old at most."""
HOLE = -1
"""Stands for an age that is written later."""


@blueprint.get("/bays/nearest")
@access.public
@blueprint.input(NearestQuery, location="query")
@blueprint.output(NearestOut)
@blueprint.doc(summary="Free bays around a place, the quickest from door to door first")
def nearest(query_data: NearestQuery) -> Response:
    """List free bays; one that is unknown is not offered."""
    sure = answers().sure()
    if sure is not None:
        return sure
    wish = _wish(query_data)
    wish.check_times(access.wiring().clock.now())
    finder: Finder = current_app.extensions["finder"]
    search = finder.search(wish)

    def make() -> Answer:
        found = finder.find(wish, search)
        items = [_near(each) for each in found]
        heard_at = [each.now.now.heard_at for each in found]
        again = _writer(items, heard_at, access.wiring().clock)
        return made({"items": items}, ageless(items))._replace(written=again)

    marks = b",".join([bay for _, found in search for bay, _ in found])
    return answers().marked(marks, make, times=SEARCHED_AFTER, kept_s=NEAREST_KEPT_S)


def _writer(
    items: Sequence[dict[str, Any]], heard_at: Sequence[datetime | None], clock: Clock
) -> Callable[[], bytes]:
    """Give what writes items again with their ages by then.

    It keeps what stands between the ages as bytes: joining them costs a hundredth of making.
    """
    holed = [
        item if at is None else {**item, AGE: HOLE}
        for item, at in zip(items, heard_at, strict=True)
    ]
    # In texts quotation marks are escaped, and no age is below zero: nothing else looks like it.
    parts = dumped({"items": holed}).split(b'"%s":%d' % (AGE.encode(), HOLE))
    known = [at for at in heard_at if at is not None]

    def write() -> bytes:
        now = clock.now()
        ages = [b'"%s":%d' % (AGE.encode(), _age_s(at, now)) for at in known]
        return b"".join(part + age for part, age in zip(parts, [*ages, b""], strict=True))

    return write


def _age_s(heard_at: datetime, now: datetime) -> int:
    return max(0, round((now - heard_at).total_seconds()))


def _wish(asked: NearestQuery) -> Wish:
    origin = None
    if asked.from_longitude is not None and asked.from_latitude is not None:
        origin = Position(asked.from_longitude, asked.from_latitude)
    elif asked.from_longitude is not None:
        raise Invalid("goes with from_longitude", field="from_latitude")
    elif asked.from_latitude is not None:
        raise Invalid("goes with from_latitude", field="from_longitude")
    return Wish(
        destination=Position(asked.longitude, asked.latitude),
        radius_m=asked.radius_m,
        limit=asked.limit,
        vehicle=VehicleClass(asked.vehicle),
        energy=None if asked.energy is None else Energy(asked.energy),
        arrive_at=asked.arrive_at,
        leave_at=asked.leave_at,
        origin=origin,
        only=asked.only,
        height_m=asked.height_m,
        walk_at_most_m=asked.walk_at_most_m,
        price_at_most_minor=asked.price_at_most_minor,
        per_facility=asked.per_facility,
    )


def _near(found: FoundBay) -> dict[str, Any]:
    option, home, now = found.option, found.facility, found.now.now
    drive, walk = option.drive, option.walk
    along = walk.basis == "streets" and (drive is None or drive.basis == "streets")
    heard_at = now.heard_at
    links = navigation.links(found.bay.position, f"{home.name_zh} {found.bay.label}")
    return {
        "bay": bay_json(found.bay, now, usable=True),
        "facility": {"zh": home.name_zh, "en": home.name_en},
        "facility_code": home.code,
        "facility_kind": home.kind,
        "restrictions": {
            "limits": limits_json(home.limits),
            "max_stay_min": found.restriction.max_stay_min,
            "ends_at": found.restriction.ends_at,
            "why": found.restriction.why,
            "reason": found.restriction.reason,
        },
        "distance_m": round(option.distance_m),
        "walk_m": round(walk.length_m),
        "walk_s": round(walk.time_s),
        "drive_s": None if drive is None else round(drive.time_s),
        "retrieval_s": round(option.retrieval_s),
        "door_to_door_s": round(option.door_to_door_s),
        "basis": "streets" if along else "straight line",
        "arrive_at": option.arrive_at.replace(microsecond=0),
        "chance_free": None if option.chance_free is None else round(option.chance_free, 3),
        "chance_judged": None
        if found.judged is None
        else {
            "rows": found.judged.rows,
            "brier": round(found.judged.brier, 4),
            "brier_base": round(found.judged.brier_base, 4),
        },
        "price_total": None if option.price_total is None else option.price_total.as_json(),
        "price_per_hour": (
            None if option.price_per_hour is None else option.price_per_hour.as_json()
        ),
        AGE: None if heard_at is None else _age_s(heard_at, access.wiring().clock.now()),
        "navigation": {
            "amap": links.amap,
            "baidu": links.baidu,
            "apple": links.apple,
            "google": links.google,
        },
    }


@blueprint.get("/places")
@access.signed_in
@blueprint.input(NamedQuery, location="query")
@blueprint.output(NamedPlacesOut)
@blueprint.doc(summary="Facilities, streets and junctions by a part of their name")
def named(query_data: NamedQuery) -> dict[str, Any]:
    """List places as a driver begins to name one, in Chinese or English."""
    streets: KnownStreets = current_app.extensions["streets"]
    found = places_named(access.wiring().places, streets, query_data.name, limit=query_data.limit)
    return {
        "items": [
            {
                "id": each.key,
                "kind": each.kind,
                "name": {"zh": each.name_zh, "en": each.name_en},
                "position": each.position.as_json(),
            }
            for each in found
        ]
    }
