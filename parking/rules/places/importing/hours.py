"""Opening hours as people write them: OpenStreetMap's ``opening_hours``, and German notices.

Source: OpenStreetMap wiki, Key:opening_hours/specification; the part of it that car parks use.
"""

import re
from dataclasses import replace
from typing import Final

from city.errors import Invalid
from parking.rules.places.times import DAY_MINUTES, TimeSpan

_DAY_NAMES: Final = {
    **{name: index for index, name in enumerate(("mo", "tu", "we", "th", "fr", "sa", "su"))},
    **{name: index for index, name in enumerate(("mo", "di", "mi", "do", "fr", "sa", "so"))},
    **{
        name: index
        for index, name in enumerate(
            ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        )
    },
    **{name: index for index, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))},
}
_DAY: Final = r"(?:mo|tu|we|th|fr|sa|su|di|mi|do|so|ph|feiertag)"
_DAYS: Final = rf"{_DAY}(?:\s*(?:-|,|&)\s*{_DAY})*"
_TIME: Final = r"\d{1,2}(?:[:.]\d{2})?"
_RANGE: Final = rf"{_TIME}\s*-\s*{_TIME}"
_RULE: Final = re.compile(
    rf"^(?:(?P<days>{_DAYS})\s*:?\s*)?(?P<times>off|closed|{_RANGE}(?:\s*,\s*{_RANGE})*)"
    r"\s*(?:uhr|h)?$"
)
_NOTICE: Final = re.compile(
    rf"(?:\b(?P<days>{_DAYS})[\s_]*)(?P<times>{_RANGE})(?=\s*(?:uhr|h\b)|[^\d€:.,]|$)"
)
_GERMAN_DAYS: Final = (
    (re.compile(r"t(?:ä|ae)glich"), "mo-su"),
    (re.compile(r"werktags"), "mo-sa"),
    (re.compile(r"\bvon\b"), ""),
    (re.compile(r"\bbis\b"), "-"),
)
HOLIDAY: Final = -1


def day_index(name: str) -> int:
    """Give a day of the week by its name, English or German, long or short; Monday is 0.

    Raises
    ------
    KeyError
        On no such name.
    """
    return _DAY_NAMES[name.strip().lower()]


def read_opening_hours(text: str, field: str) -> tuple[TimeSpan, ...]:
    """Read ``opening_hours``: no span at all means always.

    A later part overrides an earlier one for its days, as OpenStreetMap has it.

    Raises
    ------
    Invalid
        On what is not understood: hours are never guessed.
    """
    wanted = _plain(text)
    if wanted in {"24/7", "24h", "0-24", "00:00-24:00", "mo-su 00:00-24:00", "mo-so 00:00-24:00"}:
        return ()
    spans: list[TimeSpan] = []
    holidays_off = False
    for part in re.split(r"\s*;\s*", wanted.strip(" ;")):
        found = _RULE.fullmatch(part)
        if found is None:
            raise Invalid(f"is no opening hours that are understood: {part[:40]!r}", field=field)
        days, holiday = _days(found["days"])
        off = found["times"] in {"off", "closed"}
        if holiday and off:
            holidays_off = True
        if days or not holiday:
            spans = [left for span in spans if (left := _without(span, days)) is not None]
            if not off:
                spans.append(TimeSpan(days=days, windows=_windows(found["times"], field)))
        if holiday and not off:
            spans = [
                replace(span, holidays="except") if span.holidays == "any" else span
                for span in spans
            ]
            spans.append(TimeSpan(holidays="only", windows=_windows(found["times"], field)))
    if holidays_off:
        spans = [replace(span, holidays="except") for span in spans]
    if not spans:
        raise Invalid("leaves no time open", field=field)
    return tuple(spans)


