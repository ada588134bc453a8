"""A passage through a gate: who it was, and what it does to the vehicle's stay.

The plate goes to the vault; the read is compared with those inside where it names none of them.
Nobody is billed on an ambiguous read: it is kept for a person to match.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from pydantic import JsonValue

from city.audit import record
from city.errors import Invalid, NotFound
from city.identifiers import FacilityId, VehicleId
from city.people.actors import Actor, system_actor
from city.vault import keep_plate, open_for_comparison
from city.vehicles import PlateKind, PlateNumber, parse_plate
from city.works.database import UnitOfWork
from lpr.rules.matching import Match, Verdict, match_read
from lpr.rules.reads import PlateRead
from parking.rules.evidence import CERTAIN, Evidence, EvidenceKind, EvidenceSource
from parking.rules.stays import ParkingSession
from parking.services import readers, reservations, tickets, visits
from parking.store import stay_evidence
from parking.store.places import Facility, facility

MATCHER: Final = system_actor("gates.matching")
AHEAD: Final = timedelta(minutes=5)
"""How far a gate's clock may run ahead of ours."""
LATE: Final = timedelta(days=30)
"""How late a passage may be told; what is decided by then is a person's business."""
INSIDE_AT_ONCE: Final = 500
MOST_INSIDE: Final = 5_000
"""Vehicles inside one facility that an unclear read is compared with."""


class Direction(StrEnum):
    """Which way through the gate."""

    ENTRY = "entry"
    EXIT = "exit"


class Outcome(StrEnum):
    """What a passage did."""

    ENTERED = "entered"
    LEFT = "left"
    CONFIRMED = "confirmed"
    """A second read of a passage that was known."""
    HELD = "held"
    """It has a stay that a person has to look at: an exit without an entry, say."""
    UNMATCHED = "unmatched"
    """The read may mean several vehicles, or none: a person says which."""


class Through(Protocol):
    """A passage, whoever it is."""

    @property
    def gate(self) -> str:
        """The gate's name at its facility."""
        ...

    @property
    def direction(self) -> Direction:
        """Which way."""
        ...

    @property
    def event_id(self) -> str:
        """The sender's own, unique for it: what comes twice is done once."""
        ...

    @property
    def at(self) -> datetime:
        """When."""
        ...


@dataclass(frozen=True, slots=True)
class Passage:
    """What a gate tells.

    Raises
    ------
    Invalid
        Unless it carries either a read or a ticket.
    """

    facility_id: FacilityId
    gate: str
    direction: Direction
    event_id: str
    """The sender's own, unique for it: what comes twice is done once."""
    at: datetime
    read: PlateRead | None = None
    ticket: str | None = None

    def __post_init__(self) -> None:
        if (self.read is None) == (self.ticket is None):
            raise Invalid("carries either a plate or a ticket", field="plate")


@dataclass(frozen=True, slots=True)
class Passed:
    """What became of a passage."""

    outcome: Outcome
    session: ParkingSession | None
    repeated: bool
    evidence_id: UUID | None = None
    """What was kept of it."""


def pass_gate(uow: UnitOfWork, actor: Actor, passage: Passage) -> Passed:
    """Take a passage through a gate.

    Parameters
    ----------
    uow : UnitOfWork
        Keeps evidence, stay, events and audit record together.
    actor : Actor
        The integration or device that tells it.
    passage : Passage
        In any order, also long after; the same one again changes nothing.

    Raises
    ------
    NotFound
        Where there is no such facility, or no such ticket there.
    Forbidden
        Where the actor does not serve its district, or is a device and not the gate's reader.
    Invalid
        Where it has no gates, or the instant lies ahead of us or too far back.
    """
    place = facility(uow.connection, passage.facility_id)
    readers.check_gate(uow.connection, actor, place, passage.gate)
    _check(uow, place, passage)
    visits.take_turn(uow, place.id)
    before = _before(uow, actor, passage.event_id)
    if before is not None:
        return before
    return admit(uow, actor, place, passage, name_passage(uow, passage))


def admit(
    uow: UnitOfWork, actor: Actor, place: Facility, through: Through, named: "Named"
) -> Passed:
    """Take the passage of somebody who was named before, while they stood at the gate."""
    visits.take_turn(uow, place.id)
    before = _before(uow, actor, through.event_id)
    if before is not None:
        return before
    said = Evidence(
        kind=EvidenceKind.GATE_ENTRY
        if through.direction is Direction.ENTRY
        else EvidenceKind.GATE_EXIT,
        at=through.at,
        recorded_at=uow.clock.now(),
        source=EvidenceSource.GATE,
        certainty=named.certainty,
        by=actor.subject,
        facility_id=place.id,
        district=place.district,
        vehicle_id=named.admitted_as,
        read_as=named.read_as,
        event_key=_event_key(actor, through.event_id),
        detail={"gate": through.gate, **named.detail},
    )
    joined = visits.add(uow, said)
    outcome = _outcome(joined)
    if outcome is Outcome.ENTERED and joined.session is not None:
        reservations.note_arrival(uow, joined.session.id)
    if outcome in {Outcome.HELD, Outcome.UNMATCHED}:
        record(
            uow,
            actor,
            "parking.passage_unclear",
            "stay-evidence",
            str(said.id),
            {"outcome": outcome.value, "facility_id": str(place.id), "gate": through.gate},
        )
    return Passed(outcome, joined.session, repeated=False, evidence_id=said.id)


