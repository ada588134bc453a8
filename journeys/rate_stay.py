"""What a stay costs up to an instant: its tariff, its rights, its coupons, what was paid ahead."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection

from city.identifiers import ParkingSessionId
from city.money import Money
from city.time import Interval
from journeys.cover_stay import claims_of, stay_in_sight, tariff_minor, with_overstays
from journeys.vehicle_traits import traits_of
from parking.rules.evidence import PartKind
from parking.rules.rights.model import Coverage
from parking.rules.stays import ParkingSession
from parking.rules.tariffs.evaluation import evaluate
from parking.rules.tariffs.model import Claims, EarlierStay, Line, Payment, Quote, Stay
from parking.rules.tariffs.plan import Tariff
from parking.rules.tariffs.reasons import Why
from parking.services import exemptions, rights, stay_coupons, stay_views, stays, tariffs
from payments import services as payments
from payments.rules.advances import PaidAhead
from payments.rules.bills import Bill

if TYPE_CHECKING:
    from pydantic import JsonValue

HISTORY: Final = timedelta(days=7)
"""How far back earlier stays of the vehicle are looked at: a chain of 24-hour windows that began
longer ago is cut there, in the driver's favour or against it by one window at most."""
GRACE: Final = "tariff.why.grace"
EXEMPTED: Final = "tariff.why.exempted"
PAID: Final = "tariff.why.credit.paid"

BillOf = Callable[[ParkingSessionId], Bill | None]
Paid = Sequence[tuple[datetime, int]]
"""Until when each payment covers the stay, and its minor units."""


@dataclass(frozen=True, slots=True)
class Rated:
    """A stay's fee, and what it was found from."""

    quote: Quote
    """Its lines add up to what is still due."""
    seen: rights.StayInSight
    covered: rights.Covered
    ahead: PaidAhead
    applied_minor: int
    """What of the payments ahead the fee takes."""
    coupons_left_out: tuple[str, ...]
    """Coupons that do not fit the vehicle as it is known now."""
    let_off_minor: int = 0
    """What the last line takes off because somebody freed the stay of its fee: all of it."""

    @property
    def fee(self) -> Money:
        """What the stay costs: what is still due, and what was paid."""
        return self.quote.total + Money(self.applied_minor, self.quote.total.currency)

    @property
    def unused(self) -> Money:
        """What was paid ahead and is not needed."""
        minor = sum(each for _, each in self.ahead.kept) - self.applied_minor
        return Money(minor, self.quote.total.currency)


def rate_stay(
    connection: Connection,
    session: ParkingSession,
    until_at: datetime,
    *,
    bill_of: BillOf | None = None,
    lock: bool = False,
) -> Rated | None:
    """Rate a stay that reaches, or would reach, to an instant.

    Parameters
    ----------
    connection : Connection
        Some fifteen statements, and those of `bill_of` for each earlier stay.
    session : ParkingSession
        One that counts: not a part of another one.
    until_at : datetime
        Its end; of an open stay when it would end.
    bill_of : callable or None
        Gives the bill of an earlier stay, for rules over several stays; None: as it is written.
    lock : bool
        For the one who bills: permits are looked at by one stay at a time.

    Returns
    -------
    Rated or None
        None for a stay without a vehicle or without a tariff.

    Raises
    ------
    Invalid
        Where the tariff has no price for the vehicle.

    Notes
    -----
    Of a stay that somebody freed of its fee the last line takes off all of it: `let_off_minor`.
    """
    stay, version_id = session.stay, session.stay.tariff_version_id
    if stay.vehicle_id is None or version_id is None:
        return None
    parts = stay_views.parts(connection, session)
    whole = _whole(session, parts, max(until_at, stay.opened_at))
    reaching = replace(session, stay=replace(stay, closed_at=whole.leave_at))
    seen = stay_in_sight(connection, reaching, whole.leave_at)
    if seen is None:
        return None
    covered = rights.coverage(connection, seen, lock=lock)
    ahead = payments.paid_ahead(connection, [session.id, *(each.id for each in parts)])
    vehicle = traits_of(seen.plate_kind)
    known = stay_coupons.of_stay(connection, session.id, version_id, vehicle)
    history = _history(connection, session, bill_of)

    def quote_of(coverage: Coverage, paid: Paid) -> Quote:
        claims = replace(
            claims_of(coverage),
            coupons=known.coupons,
            payments=tuple(Payment(at, minor) for at, minor in paid),
        )
        return tariffs.rate(connection, version_id, whole, vehicle, history, claims=claims)

    if session.exempt is not None:
        # Nothing is due, and what was paid is not needed.
        quote = with_overstays(quote_of(covered.coverage, ()), covered.coverage)
        free = _let_off(connection, session, quote, whole)
        return Rated(free, seen, covered, ahead, 0, known.left_out, quote.total.minor)
    quote, applied_minor = _with_payments(
        connection, seen, covered.coverage, ahead.kept, quote_of=quote_of
    )
    return Rated(quote, seen, covered, ahead, applied_minor, known.left_out)


