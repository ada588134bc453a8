"""How much somebody may give back through a channel, at once and in a day."""

from dataclasses import dataclass

from city.errors import Forbidden
from city.money import Money


@dataclass(frozen=True, slots=True)
class RefundLimit:
    """Of one person; in minor units of the refund's currency."""

    single_minor: int
    daily_minor: int


def check_limit(limit: RefundLimit, amount: Money, given_minor: int) -> None:
    """Refuse what goes past a person's limit.

    Parameters
    ----------
    limit : RefundLimit
    amount : Money
        What would go back now.
    given_minor : int
        What the same person gave back today, without what failed.

    Raises
    ------
    Forbidden
        With which of the two it is.
    """
    if amount.minor > limit.single_minor:
        raise Forbidden(
            "is more than you may give back at once: somebody with a higher limit does it",
            field="amount",
            limit_minor=limit.single_minor,
        )
    if given_minor + amount.minor > limit.daily_minor:
        raise Forbidden(
            "is more than you may still give back today: somebody with a higher limit does it",
            field="amount",
            limit_minor=max(0, limit.daily_minor - given_minor),
        )
