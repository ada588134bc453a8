"""Rating: what a stay costs under a tariff, as lines that add up to the total.

A function of the tariff, the stay, the vehicle and its earlier stays; nothing else is in sight.
It follows the document in a fixed order: exemption, re-entry, free period of the stay, bands
(free period, charge, cap), caps over all bands, credit for what a continued stay has paid.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from pydantic import JsonValue

from city.errors import Invalid
from city.money import Money
from parking.rules.tariffs.band_table import BandTable
from parking.rules.tariffs.document import Cap, Name, ReEntry, StayFree
from parking.rules.tariffs.local_time import (
    DAY_S,
    ceil_s,
    floor_s,
    local_day,
    offset_spans,
    utc_at,
)
from parking.rules.tariffs.metering import Capped, Charges, Meter
from parking.rules.tariffs.model import EarlierStay, Line, Quote, Stay, VehicleTraits
from parking.rules.tariffs.plan import Plan, Tariff, exemption_of
from parking.rules.tariffs.reasons import Why
from parking.rules.tariffs.windows import Past, past_of, windows_of

MAX_STAY_S = 3_660 * DAY_S
"""Longest stay that is rated; a longer one is a fault of the evidence, not a fee."""

Piece = tuple[int, int, int, int]
"""From, to, the band's place and the local day of a stretch of charged time."""


def evaluate(
    tariff: Tariff,
    stay: Stay,
    vehicle: VehicleTraits | None = None,
    history: Sequence[EarlierStay] = (),
) -> Quote:
    """Rate a stay.

    Parameters
    ----------
    tariff : Tariff
        The version that was in force at entry.
    stay : Stay
        Rated by whole seconds: the entry rounded up, the leaving down.
    vehicle : VehicleTraits or None
        None for a small vehicle of unknown energy.
    history : Sequence[EarlierStay]
        Earlier stays of the same vehicle under this tariff, any order, all ended by the entry.
        They count for a free period once a day, a quick re-entry and caps over several stays.

    Returns
    -------
    Quote
        Lines in time order, then caps and credits as negative lines; they sum to the total,
        which is never negative. A stay of no time costs nothing and has no line.

    Raises
    ------
    Invalid
        Where no schedule fits the vehicle, an earlier stay ends after the entry, or the stay is
        longer than ``MAX_STAY_S``.

    Notes
    -----
    Cost grows with the days and bands of the stay; about 50 us for a day of three bands.
    """
    vehicle = vehicle or VehicleTraits()
    start, end = ceil_s(stay.enter_at), floor_s(stay.leave_at)
    if end - start > MAX_STAY_S:
        raise Invalid(f"the stay is longer than {MAX_STAY_S // DAY_S} days", field="leave")
    exemption = exemption_of(tariff.document, vehicle)
    rating = _Rating(tariff, start, max(start, end), past_of(history, start))
    if end <= start:
        return rating.quote()
    if exemption is not None:
        why = Why("tariff.why.exempt", {"name": _named(exemption.name)})
        rating.add((start, end), "", 0, 0, why)
        return rating.quote()
    gaps = [(floor_s(g.start_at), end if g.end_at is None else ceil_s(g.end_at)) for g in stay.gaps]
    rating.rate(tariff.plan_for(vehicle), gaps)
    return rating.quote()