def due_by(
    connection: Connection, session: ParkingSession, until_at: datetime
) -> tuple[Tariff, Callable[[datetime], Quote]] | None:
    """Prepare to say what is due of an open stay whenever it ends up to an instant: many times.

    Parameters
    ----------
    connection : Connection
        The statements of one `rate_stay`; none for each end.
    session : ParkingSession
        One that counts.
    until_at : datetime
        The latest end that is asked for.

    Returns
    -------
    tuple of (Tariff, callable) or None
        The quote for an end equals that of `rate_stay`, as things stand. None where that cannot be
        said ahead: without vehicle or tariff, and where a right covers any of it, for what a
        right covers depends on other vehicles and on what is yet decided.
    """
    stay, version_id = session.stay, session.stay.tariff_version_id
    if stay.vehicle_id is None or version_id is None or session.exempt is not None:
        return None
    reaching = replace(session, stay=replace(stay, closed_at=max(until_at, stay.opened_at)))
    seen = stay_in_sight(connection, reaching, until_at)
    if seen is None:
        return None
    covered = rights.coverage(connection, seen).coverage
    if covered.overstays or claims_of(covered) != Claims():
        return None
    parts = stay_views.parts(connection, session)
    kept = payments.paid_ahead(connection, [session.id, *(each.id for each in parts)]).kept
    vehicle = traits_of(seen.plate_kind)
    coupons = stay_coupons.of_stay(connection, session.id, version_id, vehicle).coupons
    history = _history(connection, session, None)
    tariff = tariffs.find_tariff(connection, version_id)

    def quote(leave_at: datetime) -> Quote:
        whole = _whole(session, parts, max(leave_at, stay.opened_at))
        paid = tuple(Payment(min(at, whole.leave_at), minor) for at, minor in kept)
        return evaluate(tariff, whole, vehicle, history, Claims(coupons=coupons, payments=paid))

    return tariff, quote


def _let_off(connection: Connection, session: ParkingSession, quote: Quote, whole: Stay) -> Quote:
    if not quote.total:
        return quote
    said = exemptions.of_stay(connection, session.id)
    name: JsonValue = {} if said is None else {"zh": said.name.zh, "en": said.name.en}
    why = Why(EXEMPTED, {"name": name})
    line = Line(whole.enter_at, whole.leave_at, "", 0, -quote.total.minor, why)
    return replace(quote, total=quote.total - quote.total, lines=(*quote.lines, line))


def exit_grace(connection: Connection, session: ParkingSession, rated: Rated) -> timedelta:
    """Give how long a stay's vehicle may stay on once all is paid; none without such a rule."""
    version_id = session.stay.tariff_version_id
    if version_id is None:
        return timedelta(0)
    vehicle = traits_of(rated.seen.plate_kind)
    return timedelta(seconds=tariffs.exit_grace_s(connection, version_id, vehicle))


def _with_payments(
    connection: Connection,
    seen: rights.StayInSight,
    coverage: Coverage,
    kept: Paid,
    *,
    quote_of: Callable[[Coverage, Paid], Quote],
) -> tuple[Quote, int]:
    """Give the quote, and what of the payments it takes.

    What contracts charge is paid first. Where the tariff gives whoever has paid time to leave, no
    contract charges for that time either.
    """
    leave_at = seen.span[1]
    paid = [(min(at, leave_at), minor) for at, minor in kept]
    priced = coverage
    if paid and coverage.overstays and paid[-1][0] < leave_at:
        then = replace(seen, span=(seen.span[0], max(seen.span[0], paid[-1][0])))
        before = rights.coverage(connection, then).coverage
        if _graced(quote_of(coverage, _less(paid, _fees_minor(before)))):
            priced = before
    fees_minor = _fees_minor(priced)
    quote = quote_of(coverage, _less(paid, fees_minor))
    taken_minor = -sum(line.minor for line in quote.lines if line.why.key == PAID)
    quote = with_overstays(quote, priced)
    of_fees_minor = min(fees_minor, sum(minor for _, minor in paid))
    if of_fees_minor:
        amount = Money(of_fees_minor, quote.total.currency)
        why = Why(PAID, {"paid": amount.as_json()})
        line = Line(seen.span[0], leave_at, "", 0, -of_fees_minor, why)
        quote = replace(quote, total=quote.total - amount, lines=(*quote.lines, line))
    return quote, taken_minor + of_fees_minor


def _graced(quote: Quote) -> bool:
    return any(line.why.key == GRACE for line in quote.lines)


def _fees_minor(coverage: Coverage) -> int:
    return sum(part.fee.minor for part in coverage.overstays if part.fee is not None)


def _less(paid: Paid, minor: int) -> Paid:
    """Give payments less an amount, taken off the earliest."""
    rest: list[tuple[datetime, int]] = []
    for at, each in paid:
        taken = min(each, minor)
        minor -= taken
        if each > taken:
            rest.append((at, each - taken))
    return rest


def _whole(session: ParkingSession, parts: Sequence[ParkingSession], closed_at: datetime) -> Stay:
    """Give the stay with what continues it, without the times of which nobody knows."""
    gaps: list[Interval] = []
    left_at = closed_at
    for part in parts:
        until_at = part.stay.closed_at
        if part.stay.part_kind is not PartKind.CONTINUATION or until_at is None:
            continue
        if part.stay.opened_at > left_at:
            gaps.append(Interval(left_at, part.stay.opened_at))
        left_at = max(left_at, until_at)
    return Stay(session.stay.opened_at, left_at, tuple(gaps))


def _history(
    connection: Connection, session: ParkingSession, bill_of: BillOf | None
) -> list[EarlierStay]:
    """Give what was billed for the vehicle's earlier stays, oldest first."""
    opened_at = session.stay.opened_at
    history = []
    for earlier in stays.earlier(connection, session, opened_at - HISTORY):
        if bill_of is None:
            bill = payments.bill_of_session(connection, earlier.id)
        else:
            bill = bill_of(earlier.id)
        left_at = earlier.stay.closed_at
        if bill is not None and left_at is not None:
            # two sensors' clocks may overlap by seconds where a car changes its bay
            left_at = max(earlier.stay.opened_at, min(left_at, opened_at))
            # What a stay that was freed came to was paid by nobody.
            free = earlier.exempt is not None
            paid_minor = 0 if free else max(0, tariff_minor(bill.charge.lines))
            history.append(EarlierStay(earlier.stay.opened_at, left_at, paid_minor))
    return history
