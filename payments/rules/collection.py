"""What was billed, what came in, and what came in late: sums that add up, and their shares."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from city.errors import Invalid

RECOVERY_DAYS: Final = 30
"""Arrears are recovered where they are paid within so many days of the due date."""


@dataclass(frozen=True, slots=True)
class Collection:
    """Bills issued in some hours, in one currency, in its minor units."""

    currency: str
    bills: int = 0
    due_minor: int = 0
    """What they are over."""
    received_minor: int = 0
    """What of it has been paid up to now, whenever that was."""
    arrears_minor: int = 0
    """What was not paid when it was due; of bills whose time to be recovered is over, only."""
    recovered_minor: int = 0
    """What of these arrears was paid within `RECOVERY_DAYS` of the due date."""

    @property
    def collected_share(self) -> float | None:
        """Real collection: received over due, 0 to 1; None where nothing was due."""
        return self.received_minor / self.due_minor if self.due_minor else None

    @property
    def recovered_share(self) -> float | None:
        """Recovered over arrears, 0 to 1; None where there were none, or it is too early."""
        return self.recovered_minor / self.arrears_minor if self.arrears_minor else None


def together(parts: Iterable[Collection]) -> tuple[Collection, ...]:
    """Add sums up, each currency for itself, in the order of the currencies."""
    found: dict[str, Collection] = {}
    for each in parts:
        known = found.get(each.currency, Collection(each.currency))
        found[each.currency] = Collection(
            each.currency,
            known.bills + each.bills,
            known.due_minor + each.due_minor,
            known.received_minor + each.received_minor,
            known.arrears_minor + each.arrears_minor,
            known.recovered_minor + each.recovered_minor,
        )
    return tuple(found[currency] for currency in sorted(found))


def per_bay_day_minor(amount_minor: int, service_us: int) -> int | None:
    """Share an amount among days of bays in service; rounded half to even, in minor units.

    Raises
    ------
    Invalid
        Where the time in service is negative.
    """
    if service_us < 0:
        raise Invalid("must not be negative", field="service_us")
    if service_us == 0:
        return None
    day_us = 86_400_000_000
    whole, rest = divmod(amount_minor * day_us, service_us)
    return whole + (2 * rest > service_us or (2 * rest == service_us and whole % 2 == 1))
