"""What another tariff would have changed: past stays rated under both, and who pays more.

Each vehicle's stays are one chain: what it would have paid before counts for what it would pay
next, under either tariff by itself. Parts that were compared apart can be added up.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import JsonValue

from city.errors import Invalid
from parking.rules.tariffs.evaluation import fee_minor
from parking.rules.tariffs.local_time import ceil_s, local_clock_s
from parking.rules.tariffs.model import EarlierStay, Stay, VehicleTraits
from parking.rules.tariffs.plan import Tariff

LENGTHS: tuple[tuple[str, int], ...] = (
    ("up to 30 min", 1_800),
    ("up to 1 h", 3_600),
    ("up to 2 h", 7_200),
    ("up to 4 h", 14_400),
    ("up to 12 h", 43_200),
    ("up to 24 h", 86_400),
)
LONGER = "longer"
_HOUR_S = 3_600


@dataclass(frozen=True, slots=True)
class PastStay:
    """A stay that is over, and the version that it was rated under."""

    facility: str
    version: str
    stay: Stay


@dataclass(frozen=True, slots=True)
class Chain:
    """All stays of one vehicle in the time looked at, oldest first."""

    vehicle: VehicleTraits
    stays: Sequence[PastStay]


@dataclass(slots=True)
class Tally:
    """Stays of one kind: what they paid, what they would pay, and how many pay more or less."""

    stays: int = 0
    before_minor: int = 0
    after_minor: int = 0
    more: int = 0
    less: int = 0

    def count(self, before_minor: int, after_minor: int) -> None:
        """Count one stay."""
        self.stays += 1
        self.before_minor += before_minor
        self.after_minor += after_minor
        self.more += after_minor > before_minor
        self.less += after_minor < before_minor

    def add(self, other: "Tally") -> None:
        """Count what another has counted."""
        self.stays += other.stays
        self.before_minor += other.before_minor
        self.after_minor += other.after_minor
        self.more += other.more
        self.less += other.less

    def as_json(self) -> dict[str, JsonValue]:
        """Give the stored form."""
        return {
            "stays": self.stays,
            "before_minor": self.before_minor,
            "after_minor": self.after_minor,
            "more": self.more,
            "same": self.stays - self.more - self.less,
            "less": self.less,
        }


@dataclass(slots=True)
class Comparison:
    """What a comparison found so far."""

    all: Tally = field(default_factory=Tally)
    groups: dict[str, dict[str, Tally]] = field(
        default_factory=lambda: {name: {} for name in ("vehicle", "length", "entered", "facility")}
    )
    vehicles: Counter[str] = field(default_factory=Counter)
    """Vehicles that pay ``more``, the ``same`` or ``less`` over all their stays."""
    changes: Counter[int] = field(default_factory=Counter)
    """Stays by how much more they pay."""
    unpriced: int = 0
    """Stays that one of the tariffs has no price for: they are in no other number."""

    def add(self, other: "Comparison") -> None:
        """Add what was compared apart; a vehicle must not be in both."""
        self.all.add(other.all)
        for name, tallies in other.groups.items():
            mine = self.groups[name]
            for key, tally in tallies.items():
                mine.setdefault(key, Tally()).add(tally)
        self.vehicles.update(other.vehicles)
        self.changes.update(other.changes)
        self.unpriced += other.unpriced

    def as_json(self, currency: str) -> dict[str, JsonValue]:
        """Give the stored form: whole minor units of one currency."""
        groups: dict[str, JsonValue] = {
            name: [{"key": key, **tallies[key].as_json()} for key in sorted(tallies, key=_order)]
            for name, tallies in self.groups.items()
        }
        raised = {change: count for change, count in self.changes.items() if change > 0}
        return {
            "currency": currency,
            **self.all.as_json(),
            "unpriced": self.unpriced,
            "vehicles": {kind: self.vehicles[kind] for kind in ("more", "same", "less")},
            "increase_minor": {
                "median": _quantile(raised, 500),
                "p90": _quantile(raised, 900),
                "largest": max(raised, default=0),
            },
            "groups": groups,
        }


def compare(
    chains: Iterable[Chain], before: Mapping[str, Tariff], after: Tariff, remember: timedelta
) -> Comparison:
    """Rate past stays under the versions that they had and under another one.

    Parameters
    ----------
    chains : Iterable[Chain]
        Each vehicle once.
    before : Mapping[str, Tariff]
        By the names in the stays.
    after : Tariff
        In the same currency.
    remember : timedelta
        How far back earlier stays of a vehicle count.

    Raises
    ------
    Invalid
        Where the currencies differ: no sum of theirs means anything.
    """
    currency = after.document.currency
    if any(each.document.currency != currency for each in before.values()):
        raise Invalid("is another currency than the stays were rated in", field="currency")
    found = Comparison()
    for chain in chains:
        _follow(found, chain, before, after, remember)
    return found


def _follow(
    found: Comparison,
    chain: Chain,
    before: Mapping[str, Tariff],
    after: Tariff,
    remember: timedelta,
) -> None:
    paid: list[EarlierStay] = []
    would_pay: list[EarlierStay] = []
    total_change = 0
    priced = False
    for past in chain.stays:
        stay = past.stay
        for history in (paid, would_pay):
            _forget(history, stay, remember)
        try:
            old = fee_minor(before[past.version], stay, chain.vehicle, paid)
            new = fee_minor(after, stay, chain.vehicle, would_pay)
        except Invalid:
            found.unpriced += 1
            continue
        priced = True
        paid.append(EarlierStay(stay.enter_at, stay.leave_at, old))
        would_pay.append(EarlierStay(stay.enter_at, stay.leave_at, new))
        total_change += new - old
        found.all.count(old, new)
        found.changes[new - old] += 1
        for name, key in (
            ("vehicle", _vehicle(chain.vehicle)),
            ("length", _length(stay)),
            ("entered", f"{local_clock_s(ceil_s(stay.enter_at), after.timezone) // _HOUR_S:02d}"),
            ("facility", past.facility),
        ):
            tallies = found.groups[name]
            tally = tallies.get(key)
            if tally is None:
                tally = tallies[key] = Tally()
            tally.count(old, new)
    if priced:
        found.vehicles["more" if total_change > 0 else "less" if total_change < 0 else "same"] += 1


def _forget(history: list[EarlierStay], stay: Stay, remember: timedelta) -> None:
    """Drop what lies too far back; two sensors' clocks may overlap by seconds."""
    since_at = stay.enter_at - remember
    while history and history[0].enter_at < since_at:
        del history[0]
    if history and history[-1].leave_at > stay.enter_at:
        last = history[-1]
        left_at = max(last.enter_at, stay.enter_at)
        history[-1] = EarlierStay(last.enter_at, left_at, last.paid_minor)


def _vehicle(traits: VehicleTraits) -> str:
    energy = "" if traits.energy is None else f", {traits.energy.value} energy"
    return f"{traits.vehicle_class.value}{energy}"


def _length(stay: Stay) -> str:
    stayed_s = (stay.leave_at - stay.enter_at).total_seconds()
    return next((name for name, up_to_s in LENGTHS if stayed_s <= up_to_s), LONGER)


_PLACES = {name: place for place, (name, _) in enumerate(LENGTHS)} | {LONGER: len(LENGTHS)}


def _order(key: str) -> tuple[int, str]:
    return _PLACES.get(key, 0), key


def _quantile(counts: Mapping[int, int], per_mille: int) -> int:
    """Give the least value that so many per mille do not exceed; 0 of nothing."""
    wanted = -(-sum(counts.values()) * per_mille // 1000)
    seen = 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= wanted:
            return value
    return 0
