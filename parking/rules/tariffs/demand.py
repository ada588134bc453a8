"""Prices that follow demand: a rule as data, and the tariff that it proposes.

San Francisco's rule (Transportation Code, division II, section 402; ``SF_RULE``): occupancy of
80 % and more raises the hourly price by 0.25, 60 % and more leaves it, less lowers it by 0.25,
between 0.50 and 10.00, at most once in 28 days. Its pilot of 2011 (``SF_PILOT``) lowered it by
0.50 below 30 %. A proposal is a draft like any other: people approve it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from city.errors import Invalid
from parking.rules.tariffs.document import Minor, Name, Steps, TariffDocument
from parking.rules.tariffs.local_time import ceil_s, local_clock_s, local_day
from parking.rules.tariffs.plan import Tariff
from parking.rules.tariffs.reading import field_path, read_document

HOUR_S = 3_600


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class DemandStep(_Part):
    """What an occupancy from so many per mille on does to the hourly price."""

    from_per_mille: Annotated[int, Field(strict=True, ge=0, le=1000)]
    change_minor: Annotated[int, Field(strict=True, ge=-(10**9), le=10**9)]


class DemandRule(_Part):
    """A rule that moves an hourly price by occupancy, within bounds, not too often."""

    name: Name
    source: Annotated[str, Field(max_length=2000)] = ""
    steps: Annotated[tuple[DemandStep, ...], Field(min_length=1, max_length=20)]
    """Ascending, the first from 0; the last whose occupancy is reached counts."""
    lowest_minor: Minor
    highest_minor: Minor
    """Bounds of the hourly price."""
    every_days: Annotated[int, Field(strict=True, ge=1, le=366)]
    """Days that must have passed since the price last changed."""


@dataclass(frozen=True, slots=True)
class Occupancy:
    """How full bays were while a band was in force: occupied of open bay-seconds, unknown out."""

    occupied_s: int
    open_s: int

    @property
    def share(self) -> Fraction:
        """Exact, so that 79.99 % is not 80 %."""
        return Fraction(self.occupied_s, self.open_s)


@dataclass(frozen=True, slots=True)
class PriceChange:
    """What a rule did to one band's hourly price, and why."""

    schedule: str
    band: str
    occupancy: Occupancy
    before_minor: int
    after_minor: int


def read_demand_rule(value: JsonValue) -> DemandRule:
    """Read and check a rule; Invalid names the field at fault."""
    try:
        rule = DemandRule.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        said = first["msg"]
        raise Invalid(said[:1].lower() + said[1:], field=field_path(first["loc"])) from None
    if rule.steps[0].from_per_mille != 0:
        raise Invalid("the first step must begin at 0", field="steps[0].from_per_mille")
    for place in range(1, len(rule.steps)):
        before, step = rule.steps[place - 1], rule.steps[place]
        if step.from_per_mille <= before.from_per_mille:
            raise Invalid("must ascend", field=f"steps[{place}].from_per_mille")
        if step.change_minor < before.change_minor:
            raise Invalid(
                "must not fall: fuller bays never get cheaper",
                field=f"steps[{place}].change_minor",
            )
    if rule.highest_minor < rule.lowest_minor:
        raise Invalid("must not lie below lowest_minor", field="highest_minor")
    return rule


def adjusted_minor(
    rule: DemandRule, hourly_minor: int, share: Fraction, days_since: int | None
) -> int:
    """Give the hourly price that a rule asks for.

    Parameters
    ----------
    rule : DemandRule
        The rule.
    hourly_minor : int
        The price in force.
    share : Fraction
        Occupancy from 0 to 1, exact.
    days_since : int or None
        Whole days since the price last changed; None where it never has.

    Returns
    -------
    int
        Within the bounds; unchanged where the last change is too young. A price that lies outside
        the bounds already is moved into them.
    """
    if not 0 <= share <= 1:
        raise Invalid("must lie between 0 and 1", field="occupancy")
    if days_since is not None and days_since < rule.every_days:
        return hourly_minor
    per_mille = share * 1000
    step = next(each for each in reversed(rule.steps) if per_mille >= each.from_per_mille)
    return min(rule.highest_minor, max(rule.lowest_minor, hourly_minor + step.change_minor))