def _event_key(actor: Actor, event_id: str) -> str:
    return f"{actor.kind}:{actor.subject}:{event_id}"


def _before(uow: UnitOfWork, actor: Actor, event_id: str) -> Passed | None:
    before = visits.seen_before(uow, _event_key(actor, event_id))
    if before is None:
        return None
    return Passed(_outcome(before), before.session, repeated=True, evidence_id=before.evidence.id)


def vehicle_of(uow: UnitOfWork, passage: Passage) -> VehicleId | None:
    """Give the identity under which a passage would be joined; None where its read is not clear.

    Raises
    ------
    NotFound
        Where there is no such ticket.
    """
    return name_passage(uow, passage).admitted_as


def _check(uow: UnitOfWork, place: Facility, passage: Passage) -> None:
    if place.kind == "kerb":
        raise Invalid("is a kerb: it has no gates", field="facility_id")
    now = uow.clock.now()
    if passage.at > now + AHEAD:
        raise Invalid("lies in the future: the gate's clock is wrong", field="at")
    if passage.at < now - LATE:
        raise Invalid(f"lies more than {LATE.days} days back", field="at")


def _outcome(joined: visits.Joined) -> Outcome:
    session, said = joined.session, joined.evidence
    if session is None:
        return Outcome.UNMATCHED
    if session.stay.hold is not None:
        return Outcome.HELD
    if session.stay.closed_evidence == str(said.id):
        return Outcome.LEFT
    if session.stay.opened_evidence == str(said.id):
        return Outcome.ENTERED
    return Outcome.CONFIRMED


@dataclass(frozen=True, slots=True)
class Named:
    """Whom a passage names, and how surely."""

    admitted_as: VehicleId | None
    read_as: VehicleId | None
    certainty: int
    detail: dict[str, JsonValue]


def name_passage(uow: UnitOfWork, passage: Passage) -> Named:
    """Say whom a passage names: by its ticket, or by its read among those that it can mean.

    Raises
    ------
    NotFound
        Where there is no such ticket.
    """
    if passage.ticket is not None:
        ticket = tickets.find(uow, passage.facility_id, passage.ticket)
        if ticket is None:
            raise NotFound("there is no such ticket here", field="ticket")
        inside = visits.identity_of(uow, passage.facility_id, ticket.vehicle_id, passage.at)
        return Named(inside or ticket.vehicle_id, None, CERTAIN, {"ticket": True})
    read = passage.read
    if read is None:
        raise Invalid("carries either a plate or a ticket", field="plate")
    read_as = keep_plate(uow, read.plate() or _as_read(read))
    certainty = round(read.confidence * CERTAIN)
    known = visits.identity_of(uow, passage.facility_id, read_as, passage.at)
    if known is not None:
        return Named(known, None if known == read_as else read_as, certainty, {})
    match, by_plate = _compared(uow, passage, read)
    facts: dict[str, JsonValue] = {"verdict": match.verdict.value, "near": len(match.near)}
    if match.candidate is not None:
        facts["cost"] = match.near[0].cost
        return Named(by_plate[match.candidate.identity], read_as, certainty, facts)
    if match.verdict is Verdict.AMBIGUOUS and passage.direction is Direction.EXIT:
        return Named(None, read_as, certainty, facts)
    return Named(read_as, None, certainty, {})


def _as_read(read: PlateRead) -> PlateNumber:
    """Give what was read as it stands: no plate of its kind, but what a person needs to see."""
    return parse_plate(read.text, PlateKind.UNKNOWN)


def _compared(
    uow: UnitOfWork, passage: Passage, read: PlateRead
) -> tuple[Match, dict[str, VehicleId]]:
    """Compare a read with the vehicles that it can be.

    At an exit those inside; at an entry only those that came through the same gate just now, for
    a second camera may read the same plate differently, and another car is another car.
    """
    if passage.direction is Direction.ENTRY:
        inside = visits.just_entered(uow, passage.facility_id, passage.gate, passage.at)
    else:
        inside = _inside(uow, passage.facility_id)
    by_plate: dict[str, VehicleId] = {}
    plates: list[PlateNumber] = []
    names = list(inside)
    for first in range(0, len(names), INSIDE_AT_ONCE):
        some = names[first : first + INSIDE_AT_ONCE]
        opened = open_for_comparison(uow, MATCHER, some, "unclear read at a gate")
        for vehicle_id, plate in opened.items():
            by_plate[plate.identity] = inside[vehicle_id]
            plates.append(plate)
    if not plates:
        return Match(Verdict.NONE, None, ()), {}
    return match_read(read, plates), by_plate


def _inside(uow: UnitOfWork, facility_id: FacilityId) -> dict[VehicleId, VehicleId]:
    """Give the vehicles inside, each with the identity under which its evidence is joined."""
    found: dict[VehicleId, VehicleId] = {}
    after = None
    while len(found) < MOST_INSIDE:
        page = stay_evidence.inside(uow.connection, facility_id, after=after, limit=INSIDE_AT_ONCE)
        found |= {vehicle_id or admitted: admitted for _, admitted, vehicle_id in page}
        if len(page) < INSIDE_AT_ONCE:
            break
        after = page[-1][0]
    return found
