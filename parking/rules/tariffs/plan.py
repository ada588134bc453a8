"""A checked tariff laid out for rating, and which of its rules concern a vehicle."""

import json
from dataclasses import dataclass
from functools import lru_cache

from pydantic import JsonValue

from city.errors import Invalid
from parking.rules.tariffs.band_table import BandTable, calendar_of
from parking.rules.tariffs.document import BothEnds, Exemption, Schedule, TariffDocument
from parking.rules.tariffs.metering import Rate, rate_of
from parking.rules.tariffs.model import VehicleTraits
from parking.rules.tariffs.reading import read_document


@dataclass(frozen=True, slots=True)
class Plan:
    """A schedule laid out for rating."""

    schedule: Schedule
    table: BandTable
    rates: tuple[Rate, ...]
    marks_days: bool
    """Whether a piece must end at local midnight, because some count does."""
    marks_24h: bool
    fits_all: bool
    """Whether the schedule asks nothing of a vehicle."""
    both_ends: tuple[tuple[BothEnds, BandTable, BandTable], ...] = ()
    """Prices by both ends, with when each stay must begin and end."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """A checked document, laid out for rating in its time zone."""

    document: TariffDocument
    timezone: str
    plans: tuple[Plan, ...]

    def plan_for(self, vehicle: VehicleTraits) -> Plan:
        """Give the first schedule that fits a vehicle; Invalid where none does."""
        for plan in self.plans:
            if plan.fits_all or _fits(plan.schedule, vehicle):
                return plan
        known = vehicle.energy.value if vehicle.energy is not None else "unknown"
        raise Invalid(
            f"the tariff has no schedule for a {vehicle.vehicle_class.value} vehicle"
            f" ({known} energy)",
            field="vehicle",
        )


def tariff_of(document: TariffDocument, timezone: str | None = None) -> Tariff:
    """Lay out a checked document for rating; keep the result, it is the costly part.

    Parameters
    ----------
    document : TariffDocument
        From ``read_document``.
    timezone : str or None
        IANA name to use instead of the document's own.
    """
    plans = []
    calendar = calendar_of(document)
    for schedule in document.schedules:
        counts = {band.counts for band in schedule.bands}
        plans.append(
            Plan(
                schedule,
                BandTable(schedule.bands, calendar),
                tuple(rate_of(band.charge, document.currency) for band in schedule.bands),
                marks_days="day" in counts,
                marks_24h="24h" in counts,
                fits_all=schedule.fits_all,
                both_ends=tuple(
                    (each, BandTable([each.enter], calendar), BandTable([each.leave], calendar))
                    for each in schedule.both_ends
                ),
            )
        )
    return Tariff(document, timezone or document.timezone, tuple(plans))


def read_tariff(value: JsonValue, timezone: str | None = None) -> Tariff:
    """Read, check and lay out a tariff; Invalid names the field at fault."""
    return tariff_of(read_document(value), timezone)


@lru_cache(maxsize=512)
def stored_tariff(text: str) -> Tariff:
    """Lay out a stored tariff from its JSON text; kept, since a version never changes."""
    return read_tariff(json.loads(text))


def exemption_of(document: TariffDocument, vehicle: VehicleTraits) -> Exemption | None:
    """Give the exemption that covers a vehicle, by its plate kind or by proof.

    Raises
    ------
    Invalid
        Where proof is claimed of a class that the tariff does not know.
    """
    proven = vehicle.exemption
    if proven is not None:
        exempt = {exemption.id: exemption for exemption in document.exemptions}
        if proven in exempt:
            return exempt[proven]
        priced = [name for schedule in document.schedules for name in schedule.classes or ()]
        if proven not in priced:
            raise Invalid(
                "is not exempt in this tariff, which names: "
                + (", ".join([*exempt, *priced]) or "none"),
                field="exempt",
            )
    if vehicle.plate_kind is None:
        return None
    return next((e for e in document.exemptions if vehicle.plate_kind in e.plate_kinds), None)


def _fits(schedule: Schedule, vehicle: VehicleTraits) -> bool:
    return (
        (schedule.vehicles is None or vehicle.vehicle_class in schedule.vehicles)
        and (schedule.energies is None or vehicle.energy in schedule.energies)
        and (schedule.plate_kinds is None or vehicle.plate_kind in schedule.plate_kinds)
        and (schedule.classes is None or vehicle.exemption in schedule.classes)
    )
