"""One turn at a lane: words go to the state machine, and what follows is done.

Everything of one turn happens in one transaction, with the lane's row held: words of a controller,
reads of its cameras and acts at the desk are taken one after another.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from city.errors import NotFound
from city.identifiers import VehicleId, uuid7
from city.people.actors import system_actor
from city.time import speed_of
from city.vault import mark_of_vehicle
from city.works.database import UnitOfWork
from city.works.plate_passes import PlatePass
from journeys.admit_vehicle import Direction, Named, Outcome, admit
from journeys.ask_exit import answer_exit
from lpr.services import evidence
from parking.rules.lanes.machine import step
from parking.rules.lanes.model import (
    DEFAULT_POLICY,
    AlarmKind,
    Ask,
    Backed,
    Decided,
    Effect,
    Event,
    LanePolicy,
    LiftBarrier,
    LowerBarrier,
    Passed,
    Show,
    Vehicle,
    Verdict,
    Way,
)
from parking.rules.lanes.registered import Lane, LaneAlarm, LaneOrder, LaneVehicle, OrderKind
from parking.rules.lanes.registered import Outcome as LaneOutcome
from parking.rules.rights.standing import Effect as ListedEffect
from parking.services import blacklists, visits
from parking.store import lanes as store
from parking.store.places import Facility, facility

LANES: Final = system_actor("gates.lanes")
"""In whose name passages are told that follow from loops."""
NOT_LASTING: Final = frozenset(AlarmKind) - {
    AlarmKind.LEFT_UP,
    AlarmKind.CALLED,
    AlarmKind.OFFLINE,
    AlarmKind.FIRE,
}
"""Alarms of what happened at an instant: they are over as they begin."""


UNCLEAR: Final = frozenset(
    {AlarmKind.TAILGATING, AlarmKind.UNREAD, AlarmKind.UNCLEAR, AlarmKind.FORCED}
)
"""Alarms of which the picture tells what happened."""
ASKS_A_PERSON: Final = frozenset({Outcome.UNMATCHED, Outcome.HELD})


@dataclass(frozen=True, slots=True)
class Driven:
    """A passage through a lane, as `admit` takes it."""

    gate: str
    direction: Direction
    event_id: str
    at: datetime


def lane_of(uow: UnitOfWork, lane_id: UUID) -> Lane:
    """Give a lane in service.

    Raises
    ------
    NotFound
        Where there is none.
    """
    found = store.find(uow.connection, lane_id)
    if found is None or found.retired_at is not None:
        raise NotFound("there is no such lane", field="lane_id")
    return found


class LaneTurn:
    """A lane, held for one transaction.

    Parameters
    ----------
    uow : UnitOfWork
    lane : Lane
    joins : bool
        Whether passages may follow: then the facility's turn is taken first.
    """

    def __init__(self, uow: UnitOfWork, lane: Lane, *, joins: bool) -> None:
        self.lane = lane
        self.now = uow.clock.now()
        self.policy: LanePolicy = DEFAULT_POLICY.at_speed(speed_of(uow.clock))
        self.home: Facility = facility(uow.connection, lane.facility_id)
        self._uow = uow
        if joins:
            visits.take_turn(uow, lane.facility_id)
        self.kept = store.hold(uow.connection, lane.id)
        self.passes: list[PlatePass] = []
        """Of this turn, to be told once it is kept."""
        self.in_the_past = False
        """Whether the lane stands as it did some time ago: more that happened is on its way."""
        self._orders: list[LaneOrder] = []

    @property
    def direction(self) -> Direction:
        """Which way passages go."""
        return Direction.ENTRY if self.lane.way is Way.ENTRY else Direction.EXIT

    def know(self, read_id: str, named: Named) -> None:
        """Remember whom a read names, for as long as its vehicle is in the lane."""
        self.kept.standing[read_id] = {
            "admitted_as": None if named.admitted_as is None else str(named.admitted_as),
            "read_as": None if named.read_as is None else str(named.read_as),
            "certainty": named.certainty,
            "detail": named.detail,
        }

    def take(self, event: Event) -> None:
        """Take one word, and do what follows."""
        live = self.now - event.at <= self.policy.late_after
        self.in_the_past = not live
        done = step(self.lane.way, self.kept.state, event, self.policy, live=live)
        self.kept = replace(self.kept, state=done.state)
        for effect in done.effects:
            self._do(effect, event)

    def photo(self) -> UUID:
        """Ask the lane for a picture; give the order's id."""
        return self._order(OrderKind.PHOTO, "act")

    def finish(self, *, heard: bool = False) -> None:
        """Write how the lane stands now, and what its controller is told."""
        state = self.kept.state
        seen = [
            each.seen
            for each in (state.waiting, state.passing, state.unclear)
            if each is not None and each.seen is not None
        ]
        if state.expected is not None:
            seen.append(state.expected)
        here = {each.read_id for each in seen}
        standing = {name: kept for name, kept in self.kept.standing.items() if name in here}
        heard_at = self.now if heard else self.kept.heard_at
        self.kept = replace(self.kept, standing=standing, heard_at=heard_at)
        store.keep(self._uow.connection, self.lane.id, self.kept)
        store.order(self._uow.connection, self._orders)
        self._orders = []

    def raise_alarm(
        self, kind: AlarmKind, vehicle: Vehicle | None = None, at: datetime | None = None
    ) -> None:
        """Write an alarm for the desk; its read is put before a person, too."""
        read_id = _read_id(vehicle)
        if read_id is not None and kind in UNCLEAR:
            evidence.ask_person(self._uow, read_id, at or self.now)
        store.raise_alarm(
            self._uow.connection,
            LaneAlarm(
                self.lane.id,
                self.lane.facility_id,
                self.lane.district,
                kind,
                at or self.now,
                None if vehicle is None else vehicle.number,
                read_id,
                (at or self.now) if kind in NOT_LASTING else None,
            ),
        )

    # What follows. ----------------------------------------------------------------------

    def _do(self, effect: Effect, event: Event) -> None:
        connection = self._uow.connection
        if isinstance(effect, Ask):
            verdict = self._verdict(effect.vehicle)
            self.take(Decided(event.at, effect.vehicle.number, verdict))
        elif isinstance(effect, LiftBarrier):
            self._outdo(OrderKind.LIFT, OrderKind.LOWER)
            self._order(OrderKind.LIFT, effect.because.value)
        elif isinstance(effect, LowerBarrier):
            self._outdo(OrderKind.LIFT, OrderKind.LOWER)
            self._order(OrderKind.LOWER, "clear")
        elif isinstance(effect, Show):
            self._outdo(OrderKind.SHOW)
            self._order(OrderKind.SHOW, effect.words.value)
        elif isinstance(effect, Passed):
            self._passed(effect)
        elif isinstance(effect, Backed):
            self._gone(effect.vehicle, effect.at, LaneOutcome.BACKED)
        elif effect.on:
            if effect.kind is AlarmKind.UNCLEAR and effect.vehicle is not None:
                self._gone(effect.vehicle, event.at, LaneOutcome.UNCLEAR)
            self.raise_alarm(effect.kind, effect.vehicle, event.at)
        else:
            store.end_alarm(connection, self.lane.id, effect.kind, event.at)

    def _outdo(self, *kinds: OrderKind) -> None:
        self._orders = [each for each in self._orders if each.kind not in kinds]
        store.outdo(self._uow.connection, self.lane.id, kinds, self.now)

    def _order(self, kind: OrderKind, detail: str) -> UUID:
        until_at = self.now + self.policy.order_lasts
        made = LaneOrder(uuid7(), self.lane.id, kind, detail, self.now, until_at)
        self._orders.append(made)
        return made.id

    def _verdict(self, vehicle: Vehicle) -> Verdict:
        """Ask the rules about who stands there, and note what they say for desk and display."""
        seen = vehicle.seen
        known = None if seen is None else self.kept.standing.get(seen.read_id)
        if seen is None or not isinstance(known, dict):
            return Verdict.CALL
        named = named_of(known)
        if self.lane.way is Way.ENTRY:
            verdict, told = self._entry_verdict(named)
        else:
            verdict, told = self._exit_verdict(named)
        self.kept.standing[seen.read_id] = {**known, **told, "verdict": verdict.value}
        return verdict

    def _entry_verdict(self, named: Named) -> tuple[Verdict, dict[str, JsonValue]]:
        vehicle_id = named.read_as or named.admitted_as
        if vehicle_id is None:
            return Verdict.CALL, {"because": "not-known"}
        held = blacklists.standing_of(
            self._uow.connection, vehicle_id, self.lane.district, self.now
        )
        if held.has(ListedEffect.NO_ENTRY):
            return Verdict.CALL, {"because": "no-entry"}
        return Verdict.OPEN, {"because": "welcome"}

    def _exit_verdict(self, named: Named) -> tuple[Verdict, dict[str, JsonValue]]:
        answer = answer_exit(self._uow, self.home, named.admitted_as)
        due = answer.due
        return Verdict(answer.verdict.value), {
            "because": answer.because.value,
            "due": None if due is None else {"minor": due.minor, "currency": due.currency},
            "link": answer.link or None,
            "session_id": None if answer.fee is None else str(answer.fee.session.id),
        }

    def _passed(self, passed: Passed) -> None:
        vehicle = passed.vehicle
        gone = self._gone(vehicle, passed.at, LaneOutcome.PASSED)
        if gone.named is not None:
            store.note_vehicle(self._uow.connection, tell_passage(self._uow, self.lane, gone))
            told = self._pass(named_of(gone.named), passed.at)
            self.passes += [] if told is None else [told]

    def _pass(self, named: Named, at: datetime) -> PlatePass | None:
        """Name a vehicle by its mark of the day, at an instant of the wall's: the street's time."""
        whose = named.read_as or named.admitted_as
        if whose is None:
            return None
        ago = (self.now - at) / (speed_of(self._uow.clock) or 1.0)
        wall_at = self._uow.wall.now() - ago
        mark = mark_of_vehicle(self._uow, whose, wall_at)
        return PlatePass(self.lane.district, self.lane.id, mark.hex(), wall_at)

    def _gone(self, vehicle: Vehicle, at: datetime, outcome: LaneOutcome) -> LaneVehicle:
        seen = vehicle.seen
        known = None if seen is None else self.kept.standing.get(seen.read_id)
        gone = LaneVehicle(
            self.lane.id,
            self.lane.facility_id,
            self.lane.district,
            vehicle.number,
            vehicle.since_at,
            at,
            outcome,
            None if vehicle.grant is None else vehicle.grant.value,
            vehicle.alarmed,
            _read_id(vehicle),
            dict(known) if isinstance(known, dict) else None,
        )
        store.note_vehicle(self._uow.connection, gone)
        return gone