def hours_in(text: str) -> tuple[TimeSpan, ...]:
    """Find the hours in a notice, such as ``Mo-Fr_7-18/Sa_7-12`` or ``Mo-Sa_9-18h;1,00€/h``.

    What is no hours is left to people; a notice without any gives no span.
    """
    spans = []
    for found in _NOTICE.finditer(_plain(text).replace("_", " ")):
        days, holiday = _days(found["days"])
        try:
            windows = _windows(found["times"], "hours")
        except Invalid:
            continue
        if days:
            spans.append(TimeSpan(days=days, windows=windows))
        if holiday:
            spans.append(TimeSpan(holidays="only", windows=windows))
    return tuple(spans)


def _plain(text: str) -> str:
    wanted = " ".join(text.strip().lower().replace("–", "-").replace("—", "-").split())
    for pattern, plain in _GERMAN_DAYS:
        wanted = pattern.sub(plain, wanted)
    return wanted


def _days(text: str | None) -> tuple[frozenset[int], bool]:
    """Read days; an empty set stands for all of them."""
    if text is None:
        return frozenset(), False
    days: set[int] = set()
    holiday = False
    for part in re.split(r"\s*[,&]\s*", text):
        first, _, last = (each.strip() for each in part.partition("-"))
        if first in {"ph", "feiertag"}:
            holiday = True
            continue
        start = _DAY_NAMES[first]
        end = _DAY_NAMES[last] if last else start
        days |= {day % 7 for day in range(start, end + (8 if end < start else 1))}
    return (frozenset() if len(days) == 7 else frozenset(days)), holiday  # noqa: PLR2004 - a week


def _without(span: TimeSpan, days: frozenset[int]) -> TimeSpan | None:
    if span.holidays == "only":
        return span
    left = (span.days or frozenset(range(7))) - (days or frozenset(range(7)))
    return replace(span, days=left) if left else None


def _windows(text: str, field: str) -> tuple[tuple[int, int], ...]:
    windows = []
    for part in text.split(","):
        first, last = (_minutes(each.strip(), field) for each in part.split("-"))
        if first >= DAY_MINUTES:
            raise Invalid("must begin within the day", field=field)
        # 26:00 is two in the morning of the next day.
        windows.append((first, last if 0 < last <= DAY_MINUTES else (last % DAY_MINUTES) or 1440))
        if windows[-1][0] == windows[-1][1]:
            raise Invalid("must last", field=field)
    whole = windows == [(0, DAY_MINUTES)]
    return () if whole else tuple(windows)


def _minutes(text: str, field: str) -> int:
    hours, _, minutes = text.replace(".", ":").partition(":")
    total = int(hours) * 60 + int(minutes or 0)
    if int(minutes or 0) >= 60 or total > 2 * DAY_MINUTES:  # noqa: PLR2004 - an hour's minutes
        raise Invalid(f"must be times of day: {text!r}", field=field)
    return total


_DURATION: Final = re.compile(
    r"^(?P<number>\d+(?:[.,]\d+)?)\s*(?P<unit>min(?:ute)?(?:n|s)?\.?|h|std\.?|stunden?|hours?|分钟|小时)?$"
)
_ISO_DURATION: Final = re.compile(
    r"^P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?$"
)


def read_stay_min(value: object, field: str) -> int | None:
    """Read a longest stay in minutes: 120, ``"120"``, ``"2 Std."``, ``"PT2H"``; None for none.

    Raises
    ------
    Invalid
        On anything else.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Invalid("must be minutes", field=field)
    text = str(value).strip()
    iso = _ISO_DURATION.fullmatch(text.upper())
    plain = _DURATION.fullmatch(text.lower())
    minutes = 0.0
    if iso is not None and len(text) > 2:  # noqa: PLR2004 - more than 'PT'
        part = {name: int(digits or 0) for name, digits in iso.groupdict().items()}
        minutes = part["days"] * 1440 + part["hours"] * 60 + part["minutes"] + part["seconds"] / 60
    elif plain is not None:
        hours = (plain["unit"] or "min")[0] in "hs小"
        minutes = float(plain["number"].replace(",", ".")) * (60 if hours else 1)
    if not 0 < minutes <= 525_600:  # noqa: PLR2004 - a year
        raise Invalid("must be a time, 1 minute to a year", field=field)
    return max(1, round(minutes))
