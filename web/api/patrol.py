"""What calls for somebody on the street: a list for a walk, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint
from flask import current_app

from city.errors import Invalid
from city.places import Position
from journeys import keep_patrol
from journeys.keep_patrol import WALKERS
from journeys.keep_patrol_photos import TakenPhoto, keep_photo
from parking.rules.patrol import MOST_PHOTOS, Mark, TaskKind
from parking.store import patrol as store
from web import access
from web.acts import act
from web.api.plates import masked_plates
from web.api.schemas.patrol import (
    MarksIn,
    MarksOut,
    PatrolOut,
    PatrolPhotoIn,
    PatrolPhotoOut,
    PatrolQuery,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from city.identifiers import VehicleId
    from city.works.database import UnitOfWork
    from parking.known_streets import KnownStreets
    from parking.store.patrol import TaskAt

blueprint = APIBlueprint("patrol", __name__, url_prefix="/api/v1", tag="Patrol")
MOST_FACILITIES: Final = 40
"""The nearest: a walk among more is no walk."""


@blueprint.get("/patrol")
@access.allow(*WALKERS)
@blueprint.input(PatrolQuery, location="query")
@blueprint.output(PatrolOut)
@blueprint.doc(
    summary="What calls for somebody around a place, with walks between",
    description=(
        f"The nearest {store.MOST_NEAR} tasks at the nearest {MOST_FACILITIES} facilities; plates "
        "are masked. In which order to go is worked out on the device, which may have no line."
    ),
)
def around(query_data: PatrolQuery) -> dict[str, Any]:
    """List tasks."""
    caller, wiring = access.known_actor(), access.wiring()
    here = Position(query_data.longitude, query_data.latitude)
    with wiring.database.read() as connection:
        found = store.near(
            connection,
            here,
            query_data.radius_m,
            caller.districts,
            kinds=_kinds(query_data.kinds),
        )
        places = {each.task.facility_id: each for each in reversed(found)}
        wanted = list(dict.fromkeys(each.task.facility_id for each in found))[:MOST_FACILITIES]
        shown = [each for each in found if each.task.facility_id in set(wanted)]
        plates = masked_plates(connection, (each.vehicle_id for each in shown))
    return {
        "items": [_task(each, plates) for each in shown],
        "facilities": [_facility(places[each]) for each in wanted],
        "walks_m": _walks([places[each].facility_at for each in wanted]),
        "at": wiring.clock.now(),
    }


@blueprint.post("/patrol/marks")
@access.allow(*WALKERS)
@act
@blueprint.input(MarksIn)
@blueprint.output(MarksOut)
@blueprint.doc(summary="Say of tasks that they were seen, or looked at and done")
def mark(uow: UnitOfWork, json_data: MarksIn) -> dict[str, Any]:
    """Take words about tasks."""
    marks = [Mark(each.task_id, each.at, each.done, each.note) for each in json_data.items]
    stand = keep_patrol.mark_tasks(uow, access.known_actor(), marks)
    return {
        "items": [
            {"id": each.id, "seen_at": each.seen_at, "ended_at": each.ended_at} for each in stand
        ]
    }


@blueprint.put("/patrol/tasks/<uuid:task_id>/photos/<uuid:photo_id>")
@access.allow(*WALKERS)
@blueprint.input(PatrolPhotoIn)
@blueprint.output(PatrolPhotoOut)
@blueprint.doc(
    summary="A photo of the stay that a task is about: kept sealed, as evidence",
    description=(
        f"At most {MOST_PHOTOS} a task. `photo_id` is made on the device: sent again it is the "
        "same photo. It stands with the stay's others."
    ),
)
def put_photo(json_data: PatrolPhotoIn, task_id: UUID, photo_id: UUID) -> dict[str, Any]:
    """Keep a photo."""
    taken = TakenPhoto(photo_id, task_id, json_data.taken_at, json_data.photo)
    with access.wiring().database.unit_of_work() as uow:
        kept = keep_photo(uow, access.known_actor(), taken)
    return {
        "id": kept.id,
        "session_id": kept.session_id,
        "sha256": kept.sha256,
        "taken_at": kept.taken_at,
    }


def _kinds(asked: str | None) -> frozenset[TaskKind] | None:
    if asked is None:
        return None
    try:
        return frozenset(TaskKind(each) for each in asked.split(","))
    except ValueError:
        raise Invalid("is not a kind of task", field="kinds") from None


def _walks(places: Sequence[Position]) -> list[list[float]]:
    streets: KnownStreets = current_app.extensions["streets"]
    travel = streets.travel()
    return [[round(way.length_m, 1) for way in travel.walks(to, places)] for to in places]


def _task(found: TaskAt, plates: Mapping[VehicleId, dict[str, Any]]) -> dict[str, Any]:
    task = found.task
    return {
        "id": task.id,
        "kind": task.kind.value,
        "facility_id": task.facility_id,
        "bay_id": task.bay_id,
        "bay_label": found.bay_label,
        "position": found.position.as_json(),
        "session_id": task.session_id,
        "bill_id": task.subject if task.kind is TaskKind.ESCAPE else None,
        "plate": None if found.vehicle_id is None else plates.get(found.vehicle_id),
        "amount": None if task.amount is None else task.amount.as_json(),
        "what": task.what,
        "arose_at": task.arose_at,
        "seen_at": task.seen_at,
    }


def _facility(found: TaskAt) -> dict[str, Any]:
    return {
        "id": found.task.facility_id,
        "code": found.facility_code,
        "name": {"zh": found.facility_zh, "en": found.facility_en},
        "position": found.facility_at.as_json(),
    }
