"""What of a stay its vehicle's rights cover: plate's kind from the vault, rights from parking."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from pydantic import JsonValue
from sqlalchemy import Connection

from city.time import Interval
from city.vault import masked
from parking.rules.rights.model import Coverage, Outcome, Part
from parking.rules.stays import ParkingSession
from parking.rules.tariffs.document import Name
from parking.rules.tariffs.model import Claims, Cover, Line, Quote
from parking.services import rights

OVERSTAY: Final = "rights.why.overstay"
APART: Final = (OVERSTAY, "tariff.why.credit.paid", "tariff.why.paid.kept")
COVERED: Final = "tariff.why.covered"
"""Why of the tariff's lines for time that is not its own to charge."""


def stay_in_sight(
    connection: Connection, session: ParkingSession, now: datetime
) -> rights.StayInSight | None:
    """Give a stay as rights see it; None without a vehicle.

    An open stay reaches to ``now``, and one that began after it (late evidence of a clock that is
    ahead) has no length.
    """
    stay = session.stay
    if stay.vehicle_id is None:
        return None
    plate = masked(connection, [stay.vehicle_id]).get(stay.vehicle_id)
    until_at = stay.closed_at if stay.closed_at is not None else max(now, stay.opened_at)
    return rights.StayInSight(
        session.id,
        stay.vehicle_id,
        session.facility_id,
        session.district,
        (stay.opened_at, until_at),
        None if plate is None else plate.kind,
    )


def cover_stay(
    connection: Connection, session: ParkingSession, now: datetime
) -> rights.Covered | None:
    """Say what covers a stay as things stand; None without a vehicle. Nothing is kept.

    Of an open stay the answer may change until it is billed: another car of the same permit may
    yet leave, and its coverage begin there.
    """
    seen = stay_in_sight(connection, session, now)
    return None if seen is None else rights.coverage(connection, seen)


def claims_of(coverage: Coverage) -> Claims:
    """Give what the tariff leaves out: what a right covers, and what a contract prices."""
    return Claims(
        tuple(
            Cover(Interval(part.from_at, part.until_at), _name(part))
            for part in coverage.parts
            if part.outcome is not Outcome.CHARGED
        )
    )


def tariff_minor(lines: Sequence[Mapping[str, JsonValue]]) -> int:
    """Sum up what the tariff charged, of a bill's stored lines, whenever it was paid.

    What contracts charged is apart, and what was paid for time that was not used.
    """
    total = 0
    for line in lines:
        why, minor = line.get("why"), line.get("minor")
        key = why.get("key") if isinstance(why, dict) else None
        if isinstance(minor, int) and not (isinstance(key, str) and key.startswith(APART)):
            total += minor
    return total


def with_overstays(quote: Quote, coverage: Coverage) -> Quote:
    """Give a quote with what contracts charge for staying past their hours, a line a stretch.

    Raises
    ------
    Invalid
        Where a contract's price is in another currency than the tariff's: a bill has one.
    """
    overstays = coverage.overstays
    if not overstays:
        return quote
    total = quote.total
    lines = []
    for part in overstays:
        if part.fee is None:
            continue
        total += part.fee
        lines.append(
            Line(
                part.from_at,
                part.until_at,
                "",
                _units(part),
                part.fee.minor,
                part.why,
            )
        )
    middles = [part.from_at + (part.until_at - part.from_at) / 2 for part in overstays]
    rest = [
        line
        for line in quote.lines
        # said already, with its price
        if line.why.key != COVERED or not any(line.from_at <= at < line.to_at for at in middles)
    ]
    return replace(quote, total=total, lines=(*rest, *lines))


def _units(part: Part) -> int:
    units = part.why.values.get("units")
    return units if isinstance(units, int) and part.fee is not None and part.fee.minor else 0


def _name(part: Part) -> Name:
    """Give what covers a part, as the driver knows it."""
    known = part.why.values.get("label", part.why.values.get("name", ""))
    if isinstance(known, dict):
        return Name(zh=str(known.get("zh", "")), en=str(known.get("en", "")))
    return Name(zh=str(known), en=str(known))