@dataclass(slots=True)
class _Rating:
    """One rating under way."""

    tariff: Tariff
    start: int
    end: int
    past: list[Past]
    lines: list[tuple[int, int, str, int, int, Why]] = field(default_factory=list)

    def quote(self) -> Quote:
        return Quote(
            Money(self._total(), self.tariff.document.currency),
            tuple(
                Line(utc_at(start), utc_at(end), band, units, minor, why)
                for start, end, band, units, minor, why in self.lines
            ),
            self.tariff.timezone,
        )

    def add(self, span: tuple[int, int], band: str, units: int, minor: int, why: Why) -> None:
        self.lines.append((*span, band, units, minor, why))

    def _total(self) -> int:
        return sum(line[4] for line in self.lines)

    def rate(self, plan: Plan, gaps: Sequence[tuple[int, int]]) -> None:
        schedule = plan.schedule
        credit_minor = self._join(schedule.re_entry)
        self._note_calendar(plan.table)
        pieces = self._pieces(plan)
        pieces = self._without_gaps(pieces, gaps)
        pieces = self._after_free(schedule.free, pieces)
        meters = [meter for meter in self._meters(plan, pieces) if self._count(meter)]
        self.lines.sort(key=itemgetter(0))
        for meter in meters:
            self._cap_band(meter)
        self._cap(schedule.caps, meters)
        self._credit(schedule.re_entry, credit_minor)

    # --- several stays ---------------------------------------------------------------------------

    def _join(self, re_entry: ReEntry | None) -> int:
        """Continue the stays that ended shortly before; give what was paid for them."""
        paid_minor = 0
        while re_entry is not None and self.past:
            enter, leave, minor = self.past[-1]
            if self.start - leave > re_entry.within_s:
                break
            self.past.pop()
            self.start = min(self.start, enter)
            paid_minor += minor
        return paid_minor

    def _credit(self, re_entry: ReEntry | None, paid_minor: int) -> None:
        total = self._total()
        if re_entry is None or not paid_minor or not total:
            return
        values = {"within_s": re_entry.within_s, "paid": self._money(paid_minor)}
        why = Why("tariff.why.credit.re_entry", values)
        self.add((self.start, self.end), "", 0, -min(total, paid_minor), why)

    # --- time ------------------------------------------------------------------------------------

    def _note_calendar(self, table: BandTable) -> None:
        if not table.asks_calendar:
            return
        zone = self.tariff.timezone
        noted: set[int] = set()
        for day in range(local_day(self.start, zone), local_day(self.end - 1, zone) + 1):
            year = table.unpublished_year(day)
            if year is not None and year not in noted:
                noted.add(year)
                why = Why("tariff.why.calendar.unpublished", {"year": year})
                self.add((self.start, self.end), "", 0, 0, why)

    def _pieces(self, plan: Plan) -> list[Piece]:
        """Cut the stay at the edges of bands, and of days where a count ends with them."""
        pieces: list[Piece] = []
        rows = plan.table.rows
        for low, high, offset in offset_spans(self.start, self.end, self.tariff.timezone):
            at, last = low + offset, high + offset
            while at < last:
                day = at // DAY_S
                midnight = day * DAY_S
                for _, row_end, band in rows(day):
                    row_end += midnight  # noqa: PLW2901 - the row's end on this day
                    if row_end <= at:
                        continue
                    stop = min(row_end, last)
                    pieces.append((at - offset, stop - offset, band, day))
                    at = stop
                    if at >= last:
                        break
        if not plan.marks_days:
            pieces = _merged(pieces)
        return self._cut_every_24h(pieces) if plan.marks_24h else pieces

    def _cut_every_24h(self, pieces: Sequence[Piece]) -> list[Piece]:
        cut: list[Piece] = []
        for low, high, band, day in pieces:
            at = low
            while at < high:
                mark = self.start + ((at - self.start) // DAY_S + 1) * DAY_S
                cut.append((at, min(mark, high), band, day))
                at = mark
        return cut

    def _without_gaps(self, pieces: list[Piece], gaps: Sequence[tuple[int, int]]) -> list[Piece]:
        for gap_start, gap_end in gaps:
            low, high = max(gap_start, self.start), min(gap_end, self.end)
            if low >= high:
                continue
            self.add((low, high), "", 0, 0, Why("tariff.why.gap"))
            pieces = [
                rest
                for start, end, band, day in pieces
                for rest in ((start, min(end, low), band, day), (max(start, high), end, band, day))
                if rest[0] < rest[1]
            ]
        return pieces

    # --- free period -----------------------------------------------------------------------------

    def _after_free(self, free: StayFree | None, pieces: list[Piece]) -> list[Piece]:
        """Take off the free period of the whole stay."""
        if free is None or not pieces:
            return pieces
        values: dict[str, JsonValue] = {"up_to_s": free.up_to_s}
        if self._free_used(free):
            why = Why("tariff.why.free.used", values)
            self.add((self.start, min(self.start + free.up_to_s, self.end)), "", 0, 0, why)
            return pieces
        if sum(piece[1] - piece[0] for piece in pieces) <= free.up_to_s:
            self.add((self.start, self.end), "", 0, 0, Why("tariff.why.free.within", values))
            return []
        if free.when_exceeded == "charged_from_start":
            return pieces
        taken, rest = _split(pieces, free.up_to_s)
        why = Why("tariff.why.free.deducted", values)
        self.add((taken[0][0], taken[-1][1]), "", 0, 0, why)
        return rest

    def _free_used(self, free: StayFree) -> bool:
        if free.once_per == "day":
            zone = self.tariff.timezone
            today = local_day(self.start, zone)
            return any(local_day(enter, zone) == today for enter, _, _ in self.past)
        if free.once_per == "24h":
            return any(self.start - enter < DAY_S for enter, _, _ in self.past)
        return False

    # --- bands -----------------------------------------------------------------------------------

    def _meters(self, plan: Plan, pieces: Sequence[Piece]) -> list[Meter]:
        """Give each count of each band its time."""
        meters: dict[tuple[int, int], Meter] = {}
        visit, last_band = 0, -1
        bands = plan.schedule.bands
        for start, end, place, day in pieces:
            band = bands[place]
            if place != last_band:
                visit, last_band = visit + 1, place
            if band.counts == "visit":
                key = (place, visit)
            elif band.counts == "day":
                key = (place, day)
            elif band.counts == "24h":
                key = (place, (start - self.start) // DAY_S)
            else:
                key = (place, 0)
            meter = meters.get(key)
            if meter is None:
                meter = meters[key] = Meter(band, plan.rates[place], [], band.cap_minor)
            meter.pieces.append((start, end))
        return list(meters.values())

    def _count(self, meter: Meter) -> bool:
        """Write the lines of one count; tell whether any charged time is left in it."""
        free = meter.band.free
        if free is not None:
            values: dict[str, JsonValue] = {"up_to_s": free.up_to_s}
            first, last = meter.pieces[0][0], meter.pieces[-1][1]
            if meter.seconds() <= free.up_to_s:
                self.add((first, last), meter.band.id, 0, 0, Why("tariff.why.free.within", values))
                return False
            if free.when_exceeded == "deducted":
                pieces = [(start, end, 0, 0) for start, end in meter.pieces]
                taken, rest = _split(pieces, free.up_to_s)
                why = Why("tariff.why.free.deducted", values)
                self.add((taken[0][0], taken[-1][1]), meter.band.id, 0, 0, why)
                meter.pieces = [(start, end) for start, end, _, _ in rest]
        if meter.rate.steps:
            self._count_steps(meter)
        else:
            self._count_flat(meter)
        return True

    def _count_steps(self, meter: Meter) -> None:
        rate, clock_s = meter.rate, 0
        key = "tariff.why.units." + ("started" if rate.started else "completed")
        for start, end in meter.pieces:
            ends_s = clock_s + end - start
            for place, (step_start, step_end, unit_s, price) in enumerate(rate.steps):
                low, high = max(step_start, clock_s), min(step_end, ends_s)
                if low >= high:
                    continue
                units = rate.units(place, high) - rate.units(place, low)
                values: dict[str, JsonValue] = {
                    "units": units,
                    "unit_s": unit_s,
                    "price": self._money(price),
                }
                self.add(
                    (start + low - clock_s, start + high - clock_s),
                    meter.band.id,
                    units,
                    units * price,
                    Why(key, values),
                )
            clock_s = ends_s

    def _count_flat(self, meter: Meter) -> None:
        rate, stayed_s = meter.rate, meter.seconds()
        units, minor = 1, rate.accrued(stayed_s)
        if rate.tiers:
            place = rate.tier(stayed_s)
            values: dict[str, JsonValue] = {"stayed_s": stayed_s, "price": self._money(minor)}
            if place + 1 < len(rate.tiers):
                values["up_to_s"] = rate.tiers[place][0]
                why = Why("tariff.why.tier", values)
            else:
                why = Why("tariff.why.tier.last", values)
        elif rate.entry_minor is not None:
            why = Why("tariff.why.entry", {"price": self._money(minor)})
        else:
            units, why = 0, Why("tariff.why.free.band")
        first, last = meter.pieces[0][0], meter.pieces[-1][1]
        self.add((first, last), meter.band.id, units, minor, why)

    # --- caps ------------------------------------------------------------------------------------

    def _cap_band(self, meter: Meter) -> None:
        if meter.cap_minor is None:
            return
        excess = meter.rate.accrued(meter.seconds()) - meter.cap_minor
        if excess > 0:
            first, last = meter.pieces[0][0], meter.pieces[-1][1]
            why = Why("tariff.why.cap.band", {"cap": self._money(meter.cap_minor)})
            self.add((first, last), meter.band.id, 0, -excess, why)

    def _cap(self, caps: Sequence[Cap], meters: Sequence[Meter]) -> None:
        if not caps or not meters:
            return
        charged: Charges | Capped = Charges(meters)
        for cap in caps:
            windows = windows_of(cap, self.start, self.end, self.tariff.timezone, self.past)
            if self._total() <= windows[0].left_minor:
                continue  # the common case: no window can hold more than the whole
            charged = Capped(charged, windows)
            for place, window in enumerate(windows):
                excess = charged.excess(place)
                if excess <= 0:
                    continue
                values: dict[str, JsonValue] = {"cap": self._money(cap.minor)}
                key = f"tariff.why.cap.{cap.per}"
                if window.paid_minor:
                    key, values["paid"] = f"{key}.shared", self._money(window.paid_minor)
                low, high = max(window.start, self.start), min(window.end, self.end)
                self.add((low, high), "", 0, -excess, Why(key, values))

    def _money(self, minor: int) -> JsonValue:
        return {"minor": minor, "currency": self.tariff.document.currency}


def _merged(pieces: Sequence[Piece]) -> list[Piece]:
    merged: list[Piece] = []
    for piece in pieces:
        if merged and merged[-1][2] == piece[2] and merged[-1][1] == piece[0]:
            merged[-1] = (merged[-1][0], piece[1], piece[2], merged[-1][3])
        else:
            merged.append(piece)
    return merged


def _split(pieces: Sequence[Piece], seconds: int) -> tuple[list[Piece], list[Piece]]:
    """Part pieces after so much of their time; there is more of it than that."""
    taken: list[Piece] = []
    for place, (start, end, band, day) in enumerate(pieces):
        if end - start > seconds:
            if seconds:
                taken.append((start, start + seconds, band, day))
            return taken, [(start + seconds, end, band, day), *pieces[place + 1 :]]
        taken.append((start, end, band, day))
        seconds -= end - start
    return taken, []


def _named(name: Name) -> JsonValue:
    return {"zh": name.zh, "en": name.en}
