"""Days in addresses."""

from __future__ import annotations

from datetime import date

from city.errors import Invalid
from web.api.schemas.base import FIRST_YEAR, LAST_YEAR


def day_in(text: str) -> date:
    """Read a day, YYYY-MM-DD.

    Raises
    ------
    Invalid
        Where it is none, or none that a street ever sees.
    """
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise Invalid("must be a date, YYYY-MM-DD", field="day") from None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise Invalid(f"must lie between {FIRST_YEAR} and {LAST_YEAR}", field="day")
    return found
