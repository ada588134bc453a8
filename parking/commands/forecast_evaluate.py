"""``forecast-evaluate``: how good occupancy forecasts are on the last days of a feed."""

import re
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from city.errors import Invalid
from parking.commands import CommandLine

SUMMARY = "judge occupancy forecasts on the last days of a CSV"
LONGEST_HORIZON_MIN = 24 * 60
MOST_SERIES = 2_000


def _line() -> CommandLine:
    line = CommandLine(
        "forecast-evaluate",
        "Learn from a feed's first days, forecast its last ones, compare: see docs/forecast.md.",
        "python -m parking forecast-evaluate birmingham.csv --time-column LastUpdated"
        " --value-column Occupancy --capacity-column Capacity --series-column SystemCodeNumber"
        " --horizons-min 30,60,120 --test-share 0.2",
    )
    line.add_argument("csv", type=Path, metavar="CSV", help="with a heading line")
    line.add_argument("--time-column", required=True, metavar="C")
    line.add_argument("--value-column", required=True, metavar="C", help="occupied bays")
    line.add_argument("--capacity-column", metavar="C", help="default: the series' largest value")
    line.add_argument("--series-column", metavar="C", help="names the place; default: one place")
    line.add_argument("--horizons-min", default="30,60,120", metavar="M,M,…")
    line.add_argument("--test-share", default="0.2", metavar="S", help="of the days, at the end")
    line.add_argument(
        "--timezone", metavar="ZONE", help="IANA zone of the feed; default: wall times as they are"
    )
    line.add_argument("--by-series", action="store_true", help="say what was cleaned, per series")
    return line


def _horizons(text: str) -> list[int]:
    if not re.fullmatch(r"\s*\d{1,5}\s*(,\s*\d{1,5}\s*)*", text):
        raise Invalid("must be whole minutes with commas between", field="--horizons-min")
    found = [int(each) for each in text.split(",")]
    if any(not 1 <= each <= LONGEST_HORIZON_MIN for each in found):
        raise Invalid(f"must lie in 1..{LONGEST_HORIZON_MIN}", field="--horizons-min")
    return list(dict.fromkeys(found))


def _share(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        raise Invalid("is no number", field="--test-share") from None
    if not 0.0 < found < 1.0:
        raise Invalid("must lie between 0 and 1", field="--test-share")
    return found


def _zone(text: str | None) -> ZoneInfo | None:
    if text is None:
        return None
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid("is not an IANA time zone", field="--timezone") from None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _evaluated(arguments: Sequence[str], line: CommandLine) -> dict[str, object]:
    given = line.parse_args(arguments)
    horizons, share = _horizons(given.horizons_min), _share(given.test_share)
    zone = _zone(given.timezone)
    # NumPy is loaded by this command alone, not by the overview that imports every command.
    from parking.rules.forecast.evaluation import NOT_ENOUGH, evaluate  # noqa: PLC0415 - slow to load, and this command's alone
    from parking.rules.forecast.table_file import read_feed  # noqa: PLC0415 - the same

    begun = time.perf_counter()
    try:
        with given.csv.open(encoding="utf-8-sig", newline="") as file:
            series, empty = read_feed(
                file,
                time_column=given.time_column,
                value_column=given.value_column,
                capacity_column=given.capacity_column,
                series_column=given.series_column,
                zone=zone,
            )
    except OSError as error:
        raise Invalid(f"cannot be read: {error.strerror}", field=str(given.csv)) from None
    if not series:
        raise Invalid("has no row with a readable time and value", field=str(given.csv))
    if len(series) > MOST_SERIES:
        raise Invalid(f"has more than {MOST_SERIES} series", field="--series-column")
    found = evaluate(series, horizons, share)
    answer: dict[str, object] = {
        "horizons": [
            {
                "horizon_min": each.horizon_min,
                "rows": each.rows,
                "mae": _rounded(each.mae),
                "rmse": _rounded(each.rmse),
                "persistence_mae": _rounded(each.persistence_mae),
                "last_week_mae": _rounded(each.last_week_mae),
                "coverage90": _rounded(each.coverage90),
                "width90": _rounded(each.width90),
            }
            for each in found.horizons
        ],
        "seconds": round(time.perf_counter() - begun, 3),
        "days": found.days,
        "test_days": found.test_days,
        "not_enough_history": sorted(
            [each.series.name for each in found.places if each.answer == NOT_ENOUGH] + empty
        ),
    }
    if given.by_series:
        answer["series"] = [
            {
                "name": each.series.name,
                "answer": each.answer,
                "rows": {str(minutes): count for minutes, count in each.rows.items()},
                "step_min": each.series.step_s / 60,
                "scale": each.series.scale,
                "cleaning": asdict(each.series.cleaning),
            }
            for each in found.places
        ]
    if not any(each.rows for each in found.horizons):
        reasons = sorted({each.answer for each in found.places})
        answer["answer"] = NOT_ENOUGH if NOT_ENOUGH in reasons else reasons[0]
    return answer


def run(arguments: Sequence[str]) -> int:
    """Print the errors; 2 where an argument or the file is unusable."""
    line = _line()
    try:
        answer = _evaluated(arguments, line)
    except Invalid as error:
        line.error(str(error))
    line.answer(answer)
    return 0
