"""Say which signal a gate's lanes lie at: what their cameras read there is one more pass of it."""

from collections.abc import Sequence
from uuid import UUID

from city.errors import Invalid
from city.people.actors import Actor
from city.works.database import UnitOfWork
from journeys.lane_turn import lane_of
from signals.services import pass_lanes


def place_lanes(
    uow: UnitOfWork,
    actor: Actor,
    network_id: UUID,
    name: str,
    lanes: Sequence[tuple[UUID, int]],
) -> None:
    """Say which lanes of gates tell of a signal, in the place of what was said before.

    Parameters
    ----------
    uow : UnitOfWork
    actor : Actor
    network_id : UUID
    name : str
        The signal's.
    lanes : sequence of UUID and int
        Lanes in service, each with its number among the signal's.

    Raises
    ------
    NotFound
        Where there is no such signal or lane.
    Conflict
        Where a lane tells of another signal.
    Invalid
        On too many lanes, or one given twice.
    """
    if len({lane_id for lane_id, _ in lanes}) < len(lanes):
        raise Invalid("holds a lane twice", field="lanes")
    given = {lane_id: (lane_of(uow, lane_id).district, number) for lane_id, number in lanes}
    pass_lanes.set_lanes(uow, actor, network_id, name, given)
