"""Blacklists: what being listed means, by the policy of the region where it matters."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from city.errors import Invalid
from city.identifiers import DistrictCode, ListingId, VehicleId


class ListingReason(StrEnum):
    """Why a vehicle is listed."""

    ARREARS = "arrears"
    """Bills long overdue."""
    EVASION = "evasion"
    """Left without paying, by covering or changing the plate."""
    FALSE_PLATE = "false_plate"
    """Shows a plate that is another vehicle's (套牌)."""
    ABUSE = "abuse"
    """Used a right that was not its own."""
    DAMAGE = "damage"


class Effect(StrEnum):
    """What follows from being listed."""

    NO_RIGHTS = "no_rights"
    """Permits, benefits and allowances do not count: stays are charged."""
    NO_RESERVATION = "no_reservation"
    NO_ENTRY = "no_entry"
    """Gates ask an attendant before they open; a kerb has none."""
    ALERT = "alert"
    """Attendants and inspectors are told when they meet the vehicle."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A vehicle on a district's blacklist.

    Raises
    ------
    Invalid
        On an end that is not after the beginning.
    """

    id: ListingId
    vehicle_id: VehicleId
    district: DistrictCode
    reason: ListingReason
    from_at: datetime
    until_at: datetime | None = None
    """None: until it is lifted."""
    lifted_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.until_at is not None and self.until_at <= self.from_at:
            raise Invalid("must lie after the beginning", field="until_at")

    def in_force(self, at: datetime) -> bool:
        """Tell whether it counts at an instant."""
        ends = [end for end in (self.until_at, self.lifted_at) if end is not None]
        return self.from_at <= at and all(at < end for end in ends)


DEFAULT_EFFECTS: Mapping[ListingReason, frozenset[Effect]] = {
    reason: frozenset({Effect.ALERT}) for reason in ListingReason
}


@dataclass(frozen=True, slots=True)
class RegionPolicy:
    """What a district makes of listings.

    A reason that it does not name has the default effect: those who meet the vehicle are told, and
    nothing is taken from it.
    """

    district: DistrictCode
    effects: Mapping[ListingReason, frozenset[Effect]] = field(
        default_factory=lambda: DEFAULT_EFFECTS
    )
    honours: frozenset[DistrictCode] = frozenset()
    """Other districts whose listings count here as its own."""

    def effects_of(self, listing: Listing, at: datetime) -> frozenset[Effect]:
        """Give what follows here from a listing at an instant; nothing where it does not count."""
        if listing.district != self.district and listing.district not in self.honours:
            return frozenset()
        if not listing.in_force(at):
            return frozenset()
        return self.effects.get(listing.reason, DEFAULT_EFFECTS[listing.reason])


@dataclass(frozen=True, slots=True)
class Standing:
    """What is held against a vehicle in a district: each effect with the listings behind it."""

    listings: Mapping[Effect, tuple[Listing, ...]] = field(default_factory=dict)

    def has(self, effect: Effect) -> bool:
        """Tell whether an effect is in force."""
        return bool(self.listings.get(effect))


def standing(listings: Iterable[Listing], policy: RegionPolicy, at: datetime) -> Standing:
    """Give what is held against a vehicle in a policy's district at an instant."""
    found: dict[Effect, list[Listing]] = {}
    for listing in listings:
        for effect in sorted(policy.effects_of(listing, at)):
            found.setdefault(effect, []).append(listing)
    return Standing({effect: tuple(each) for effect, each in found.items()})