def observed(
    tariff: Tariff,
    schedule_id: str,
    bands: Iterable[str],
    hours: Iterable[tuple[datetime, int, int]],
) -> dict[tuple[str, str], Occupancy]:
    """Sum up how full bays were while each of some bands was in force.

    Parameters
    ----------
    tariff : Tariff
        Whose bands they are.
    schedule_id, bands
        The schedule and its bands.
    hours : Iterable of (datetime, int, int)
        Hours by their beginnings, with occupied and free bay-seconds; unknown ones left out.

    Returns
    -------
    dict
        By schedule and band. An hour that two bands share counts for neither.

    Raises
    ------
    Invalid
        Where there is no such band.
    """
    plan = next((each for each in tariff.plans if each.schedule.id == schedule_id), None)
    if plan is None:
        raise Invalid(f"the tariff has no schedule {schedule_id}", field="schedule")
    places = {band.id: place for place, band in enumerate(plan.schedule.bands)}
    names = list(bands)
    for name in names:
        if name not in places:
            raise Invalid(f"the tariff has no band {name} in schedule {schedule_id}", field="band")
    sums = {places[name]: [0, 0] for name in names}
    for hour_at, occupied_s, free_s in hours:
        second = ceil_s(hour_at)
        day, clock = local_day(second, tariff.timezone), local_clock_s(second, tariff.timezone)
        for start, end, band in plan.table.rows(day):
            if start <= clock and clock + HOUR_S <= end and band in sums:
                sums[band][0] += occupied_s
                sums[band][1] += occupied_s + free_s
    return {(schedule_id, name): Occupancy(*sums[places[name]]) for name in names}


def propose(
    document: JsonValue,
    rule: DemandRule,
    occupancies: Mapping[tuple[str, str], Occupancy],
    days_since: int | None,
) -> tuple[JsonValue, tuple[PriceChange, ...]]:
    """Move the prices of a tariff as a rule asks.

    Parameters
    ----------
    document : JsonValue
        The tariff in force.
    rule : DemandRule
        The rule; its amounts are minor units of the tariff's currency.
    occupancies : Mapping
        By schedule and band. Bands that are not named, and those of which nothing was observed,
        keep their prices.
    days_since : int or None
        Whole days since the tariff last changed.

    Returns
    -------
    tuple
        The document to be drafted, checked, and what was changed in it; the same document and
        nothing where nothing changes.

    Raises
    ------
    Invalid
        Where a named band does not exist or has no single price per unit of time, where the
        moved price is no whole minor unit, or a cap would lie below it.
    """
    tariff = read_document(document)
    written: Any = tariff.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    changes: list[PriceChange] = []
    for (schedule_id, band_id), occupancy in sorted(occupancies.items()):
        place, within = _place(tariff, schedule_id, band_id)
        field = f"schedules[{place}].bands[{within}].charge"
        charge = tariff.schedules[place].bands[within].charge
        if not isinstance(charge, Steps) or len(charge.steps) != 1:
            raise Invalid("has no single price per unit of time", field=field)
        if occupancy.open_s <= 0:
            continue  # nothing observed: nothing known, nothing changed
        step = charge.steps[0]
        hourly = Fraction(step.price_minor * HOUR_S, step.unit_s)
        if hourly.denominator != 1:
            raise Invalid("has no whole price per hour", field=field)
        after = adjusted_minor(rule, int(hourly), occupancy.share, days_since)
        if after == hourly:
            continue
        unit_minor = Fraction(after * step.unit_s, HOUR_S)
        if unit_minor.denominator != 1:
            raise Invalid(f"{after} an hour is no whole price per {step.unit_s} s", field=field)
        target = written["schedules"][place]["bands"][within]["charge"]["steps"][0]
        target["price_minor"] = int(unit_minor)
        changes.append(PriceChange(schedule_id, band_id, occupancy, int(hourly), after))
    if not changes:
        return document, ()
    read_document(written)
    return written, tuple(changes)


def _place(tariff: TariffDocument, schedule_id: str, band_id: str) -> tuple[int, int]:
    for place, schedule in enumerate(tariff.schedules):
        if schedule.id == schedule_id:
            for within, band in enumerate(schedule.bands):
                if band.id == band_id:
                    return place, within
    raise Invalid(f"the tariff has no band {band_id} in a schedule {schedule_id}", field="band")


_STEP_MINOR = 25
SF_RULE: JsonValue = {
    "name": {"zh": "旧金山需求定价规则", "en": "San Francisco's demand rule"},
    "source": "Transportation Code, division II, section 402:"
    " sf-ca.elaws.us/code/trco_dii_art400_sec402",
    "steps": [
        {"from_per_mille": 0, "change_minor": -_STEP_MINOR},
        {"from_per_mille": 600, "change_minor": 0},
        {"from_per_mille": 800, "change_minor": _STEP_MINOR},
    ],
    "lowest_minor": 50,
    "highest_minor": 1000,
    "every_days": 28,
}
SF_PILOT: JsonValue = {
    "name": {"zh": "旧金山试点需求定价规则（2011）", "en": "San Francisco's pilot rule of 2011"},
    "source": "As restated with the rule; jfire.io/sfpark/rates.html prints the lowest bound as"
    " 40 %. Bounds and interval assumed to be the rule's.",
    "steps": [
        {"from_per_mille": 0, "change_minor": -2 * _STEP_MINOR},
        {"from_per_mille": 300, "change_minor": -_STEP_MINOR},
        {"from_per_mille": 600, "change_minor": 0},
        {"from_per_mille": 800, "change_minor": _STEP_MINOR},
    ],
    "lowest_minor": 50,
    "highest_minor": 1000,
    "every_days": 28,
}
