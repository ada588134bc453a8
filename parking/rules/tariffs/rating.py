"""Charging one unbroken stretch of a stay: free time, bands, caps, discounts, coupons, rounding.

`Rating` works on whole seconds since 1970 and writes raw lines; `evaluation` says in which order
stretches are rated and what has been paid for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from pydantic import JsonValue

from parking.rules.tariffs.cutting import Piece, Span, counted_s, pieces_of, run_on, split, without
from parking.rules.tariffs.document import Coupon, FreeTime, Name, ReEntry, StayFree
from parking.rules.tariffs.local_time import DAY_S, local_day
from parking.rules.tariffs.metering import Meter
from parking.rules.tariffs.plan import Plan, Tariff
from parking.rules.tariffs.reasons import Why
from parking.rules.tariffs.windows import Past

RawLine = tuple[int, int, str, int, int, Why]
"""From, to, band, units, minor and why."""


@dataclass(slots=True)
class Rating:
    """One rating under way."""

    tariff: Tariff
    plan: Plan
    start: int
    end: int
    past: list[Past]
    gaps: Sequence[Span] = ()
    covers: Sequence[tuple[int, int, Name]] = ()
    coupons: Sequence[Coupon] = ()
    after_payment: bool = False
    """Whether the stretch follows a payment: it has no free period and continues no stay."""
    lines: list[RawLine] = field(default_factory=list)
    total: int = 0
    meters: list[Meter] = field(default_factory=list)
    credit_minor: int = 0
    """What was paid for the stays that this one continues."""

    @property
    def time_taken_out(self) -> bool:
        """Whether anything but the tariff itself leaves time uncharged."""
        timed = any(isinstance(coupon.effect, FreeTime) for coupon in self.coupons)
        return bool(self.gaps or self.covers) or timed

    def add(self, span: Span, band: str, units: int, minor: int, why: Why) -> None:
        """Write a line."""
        self.lines.append((span[0], span[1], band, units, minor, why))
        self.total += minor

    def money(self, minor: int) -> JsonValue:
        """Give an amount as reasons carry it."""
        return {"minor": minor, "currency": self.tariff.document.currency}

    def count(self) -> None:
        """Write the lines of all bands, and what is free before them."""
        schedule = self.plan.schedule
        away = self._join(schedule.re_entry)
        if self.plan.table.asks_calendar:
            self._note_calendar()
        pieces = pieces_of(self.plan, self.start, self.end, self.tariff.timezone)
        if away or self.gaps or self.covers:
            pieces = self._uncounted(away, pieces)
        if schedule.free is not None and pieces:
            pieces = self._after_free(schedule.free, pieces)
        for coupon in self.coupons:
            if pieces and isinstance(coupon.effect, FreeTime):
                pieces = self._after_coupon(coupon, coupon.effect.seconds, pieces)
        if schedule.unit_at_edge == "runs_on":
            pieces = run_on(self.plan, pieces)
        for meter in self._metered(pieces):
            if self._count(meter):
                self.meters.append(meter)
        if len(self.lines) > 1:
            self.lines.sort(key=itemgetter(0))

    # --- several stays ---------------------------------------------------------------------------

    def _join(self, re_entry: ReEntry | None) -> list[Span]:
        """Continue the stays that ended shortly before; give the time away that does not count."""
        away: list[Span] = []
        if re_entry is None or re_entry.effect != "continues" or self.after_payment:
            return away
        while self.past:
            enter, leave, minor = self.past[-1]
            if self.start - leave > re_entry.within_s:
                break
            self.past.pop()
            if re_entry.time_between == "not_counted" and leave < self.start:
                away.insert(0, (leave, self.start))
            self.start = min(self.start, enter)
            self.credit_minor += minor
        return away

    # --- time ------------------------------------------------------------------------------------

    def _note_calendar(self) -> None:
        zone = self.tariff.timezone
        noted: set[int] = set()
        for day in range(local_day(self.start, zone), local_day(self.end - 1, zone) + 1):
            year = self.plan.table.unpublished_year(day)
            if year is not None and year not in noted:
                noted.add(year)
                why = Why("tariff.why.calendar.unpublished", {"year": year})
                self.add((self.start, self.end), "", 0, 0, why)

    def _uncounted(self, away: Sequence[Span], pieces: list[Piece]) -> list[Piece]:
        for low, high in away:
            pieces = self._taken_out(pieces, low, high, Why("tariff.why.away"))
        for low, high in self.gaps:
            pieces = self._taken_out(pieces, low, high, Why("tariff.why.gap"))
        for low, high, name in self.covers:
            why = Why("tariff.why.covered", {"name": name_json(name)})
            pieces = self._taken_out(pieces, low, high, why)
        return pieces

    def _taken_out(self, pieces: list[Piece], low: int, high: int, why: Why) -> list[Piece]:
        low, high = max(low, self.start), min(high, self.end)
        if low >= high:
            return pieces
        self.add((low, high), "", 0, 0, why)
        return without(pieces, (low, high))

    # --- free period and free time ---------------------------------------------------------------

    def _after_free(self, free: StayFree, pieces: list[Piece]) -> list[Piece]:
        """Take off the free period of the whole stay."""
        values: dict[str, JsonValue] = {"up_to_s": free.up_to_s}
        first = (self.start, min(self.start + free.up_to_s, self.end))
        if self.after_payment:
            self.add(first, "", 0, 0, Why("tariff.why.free.paid", values))
            return pieces
        re_entry = self.plan.schedule.re_entry
        if re_entry is not None and self._comes_back(re_entry):
            within: dict[str, JsonValue] = {"within_s": re_entry.within_s}
            self.add(first, "", 0, 0, Why("tariff.why.free.re_entry", within))
            return pieces
        left_s = self._free_left_s(free)
        if left_s == 0:
            self.add(first, "", 0, 0, Why("tariff.why.free.used", values))
            return pieces
        suffix = ""
        if left_s < free.up_to_s:
            suffix, values = ".left", {**values, "left_s": left_s}
        if counted_s(pieces) <= left_s:
            why = Why("tariff.why.free.within" + suffix, values)
            self.add((self.start, self.end), "", 0, 0, why)
            return []
        if free.when_exceeded == "charged_from_start":
            return pieces
        taken, rest = split(pieces, left_s)
        why = Why("tariff.why.free.deducted" + suffix, values)
        self.add((taken[0][0], taken[-1][1]), "", 0, 0, why)
        return rest

    def _comes_back(self, re_entry: ReEntry) -> bool:
        """Tell whether the vehicle comes back so soon that it has no free period."""
        if re_entry.effect != "no_free_period" or not self.past:
            return False
        return self.start - max(leave for _, leave, _ in self.past) <= re_entry.within_s

    def _free_left_s(self, free: StayFree) -> int:
        if free.once_per == "stay" or not self.past:
            return free.up_to_s
        if free.once_per == "day":
            zone = self.tariff.timezone
            today = local_day(self.start, zone)
            earlier = [each for each in self.past if local_day(each[0], zone) == today]
        else:
            earlier = [each for each in self.past if self.start - each[0] < DAY_S]
        if free.accumulates:
            return max(0, free.up_to_s - sum(leave - enter for enter, leave, _ in earlier))
        return 0 if len(earlier) >= free.times else free.up_to_s

    def _after_coupon(self, coupon: Coupon, seconds: int, pieces: list[Piece]) -> list[Piece]:
        taken, rest = split(pieces, seconds)
        values: dict[str, JsonValue] = {"name": name_json(coupon.name), "time_s": seconds}
        why = Why("tariff.why.coupon.time", values)
        self.add((taken[0][0], taken[-1][1]), "", 0, 0, why)
        return rest

    # --- bands -----------------------------------------------------------------------------------

    def _metered(self, pieces: Sequence[Piece]) -> list[Meter]:
        """Give each count of each band its time."""
        meters: dict[tuple[int, int], Meter] = {}
        bands, rates = self.plan.schedule.bands, self.plan.rates
        for start, end, place, day, visit in pieces:
            band = bands[place]
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
                meter = meters[key] = Meter(band, rates[place], [], band.cap_minor)
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
                pieces = [(start, end, 0, 0, 0) for start, end in meter.pieces]
                taken, rest = split(pieces, free.up_to_s)
                why = Why("tariff.why.free.deducted", values)
                self.add((taken[0][0], taken[-1][1]), meter.band.id, 0, 0, why)
                meter.pieces = [(piece[0], piece[1]) for piece in rest]
        if meter.rate.steps:
            self._count_steps(meter)
        else:
            self._count_flat(meter)
        return True

    def _count_steps(self, meter: Meter) -> None:
        rate, clock_s = meter.rate, 0
        band = meter.band.id
        reason = rate.reason
        for start, end in meter.pieces:
            ends_s = clock_s + end - start
            for place, (step_start, step_end, unit_s, price) in enumerate(rate.steps):
                low = max(clock_s, step_start)
                high = min(ends_s, step_end)
                if low >= high:
                    continue
                units = rate.units(place, high)
                if low > step_start:
                    units -= rate.units(place, low)
                values: dict[str, JsonValue] = {
                    "units": units,
                    "unit_s": unit_s,
                    "price": rate.prices[place],
                }
                if rate.tolerance_s:
                    values["tolerance_s"] = rate.tolerance_s
                span = (start + low - clock_s, start + high - clock_s)
                self.add(span, band, units, units * price, Why(reason, values))
            clock_s = ends_s

    def _count_flat(self, meter: Meter) -> None:
        rate, stayed_s = meter.rate, meter.seconds()
        units, minor = 1, rate.accrued(stayed_s)
        if rate.tiers:
            place = rate.tier(stayed_s)
            values: dict[str, JsonValue] = {"stayed_s": stayed_s, "price": self.money(minor)}
            if place + 1 < len(rate.tiers):
                values["up_to_s"] = rate.tiers[place][0]
                why = Why("tariff.why.tier", values)
            else:
                why = Why("tariff.why.tier.last", values)
        elif rate.entry_minor is not None:
            why = Why("tariff.why.entry", {"price": self.money(minor)})
        else:
            units, why = 0, Why("tariff.why.free.band")
        first, last = meter.pieces[0][0], meter.pieces[-1][1]
        self.add((first, last), meter.band.id, units, minor, why)


def name_json(name: Name) -> JsonValue:
    """Give a name as reasons carry it."""
    return {"zh": name.zh, "en": name.en}
