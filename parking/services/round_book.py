"""Many words about stays decided in memory, each by the same rules as one by itself.

What they touch is read at once (`load`), what became of it is written at once (`write`). Between
the two each word sees what the words before it did. What would need more than was read is left to
its own use case: `NotTogether`.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import JsonValue

from city.errors import Invalid, NotFound
from city.events.parking import VehicleAttached
from city.identifiers import (
    BayId,
    FacilityId,
    ParkingSessionId,
    TariffVersionId,
    VehicleId,
    uuid7,
)
from city.works.database import UnitOfWork
from parking.rules import corrections as correcting
from parking.rules import rounds as rules
from parking.rules.evidence import STATED, Evidence, EvidenceKind, EvidenceSource, SetAside
from parking.rules.occupancy.policy import DEFAULT_POLICY
from parking.rules.stays import ClosingReason, ParkingSession, attached
from parking.rules.tariffs.model import VehicleTraits
from parking.rules.tariffs.plan import Tariff, stored_tariff
from parking.services.corrections import Word
from parking.services.tariffs import Coverage, coverage_of
from parking.store import round_book as store
from parking.store.round_book import BayPlace
from parking.store.tariffs_in_force import documents

if TYPE_CHECKING:
    from city.events.base import BusinessEvent


class NotTogether(Exception):
    """What was said needs more than was read: it is decided by itself."""


@dataclass(frozen=True, slots=True)
class Reads:
    """What a round's words are about.

    Attributes
    ----------
    from_at
        Of each bay the first instant that something is said of.
    vehicles
        Those that are named.
    """

    from_at: Mapping[BayId, datetime]
    vehicles: Collection[VehicleId]


class RoundBook:
    """The stays of a round's bays while words about them are decided.

    Parameters
    ----------
    uow : UnitOfWork
        Its transaction holds the stays that are read until it ends.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._now = uow.clock.now()
        self._places: dict[BayId, BayPlace] = {}
        self._of_bay: dict[BayId, list[ParkingSessionId]] = {}
        self._sessions: dict[ParkingSessionId, ParkingSession] = {}
        self._of_vehicle: dict[VehicleId, set[ParkingSessionId]] = {}
        self._takings: dict[FacilityId, list[store.Taking]] = {}
        self._tariffs: dict[TariffVersionId, Tariff] = {}
        self._begun: list[ParkingSessionId] = []
        self._changed: dict[ParkingSessionId, None] = {}
        self._evidence: list[Evidence] = []
        self._events: list[BusinessEvent] = []
        self._before: list[tuple[ParkingSessionId, ParkingSession | None]] = []

    def load(self, reads: Reads) -> None:
        """Read what words are about: four to five statements, and one more for tariffs."""
        connection = self._uow.connection
        found = store.places(connection, reads.from_at)
        self._places |= found
        from_at = {
            each: at + rules.CLOCKS_APART for each, at in reads.from_at.items() if each in found
        }
        if not from_at:
            return
        for bay_id in from_at:
            self._of_bay[bay_id] = []
        for session in store.stays_from(connection, from_at):
            if session.bay_id is not None:
                self._know(session)
                self._of_bay[session.bay_id].append(session.id)
        if reads.vehicles:
            facilities = {each.facility_id for each in found.values()}
            open_now = store.open_of_vehicles(connection, facilities, reads.vehicles)
            for session in open_now:
                if session.id not in self._sessions:
                    self._know(session)
            # Nothing may be said of their bays: whether a vehicle stands in two is asked all the
            # same.
            elsewhere = {each.bay_id for each in open_now if each.bay_id is not None}
            if unknown := elsewhere - self._places.keys():
                self._places |= store.places(connection, unknown)
            self._load_tariffs(facilities, min(reads.from_at.values()))

    def _load_tariffs(self, facilities: Collection[FacilityId], from_at: datetime) -> None:
        takings = store.versions_between(self._uow.connection, facilities, from_at, self._now)
        for facility_id in facilities:
            self._takings[facility_id] = []
        for each in takings:
            self._takings[each.facility_id].append(each)
        pinned = {each.stay.tariff_version_id for each in self._sessions.values()}
        wanted = {each.version_id for each in takings} | {each for each in pinned if each}
        missing = wanted - self._tariffs.keys()
        if missing:
            kept = documents(self._uow.connection, missing)
            self._tariffs |= {each: stored_tariff(document) for each, document in kept.items()}

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Take back what one word changed where it is refused."""
        said, told, begun = len(self._evidence), len(self._events), len(self._begun)
        self._before.clear()
        try:
            yield
        except BaseException:
            del self._evidence[said:], self._events[told:], self._begun[begun:]
            for session_id, before in reversed(self._before):
                self._put_back(session_id, before)
            raise

    def place(self, bay_id: BayId) -> BayPlace:
        """Give a bay; NotFound where there is none."""
        found = self._places.get(bay_id)
        if found is None:
            raise NotFound("there is no such bay", field="bay_id")
        return found

    def stay_then(self, bay_id: BayId, at: datetime) -> ParkingSession:
        """Give the stay of a bay then, as `parking.services.rounds.stay_then`."""
        return rules.stood(self._in_bay_at(bay_id, at + rules.CLOCKS_APART), at)

    def stay_of_vehicle(
        self, bay_id: BayId, vehicle_id: VehicleId, at: datetime, seen_under: UUID
    ) -> ParkingSession:
        """Give a vehicle's stay or begin one, as `parking.services.rounds.stay_of_vehicle`."""
        found = self._in_bay_at(bay_id, at + rules.CLOCKS_APART)
        if found is not None and rules.belongs(found, vehicle_id, at):
            return found
        rules.check_last(self._in_bay_at(bay_id, self._now + rules.LOOK_AHEAD), at)
        place = self.place(bay_id)
        stay = rules.begun(at, seen_under, ParkingSessionId(uuid7()))
        begun = ParkingSession(
            stay.id or ParkingSessionId(uuid7()),
            bay_id,
            place.label,
            place.facility_id,
            place.district,
            replace(stay, tariff_version_id=self._version_at(place.facility_id, at)),
            attached_by=None,
            bill_id=None,
        )
        self._before.append((begun.id, None))
        self._know(begun)
        self._begun.append(begun.id)
        ids = self._of_bay[bay_id]
        opened = [self._sessions[each].stay.opened_at for each in ids]
        ids.insert(bisect_right(opened, at), begun.id)
        return begun

    def others(self, present: ParkingSession, vehicle_id: VehicleId) -> list[ParkingSession]:
        """Give the vehicle's other open stays at the facility that are no part of another."""
        known = (self._sessions[each] for each in self._of_vehicle.get(vehicle_id, ()))
        found = [
            each
            for each in known
            if each.id != present.id
            and each.facility_id == present.facility_id
            and each.stay.closed_at is None
            and each.stay.part_of is None
            and vehicle_id in {each.stay.vehicle_id, each.admitted_as}
        ]
        return sorted(found, key=lambda each: each.stay.opened_at)

    def attach(
        self, session: ParkingSession, vehicle_id: VehicleId, by: str, seen_at: datetime
    ) -> ParkingSession:
        """Say whose a stay is, as `parking.services.stays.attach`.

        Raises
        ------
        Conflict
            As there.
        NotTogether
            Where the stay is over, so that it is announced with it.
        """
        if session.stay.vehicle_id == vehicle_id:
            if session.stay.closed_at is None:
                self._note_plate(session, vehicle_id, by, seen_at)
            return session
        stay = attached(session.stay, vehicle_id, seen_at)
        dwell = timedelta(milliseconds=DEFAULT_POLICY.minimum_gap_ms)
        if stay.closed_at is not None and self._now - stay.closed_at >= dwell:
            raise NotTogether
        kept = self._turn(replace(session, stay=stay, attached_by=by))
        self._note_plate(session, vehicle_id, by, seen_at)
        self._events.append(
            VehicleAttached(
                occurred_at=self._now,
                session_id=session.id,
                facility_id=session.facility_id,
                vehicle_id=vehicle_id,
            )
        )
        return kept

    def end(self, session: ParkingSession, at: datetime, word: Word) -> ParkingSession:
        """End a stay by a person's word, as `parking.services.corrections.end`."""
        stay = correcting.ended(session.stay, at, self._now, ClosingReason.STATED)
        self._say(session, EvidenceKind.ENDED, at, word)
        return self._turn(replace(session, stay=stay))

    def move(
        self, source: ParkingSession, target: ParkingSession, word: Word
    ) -> tuple[ParkingSession, ParkingSession]:
        """Move a vehicle noted for the wrong bay, as `parking.services.corrections.move`."""
        if source.facility_id != target.facility_id:
            raise Invalid("is at another facility", field="other_id")
        done = correcting.moved(source.stay, target.stay, self._now)
        self._say(source, EvidenceKind.VEHICLE_MOVED, self._now, word, to=str(target.id))
        left = self._turn(replace(source, stay=done.source, attached_by=None))
        moved = self._turn(replace(target, stay=done.target, attached_by=word.by))
        told = {"from": str(source.id)}
        self._say(moved, EvidenceKind.VEHICLE_MOVED, self._now, word, **told)
        return left, moved

    def set_aside(self, session: ParkingSession, what: SetAside, word: Word) -> ParkingSession:
        """Say that nothing is to be charged, as `parking.services.corrections.set_aside`."""
        stay = correcting.set_aside(session.stay, what)
        self._say(session, EvidenceKind.SET_ASIDE, self._now, word, **{"as": what.value})
        return self._turn(replace(session, stay=stay))

    def coverage(
        self, version_id: TariffVersionId | None, vehicle: VehicleTraits
    ) -> Coverage | None:
        """Say what a version has for a vehicle, as `parking.services.tariffs.coverage`."""
        return None if version_id is None else coverage_of(self._tariffs[version_id], vehicle)

    def write(self) -> None:
        """Write what was decided: at most three statements, and the events."""
        connection = self._uow.connection
        begun = set(self._begun)
        changed = [self._sessions[each] for each in self._changed if each not in begun]
        store.change(connection, changed)
        store.add(connection, [self._sessions[each] for each in self._begun])
        store.add_evidence(connection, self._evidence)
        self._uow.announce_each(self._events)

    def forget_written(self) -> None:
        """Go on from what is written."""
        self._begun.clear()
        self._changed.clear()
        self._evidence.clear()
        self._events.clear()
        self._before.clear()

    def _in_bay_at(self, bay_id: BayId, at: datetime) -> ParkingSession | None:
        for session_id in reversed(self._of_bay.get(bay_id, ())):
            session = self._sessions[session_id]
            if session.stay.opened_at <= at:
                return session
        return None

    def _version_at(self, facility_id: FacilityId, at: datetime) -> TariffVersionId | None:
        takings = self._takings.get(facility_id, ())
        return next((each.version_id for each in reversed(takings) if each.valid_from <= at), None)

    def _know(self, session: ParkingSession) -> None:
        self._sessions[session.id] = session
        for vehicle_id in {session.stay.vehicle_id, session.admitted_as} - {None}:
            if vehicle_id is not None:
                self._of_vehicle.setdefault(vehicle_id, set()).add(session.id)

    def _turn(self, session: ParkingSession) -> ParkingSession:
        self._before.append((session.id, self._sessions[session.id]))
        self._know(session)
        self._changed[session.id] = None
        return session

    def _put_back(self, session_id: ParkingSessionId, before: ParkingSession | None) -> None:
        if before is not None:
            self._sessions[session_id] = before
            return
        gone = self._sessions.pop(session_id)
        self._changed.pop(session_id, None)
        if gone.bay_id is not None:
            self._of_bay[gone.bay_id].remove(session_id)
        for ids in self._of_vehicle.values():
            ids.discard(session_id)

    def _note_plate(
        self, session: ParkingSession, vehicle_id: VehicleId, by: str, seen_at: datetime
    ) -> None:
        said = self._evidence_of(session, EvidenceKind.PLATE_SEEN, seen_at, by, {})
        self._evidence.append(replace(said, certainty=STATED, vehicle_id=vehicle_id))

    def _say(
        self,
        session: ParkingSession,
        kind: EvidenceKind,
        at: datetime,
        word: Word,
        **detail: JsonValue,
    ) -> None:
        said = {"reason": word.reason, **detail}
        self._evidence.append(
            replace(self._evidence_of(session, kind, at, word.by, said), certainty=word.certainty)
        )

    def _evidence_of(
        self,
        session: ParkingSession,
        kind: EvidenceKind,
        at: datetime,
        by: str,
        detail: Mapping[str, JsonValue],
    ) -> Evidence:
        return Evidence(
            kind=kind,
            at=at,
            recorded_at=self._now,
            source=EvidenceSource.ATTENDANT,
            certainty=STATED,
            by=by,
            facility_id=session.facility_id,
            district=session.district,
            session_id=session.id,
            bay_id=session.bay_id,
            vehicle_id=session.admitted_as or session.stay.vehicle_id,
            detail=detail,
        )
