"""Benefits: what a region grants to kinds of plates, without any list of vehicles.

A plate's kind proves what it proves: military, police, emergency, new energy. A benefit names the
kinds, the place, the hours and how much time is free; the abuse report looks after the rest.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from city.errors import Invalid
from city.identifiers import BenefitId, DistrictCode, FacilityId
from city.plate_rules import RULES
from city.time import as_utc
from city.vehicles import Energy, ExemptionClass, PlateKind
from parking.rules.rights.hours import ALWAYS, Hours, zone_of
from parking.rules.rights.permits import Allowance
from parking.rules.rights.spans import Span, Spans, intersection, normal

NEW_ENERGY: Final = "new_energy"
CLASSES: Final = (*(each.value for each in ExemptionClass), NEW_ENERGY)
"""Names under which kinds of plates can be given together."""


@dataclass(frozen=True, slots=True)
class Benefit:
    """What vehicles with some kinds of plates get in a district, or in one facility of it.

    Raises
    ------
    Invalid
        Naming the field: no kind, an end before the beginning, no source, a name that is missing.
    """

    id: BenefitId
    district: DistrictCode
    name_zh: str
    name_en: str
    plate_kinds: frozenset[PlateKind]
    timezone: str
    valid_from: datetime
    source: str
    """The notice or rule that grants it."""
    facility_id: FacilityId | None = None
    """None: every facility of the district."""
    valid_until: datetime | None = None
    hours: Hours = field(default=ALWAYS)
    allowance: Allowance | None = None
    """None: all the time, an exemption."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "valid_from", as_utc(self.valid_from, "valid_from"))
        if self.valid_until is not None:
            object.__setattr__(self, "valid_until", as_utc(self.valid_until, "valid_until"))
            if self.valid_until < self.valid_from:
                raise Invalid("must not lie before the beginning", field="valid_until")
        if not self.plate_kinds:
            raise Invalid("must name at least one kind of plate", field="plate_kinds")
        if PlateKind.UNKNOWN in self.plate_kinds:
            raise Invalid("an unknown kind proves nothing", field="plate_kinds")
        for name in ("name_zh", "name_en", "source"):
            if not getattr(self, name).strip():
                raise Invalid("must not be empty", field=name)
        zone_of(self.timezone)

    @property
    def exempts(self) -> bool:
        """Whether it frees a vehicle for as long as it likes."""
        return self.allowance is None

    def holds(self, span: Span) -> Spans:
        """Give the instants of a span at which it is in force, its hours included."""
        until = span[1] if self.valid_until is None else self.valid_until
        inside = intersection(normal([(self.valid_from, until)]), normal([span]))
        return normal(part for each in inside for part in self.hours.within(each, self.timezone))


def kinds_of(classes: Iterable[str], plate_kinds: Iterable[PlateKind] = ()) -> frozenset[PlateKind]:
    """Give the kinds of plates that classes stand for, and those named singly.

    Raises
    ------
    Invalid
        On an unknown class; the message lists those that there are.
    """
    found = set(plate_kinds)
    for place, name in enumerate(classes):
        if name not in CLASSES:
            raise Invalid(f"must be one of {', '.join(CLASSES)}", field=f"classes[{place}]")
        found.update(
            kind
            for kind, rule in RULES.items()
            if rule.exemption == name or (name == NEW_ENERGY and rule.energy is Energy.NEW)
        )
    return frozenset(found)


EXEMPT_KINDS: Final = frozenset(kind for kind, rule in RULES.items() if rule.exemption is not None)
"""Kinds that lay claim to an exemption by their plate: what the abuse report looks at."""
