"""Stays whose vehicle drove off although its driver was asked to pay: said once, as evidence."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import Connection

from city.errors import Conflict
from city.identifiers import ParkingSessionId
from city.works.database import UnitOfWork
from parking.rules.evidence import CERTAIN, Evidence, EvidenceKind, EvidenceSource
from parking.rules.exemptions import Photo
from parking.rules.stays import ParkingSession
from parking.services import corrections
from parking.services.corrections import Word
from parking.store import stay_evidence


def is_escaped(connection: Connection, session_id: ParkingSessionId) -> bool:
    """Tell whether somebody saw the vehicle of a stay drive off unpaid, and it stands."""
    said = stay_evidence.is_said(connection, session_id, EvidenceKind.ESCAPED)
    return said and not stay_evidence.is_said(connection, session_id, EvidenceKind.ESCAPE_WITHDRAWN)


def escape(
    uow: UnitOfWork, session: ParkingSession, at: datetime, word: Word, photo: Photo | None
) -> ParkingSession:
    """Keep that a vehicle drove off, and end its stay then where it goes on.

    Parameters
    ----------
    uow : UnitOfWork
        Holds the stay.
    session : ParkingSession
        One that counts.
    at : datetime
        When it was seen.
    word : Word
        Whose word it is; its reason may be empty.
    photo : Photo or None
        Taken with it.

    Raises
    ------
    Conflict
        Where it was said before, nobody is asked to pay for the stay, or nobody knows whose it is.
    """
    stay = session.stay
    if stay.set_aside is not None or session.exempt is not None:
        raise Conflict("nobody is asked to pay for this stay", field="bay_id", reason="exempt")
    if stay.vehicle_id is None:
        raise Conflict("take its plate first", field="bay_id", reason="no-vehicle")
    if stay_evidence.is_said(uow.connection, session.id, EvidenceKind.ESCAPED):
        raise Conflict("was said of this stay before", field="bay_id", reason="escaped")
    if stay.closed_at is None:
        session = corrections.end(uow, session, max(at, stay.opened_at), word)
    detail: dict[str, JsonValue] = {"reason": word.reason} if word.reason else {}
    if photo is not None:
        detail |= {"photo_id": str(photo.id), "photo_sha256": photo.sha256}
    stay_evidence.add(uow.connection, [_said(uow, session, EvidenceKind.ESCAPED, at, word, detail)])
    return session


def withdraw(uow: UnitOfWork, session: ParkingSession, word: Word) -> None:
    """Take back that the vehicle of a stay drove off; the stay stays ended.

    Raises
    ------
    Conflict
        Where nobody said so, or it was taken back before.
    """
    if not is_escaped(uow.connection, session.id):
        raise Conflict("nobody said that it drove off", field="session_id", reason="not-escaped")
    now = uow.clock.now()
    kind = EvidenceKind.ESCAPE_WITHDRAWN
    stay_evidence.add(
        uow.connection, [_said(uow, session, kind, now, word, {"reason": word.reason})]
    )


def _said(  # noqa: PLR0917 - of which stay, what, when, by whom
    uow: UnitOfWork,
    session: ParkingSession,
    kind: EvidenceKind,
    at: datetime,
    word: Word,
    detail: Mapping[str, JsonValue],
) -> Evidence:
    return Evidence(
        kind=kind,
        at=at,
        recorded_at=uow.clock.now(),
        source=EvidenceSource.ATTENDANT,
        certainty=CERTAIN,
        by=word.by,
        facility_id=session.facility_id,
        district=session.district,
        session_id=session.id,
        bay_id=session.bay_id,
        vehicle_id=session.admitted_as or session.stay.vehicle_id,
        detail=detail,
    )
