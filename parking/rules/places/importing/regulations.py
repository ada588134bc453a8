"""CurbLR's regulations, read into rules.

Source: CurbLR specification 1.1.0, Regulation, Rule, TimeSpan, UserClass; names of 1.0 as well.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import JsonValue

from city.errors import Invalid
from parking.rules.places.importing.hours import day_index
from parking.rules.places.importing.stated import Faulty
from parking.rules.places.importing.words import text_of
from parking.rules.places.times import LAST, HolidayRule, TimeSpan, read_window
from parking.rules.places.usage import ACTIVITIES, NORMAL, UseRule

MOST_REGULATIONS: Final = 30
_HOLIDAYS: Final = frozenset({"holiday", "holidays", "public holidays", "federal holidays"})
_OCCURRENCES: Final = {"1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5, "last": LAST}
_SIZES: Final = ("maxHeight", "minHeight", "maxLength", "minLength", "maxWeight", "minWeight")


def read_regulations(
    value: JsonValue, hierarchy: Sequence[str] | None
) -> tuple[tuple[UseRule, ...], tuple[str, ...]]:
    """Read a feature's regulations, and what the file calls each.

    Parameters
    ----------
    value
        The member ``regulations``.
    hierarchy
        The manifest's ``priorityHierarchy``, strongest first; None where it has none.

    Raises
    ------
    Faulty
        Naming the member and the rule.
    """
    if not isinstance(value, list) or not value:
        raise Faulty("must be a list of at least one", field="regulations")
    if len(value) > MOST_REGULATIONS:
        raise Faulty(f"must be at most {MOST_REGULATIONS}", field="regulations")
    rules: list[UseRule] = []
    fields: list[str] = []
    for number, each in enumerate(value):
        field = f"regulations[{number}]"
        if not isinstance(each, dict):
            raise Faulty("must be an object", field=field)
        rules.append(_rule(each, field, hierarchy))
        fields.append(field)
    return tuple(rules), tuple(fields)


def _rule(
    regulation: Mapping[str, JsonValue], field: str, hierarchy: Sequence[str] | None
) -> UseRule:
    rule = regulation.get("rule")
    if not isinstance(rule, dict):
        raise Faulty("must be an object", field=f"{field}.rule")
    stated = text_of(rule.get("activity"), f"{field}.rule.activity") or ""
    wanted = stated.lower().replace(" ", "_")
    activity = next((each for each in ACTIVITIES if each == wanted), None)
    if activity is None:
        allowed = ", ".join(each.replace("_", " ") for each in ACTIVITIES)
        raise Faulty(f"must be one of {allowed}", field=f"{field}.rule.activity")
    paid = rule.get("payment", False)
    category = text_of(rule.get("priorityCategory"), f"{field}.rule.priorityCategory")
    try:
        return UseRule(
            activity,
            _spans(regulation.get("timeSpans"), f"{field}.timeSpans"),
            _users(regulation.get("userClasses"), f"{field}.userClasses"),
            _minutes(rule.get("maxStay"), f"{field}.rule.maxStay"),
            _minutes(rule.get("noReturn"), f"{field}.rule.noReturn"),
            paid if isinstance(paid, bool) else str(paid).lower() in {"true", "yes"},
            (text_of(rule.get("reason"), f"{field}.rule.reason") or category or "").lower(),
            _priority(regulation, category, field, hierarchy),
        )
    except Faulty:
        raise
    except Invalid as error:
        raise Faulty(error.message, field=f"{field}.{error.field}") from None


def _priority(
    regulation: Mapping[str, JsonValue],
    category: str | None,
    field: str,
    hierarchy: Sequence[str] | None,
) -> int:
    number = regulation.get("priority")
    if category is None or hierarchy is None:
        # Version 1.0: 1 (critical) to 4 (normal).
        if number is None:
            return NORMAL
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 9:  # noqa: PLR2004 - levels
            raise Faulty("must be 1 to 4", field=f"{field}.priority")
        return number
    if category.lower() not in hierarchy:
        raise Faulty(
            f"{category!r} is not in the manifest's priorityHierarchy",
            field=f"{field}.rule.priorityCategory",
        )
    return hierarchy.index(category.lower())


def _minutes(value: JsonValue, field: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise Faulty("must be whole minutes", field=field)
    if value <= 0:
        raise Faulty("must be at least 1 minute", field=field)
    return int(value)


def _objects(value: JsonValue, field: str) -> list[dict[str, JsonValue]]:
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(each, dict) for each in items):
        raise Faulty("must be a list of objects", field=field)
    return [each for each in items if isinstance(each, dict)]


def _users(value: JsonValue, field: str) -> tuple[str, ...]:
    """Read for whom a regulation is; an empty class is everybody."""
    users: list[str] = []
    for number, each in enumerate(_objects(value, field)):
        where = f"{field}[{number}]"
        classes = _names(each.get("classes", each.get("class")), f"{where}.classes")
        subclasses = _names(each.get("subclasses"), f"{where}.subclasses")
        sizes = [
            f"{name.lower()}={size:g}"
            for name in _SIZES
            if isinstance(size := each.get(name), int | float) and not isinstance(size, bool)
        ]
        named = [f"{c}:{s}" for c in classes for s in subclasses] if subclasses else classes
        if classes and sizes:
            named = [f"{name};{';'.join(sizes)}" for name in named]
        users += named or (subclasses or [])
        users += [] if classes else sizes
    return tuple(dict.fromkeys(user[:64] for user in users))


def _names(value: JsonValue, field: str) -> list[str]:
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str) and each.strip() for each in items):
        raise Faulty("must be a list of texts", field=field)
    return [str(each).strip().lower() for each in items]


def _spans(value: JsonValue, field: str) -> tuple[TimeSpan, ...]:
    spans = [
        _span(each, f"{field}[{number}]") for number, each in enumerate(_objects(value, field))
    ]
    # A span without a clause is always, whatever the others say.
    return () if TimeSpan() in spans else tuple(spans)


def _span(value: Mapping[str, JsonValue], field: str) -> TimeSpan:
    days, occurrences = _days(value.get("daysOfWeek"), f"{field}.daysOfWeek")
    windows = []
    for number, each in enumerate(_objects(value.get("timesOfDay"), f"{field}.timesOfDay")):
        start, end = _ends(each, f"{field}.timesOfDay[{number}]")
        try:
            windows.append(read_window(start, end, "timesOfDay"))
        except Invalid as error:
            raise Faulty(error.message, field=f"{field}.timesOfDay[{number}]") from None
    dates = tuple(
        _ends(each, f"{field}.effectiveDates[{number}]")
        for number, each in enumerate(
            _objects(value.get("effectiveDates"), f"{field}.effectiveDates")
        )
    )
    holidays, only, besides = _periods(value.get("designatedPeriods"), f"{field}.designatedPeriods")
    month_days = value.get("daysOfMonth")
    listed = month_days if isinstance(month_days, list) else [month_days] if month_days else []
    whole = [window for window in windows if window != (0, 24 * 60)]
    try:
        return TimeSpan(
            days=days,
            occurrences=occurrences,
            month_days=tuple(str(each).strip().lower() for each in listed),
            windows=tuple(whole) if len(whole) == len(windows) else (),
            dates=dates,
            holidays=holidays,
            only_during=only,
            except_during=besides,
        )
    except Invalid as error:
        raise Faulty(error.message, field=f"{field}.{error.field}") from None


def _ends(value: Mapping[str, JsonValue], field: str) -> tuple[str, str]:
    """Read ``from`` and ``to``, which version 1.0 calls ``until``."""
    start, end = value.get("from"), value.get("to", value.get("until"))
    if not isinstance(start, str) or not isinstance(end, str):
        raise Faulty("must carry from and to", field=field)
    return start.strip(), end.strip()


def _days(value: JsonValue, field: str) -> tuple[frozenset[int], tuple[int, ...]]:
    if value is None:
        return frozenset(), ()
    members = value if isinstance(value, dict) else {"days": value}
    try:
        days = frozenset(day_index(each) for each in _names(members.get("days"), f"{field}.days"))
    except KeyError as error:
        raise Faulty(f"is no day of the week: {error.args[0]!r}", field=f"{field}.days") from None
    stated = members.get("occurrencesInMonth", members.get("occurrences_in_month"))
    listed = stated if isinstance(stated, list) else [stated] if stated is not None else []
    occurrences = []
    for each in listed:
        found = each if isinstance(each, int) else _OCCURRENCES.get(str(each).strip().lower())
        if found is None or isinstance(each, bool):
            raise Faulty("must be 1st to 5th, or last", field=f"{field}.occurrencesInMonth")
        occurrences.append(found)
    return (frozenset() if len(days) == 7 else days), tuple(occurrences)  # noqa: PLR2004 - a week


def _periods(value: JsonValue, field: str) -> tuple[HolidayRule, frozenset[str], frozenset[str]]:
    holidays: HolidayRule = "any"
    only: set[str] = set()
    besides: set[str] = set()
    for number, each in enumerate(_objects(value, field)):
        where = f"{field}[{number}]"
        name = (text_of(each.get("name"), f"{where}.name") or "").lower()
        apply = (text_of(each.get("apply"), f"{where}.apply") or "").lower().replace("_", " ")
        if not name or apply not in {"only during", "except during"}:
            raise Faulty("must carry a name, and apply: only during or except during", field=where)
        if name in _HOLIDAYS:
            holidays = "only" if apply == "only during" else "except"
        elif apply == "only during":
            only.add(name)
        else:
            besides.add(name)
    return holidays, frozenset(only), frozenset(besides)