def tell_passage(uow: UnitOfWork, lane: Lane, gone: LaneVehicle) -> LaneVehicle:
    """Join the passage of a vehicle that was named; give it with what became of it.

    Told again, it is the same passage: its event is the lane's and the vehicle's number.
    """
    if gone.named is None:
        return gone
    passed = admit(
        uow,
        LANES,
        facility(uow.connection, lane.facility_id),
        Driven(
            lane.gate,
            Direction(lane.way.value),
            f"{lane.id}:{gone.number}",
            gone.ended_at,
        ),
        named_of(gone.named),
    )
    if passed.outcome in ASKS_A_PERSON and gone.read_id is not None:
        evidence.ask_person(uow, gone.read_id, gone.ended_at)
    return replace(
        gone,
        outcome=LaneOutcome.PASSED,
        evidence_id=passed.evidence_id,
        session_id=None if passed.session is None else passed.session.id,
        became=passed.outcome.value,
    )


def named_of(known: dict[str, JsonValue] | dict[str, object]) -> Named:
    """Give whom a read named, as it was remembered."""
    detail, certainty = known.get("detail"), known.get("certainty")
    return Named(
        _vehicle_id(known.get("admitted_as")),
        _vehicle_id(known.get("read_as")),
        certainty if isinstance(certainty, int) else 0,
        dict(detail) if isinstance(detail, dict) else {},
    )


def orders_of(uow: UnitOfWork, turn: LaneTurn) -> Iterable[LaneOrder]:
    """Give what the controller has yet to do."""
    return store.open_orders(uow.connection, turn.lane.id, turn.now)


def _vehicle_id(known: object) -> VehicleId | None:
    return VehicleId(UUID(known)) if isinstance(known, str) else None


def _read_id(vehicle: Vehicle | None) -> UUID | None:
    if vehicle is None or vehicle.seen is None:
        return None
    return UUID(vehicle.seen.read_id)
