"""The labelled set of reads that people looked at: opened for those who may, each on record.

Plates are personal data: only who may see plates and pictures one by one opens them together,
says why, and gets what is still kept in their districts.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from city import vault
from city.audit import record, record_all
from city.errors import Invalid
from city.people import Role
from city.people.actors import Actor
from city.plate_rules import PlateKind
from city.works.database import UnitOfWork
from lpr.rules.frames import FrameState
from lpr.rules.labelled import Labelled, plate_on
from lpr.rules.reviews import ReviewAnswer
from lpr.store import labelled as store

if TYPE_CHECKING:
    from pydantic import JsonValue

AT_ONCE: Final = 50
"""Pictures opened in one transaction: some ten megabytes."""
SHORTEST_REASON: Final = 3
LONGEST_REASON: Final = 120


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the set."""

    items: tuple[Labelled, ...]
    last: UUID | None
    """To go on after; None where it was the last part."""


def checked_reason(told: str) -> str:
    """Give why the set is opened, as the record has it.

    Raises
    ------
    Invalid
        Where it is none, or too long.
    """
    reason = told.strip()
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise Invalid(f"must say why, in at most {LONGEST_REASON} characters", field="reason")
    return reason


def opened(uow: UnitOfWork, actor: Actor, reason: str, *, after: UUID | None) -> Page:
    """Open the next pictures of the set; each plate and each picture is on record.

    Parameters
    ----------
    uow : UnitOfWork
        Write nothing to a file before it has committed.
    actor : Actor
        An operator; they get their districts.
    reason : str
        As `checked_reason` gives it.
    after : UUID or None
        Of the page before.

    Raises
    ------
    Forbidden
        For everybody else.
    """
    actor.require(Role.OPERATOR)
    found = store.page(uow.connection, actor.districts, after=after, limit=AT_ONCE)
    last = found[-1][0].id if len(found) == AT_ONCE else None
    whose = {read.id: plate_on(read) for read, _ in found}
    wanted = {each for each in whose.values() if each is not None}
    plates = vault.reveal(uow, actor, wanted, reason) if wanted else {}
    items: list[Labelled] = []
    for read, frame in found:
        vehicle_id = whose[read.id]
        plate = None if vehicle_id is None else plates.get(vehicle_id)
        # Forgotten meanwhile, or of a kind that nobody told: there is no label.
        if read.answer is not ReviewAnswer.NO_PLATE and (
            plate is None or plate.kind is PlateKind.UNKNOWN
        ):
            continue
        if frame.state is FrameState.HIDDEN and frame.picture_id is not None:
            items.append(Labelled(read, frame, plate, vault.open_picture(uow, frame.picture_id)))
    record_all(
        uow,
        actor,
        "lpr.frame_exported",
        "frame",
        {
            str(each.frame.id): {
                "read_id": str(each.read.id),
                "sha256": each.frame.shown_sha256,
                "reason": reason,
            }
            for each in items
        },
    )
    return Page(tuple(items), last)


def note_export(
    uow: UnitOfWork, actor: Actor, reason: str, *, manifest_sha256: str, pictures: int
) -> None:
    """Put on record that the set was written to files, and which."""
    facts: dict[str, JsonValue] = {
        "reason": reason,
        "pictures": pictures,
        "manifest_sha256": manifest_sha256,
    }
    record(uow, actor, "lpr.labelled_set_exported", "labelled-set", manifest_sha256, facts)
