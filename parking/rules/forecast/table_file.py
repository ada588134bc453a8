"""Reading a feed from a CSV: instants in many spellings, several series, dirt left to `clean`."""

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from city.errors import Invalid
from parking.rules.forecast.readings import Series, clean

SPELLINGS: Final = (
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
)
"""Besides ISO 8601 and seconds or milliseconds since 1970."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall time
_MS_FROM: Final = 1e11
_LATEST_S: Final = 4.0e9


@dataclass(slots=True)
class _Rows:
    at_s: list[float] = field(default_factory=list)
    local_s: list[float] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    capacity: list[float] = field(default_factory=list)


def number(text: str | None) -> float:
    """Read a number; NaN where it is none."""
    try:
        found = float((text or "").strip())
    except ValueError:
        return math.nan
    return found if math.isfinite(found) else math.nan


class Instants:
    """Reads instants of one column.

    Parameters
    ----------
    zone
        Of times without an offset, and of the days and hours that are learnt; without one, wall
        times are taken as they stand.
    """

    def __init__(self, zone: ZoneInfo | None) -> None:
        self._zone = zone
        self._spelling: str | None = None

    def read(self, text: str | None, before_s: float) -> tuple[float, float]:
        """Give (instant, local wall time) in seconds since 1970; NaN where unreadable.

        Where a zone's clocks went back and the hour repeats, a time that lies before the one that
        came before is the second of the two.
        """
        stated = (text or "").strip()
        moment = self._moment(stated)
        if moment is None:
            return math.nan, math.nan
        if moment.tzinfo is None:
            local_s = (moment - _EPOCH).total_seconds()
            if self._zone is None:
                return local_s, local_s
            first = moment.replace(tzinfo=self._zone).timestamp()
            second = moment.replace(tzinfo=self._zone, fold=1).timestamp()
            later = second > first and math.isfinite(before_s) and first <= before_s < second
            return (second if later else first), local_s
        at_s = moment.timestamp()
        if self._zone is not None:
            moment = moment.astimezone(self._zone)
        return at_s, (moment.replace(tzinfo=None) - _EPOCH).total_seconds()

    def _moment(self, stated: str) -> datetime | None:
        if self._spelling is not None:
            return _spelled(stated, self._spelling)
        try:
            return datetime.fromisoformat(stated)
        except ValueError:
            pass
        seconds = number(stated)
        if math.isfinite(seconds):
            seconds = seconds / 1000 if seconds > _MS_FROM else seconds
            within = 0 < seconds < _LATEST_S
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds) if within else None
        for spelling in SPELLINGS:
            found = _spelled(stated, spelling)
            if found is not None:
                self._spelling = spelling
                return found
        return None


def _spelled(stated: str, spelling: str) -> datetime | None:
    try:
        return datetime.strptime(stated, spelling)  # noqa: DTZ007 - wall time
    except ValueError:
        return None


def read_feed(
    lines: Iterable[str],
    *,
    time_column: str,
    value_column: str,
    capacity_column: str | None = None,
    series_column: str | None = None,
    zone: ZoneInfo | None = None,
) -> tuple[list[Series], list[str]]:
    """Read a feed into clean series, in the order in which they first occur.

    Returns
    -------
    series, empty
        Clean series, and the names of those without one readable row.

    Raises
    ------
    Invalid
        Without a heading line or without a named column.
    """
    reader = csv.DictReader(lines)
    wanted = {
        "--time-column": time_column,
        "--value-column": value_column,
        "--capacity-column": capacity_column,
        "--series-column": series_column,
    }
    try:
        names = reader.fieldnames
        if not names:
            raise Invalid("has no heading line", field="CSV")
        for option, name in wanted.items():
            if name is not None and name not in names:
                shown = ", ".join(str(each) for each in names[:20])
                raise Invalid(f"{name!r} is no column; there are {shown}", field=option)
        gathered: dict[str, _Rows] = {}
        instants = Instants(zone)
        for row in reader:
            # A row that is too long or short has None among its members: unreadable, not fatal.
            name = (row.get(series_column) or "") if series_column else ""
            found = gathered.setdefault(name, _Rows())
            before_s = found.at_s[-1] if found.at_s else math.nan
            at_s, local_s = instants.read(row.get(time_column), before_s)
            found.at_s.append(at_s)
            found.local_s.append(local_s)
            found.value.append(number(row.get(value_column)))
            found.capacity.append(number(row.get(capacity_column)) if capacity_column else math.nan)
    except (csv.Error, UnicodeDecodeError) as error:
        raise Invalid(f"cannot be read: {error}", field="CSV") from None
    kept, empty = [], []
    for name, rows in gathered.items():
        made = clean(
            name,
            np.array(rows.at_s),
            np.array(rows.local_s),
            np.array(rows.value),
            np.array(rows.capacity) if capacity_column else None,
        )
        if made is None:
            empty.append(name)
        else:
            kept.append(made)
    return kept, empty
