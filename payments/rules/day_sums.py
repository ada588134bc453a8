"""Days of accounts whose sums are not what is posted: what the finance desk is told of them."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from pydantic import JsonValue

from city.money import Money

SOURCE: Final = "ledger"
"""What stands in a channel's place where sums are held against postings."""
KIND: Final = "day-sum"
PROPOSAL: Final = "find-what-changed-then-rebuild-sums"


@dataclass(frozen=True, slots=True)
class SumDifference:
    """An account's day whose sum is not what is posted.

    Parameters
    ----------
    account : str
        By its name, ``cash:…``.
    day : date or None
        China's. None: all days before the last closing, together.
    posted : Money
        By the postings, added up plainly.
    told : Money
        By the sums that balances are made of.
    """

    account: str
    day: date | None
    posted: Money
    told: Money

    @property
    def key(self) -> str:
        """Name it: found again on one day it is the same."""
        return f"{KIND}|{self.account}|{self.posted.currency}|{self.day or 'closed'}"

    def shown(self) -> dict[str, JsonValue]:
        """Write it as reports and the desk keep it."""
        return {
            "class": KIND,
            "proposal": PROPOSAL,
            "account": self.account,
            "on": None if self.day is None else self.day.isoformat(),
            "posted": self.posted.as_json(),
            "told": self.told.as_json(),
        }
