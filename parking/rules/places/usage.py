"""What a kerb or bay may be used for at an instant: rules by time and user, by priority.

Source: CurbLR specification 1.1, Rule, UserClasses and Priority: a rule for some users implies
its opposite for everybody else; standing or loading implies no parking; of the rules in force the
one of the highest priority decides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from pydantic import JsonValue

from city.errors import Invalid
from parking.rules.places.times import TimeSpan, hold, read_spans

Activity = Literal["parking", "no_parking", "standing", "no_standing", "loading", "no_loading"]
ACTIVITIES: Final[tuple[Activity, ...]] = get_args(Activity)
NORMAL: Final = 100
"""Priority of a rule that states none; a lower number prevails."""
MOST_RULES: Final = 50
_MOST_PRIORITY: Final = 1_000
_MOST_USERS: Final = 40
_LONGEST_USER: Final = 64
_LONGEST_STAY_MIN: Final = 525_600


@dataclass(frozen=True, slots=True)
class UseRule:
    """What somebody may, or may not, do somewhere at some times.

    Parameters
    ----------
    activity : Activity
        Permitted, or with ``no_`` forbidden.
    spans : tuple of TimeSpan
        When; empty for always.
    users : tuple of str
        Classes of users that it is about; empty for everybody.
    max_stay_min, no_return_min : int or None
        Longest use, and how long to stay away after it.
    paid : bool
        Whether it has a price: the tariff's business, shown here.
    reason : str
        Why: ``market``, ``street cleaning``, ``tidal``, ``construction``, or a file's own words.
    priority : int
        Of rules in force at once the lowest prevails.

    Raises
    ------
    Invalid
        On a member out of range.
    """

    activity: Activity
    spans: tuple[TimeSpan, ...] = ()
    users: tuple[str, ...] = ()
    max_stay_min: int | None = None
    no_return_min: int | None = None
    paid: bool = False
    reason: str = ""
    priority: int = NORMAL

    def __post_init__(self) -> None:
        if self.activity not in ACTIVITIES:
            raise Invalid(f"must be one of {', '.join(ACTIVITIES)}", field="activity")
        for name, minutes in (
            ("max_stay_min", self.max_stay_min),
            ("no_return_min", self.no_return_min),
        ):
            if minutes is not None and not 0 < minutes <= _LONGEST_STAY_MIN:
                raise Invalid("must be minutes, 1 to a year", field=name)
        if not 0 <= self.priority <= _MOST_PRIORITY:
            raise Invalid(f"must be 0 to {_MOST_PRIORITY}", field="priority")
        if len(self.users) > _MOST_USERS or any(
            not 0 < len(each) <= _LONGEST_USER for each in self.users
        ):
            raise Invalid(f"must be at most {_MOST_USERS} names", field="users")

    @property
    def permits(self) -> bool:
        """Whether it says what may be done, rather than what may not."""
        return not self.activity.startswith("no_")

    def as_json(self) -> dict[str, JsonValue]:
        """Give the form in which it is kept and shown."""
        kept: dict[str, JsonValue] = {"activity": self.activity}
        if self.spans:
            kept["when"] = [span.as_json() for span in self.spans]
        if self.users:
            kept["users"] = list(self.users)
        if self.max_stay_min is not None:
            kept["max_stay_min"] = self.max_stay_min
        if self.no_return_min is not None:
            kept["no_return_min"] = self.no_return_min
        if self.paid:
            kept["paid"] = True
        if self.reason:
            kept["reason"] = self.reason
        if self.priority != NORMAL:
            kept["priority"] = self.priority
        return kept


@dataclass(frozen=True, slots=True)
class Usage:
    """Whether somebody may park at an instant, and by which rule; None: no rule is in force."""

    allowed: bool
    rule: UseRule | None

    @property
    def reason(self) -> str:
        """Say why not, in the rule's words; empty where it is allowed."""
        if self.allowed or self.rule is None:
            return ""
        return self.rule.reason or self.rule.activity


UNREGULATED: Final = Usage(allowed=True, rule=None)


def usage(
    rules: Sequence[UseRule],
    at: datetime,
    users: Iterable[str] = (),
    periods: Iterable[str] = (),
) -> Usage:
    """Decide whether a vehicle may be left somewhere at a local instant.

    Parameters
    ----------
    rules
        Those of the bay, its zone and its facility together.
    at
        Local time.
    users
        Classes that the vehicle or its driver belongs to, such as ``disabled``; none for the
        public.
    periods
        Declared periods that are on.

    Notes
    -----
    A bay without a rule in force may be used: it is marked as a bay. On one level of priority a
    rule for the asker's own class prevails over one for everybody, and that over a rule for
    others; a prohibition for others says nothing to the asker.
    """
    mine = frozenset(users)
    on = tuple(periods)
    live = [rule for rule in rules if hold(rule.spans, at, on)]
    for level in sorted({rule.priority for rule in live}):
        here = [rule for rule in live if rule.priority == level]
        for about in (
            [rule for rule in here if mine.intersection(rule.users)],
            [rule for rule in here if not rule.users],
        ):
            # Where signs of one level contradict each other, the prohibition is what is enforced.
            decided = min(about, key=_lenient, default=None)
            if decided is not None and decided.activity != "no_loading":
                return Usage(decided.activity == "parking", decided)
        others = next((rule for rule in here if rule.users and rule.permits), None)
        if others is not None:
            return Usage(allowed=False, rule=others)
    return UNREGULATED


def _lenient(rule: UseRule) -> int:
    order = ("no_standing", "no_parking", "standing", "loading", "parking", "no_loading")
    return order.index(rule.activity)


_KNOWN: Final = frozenset(
    {"activity", "when", "users", "max_stay_min", "no_return_min", "paid", "reason", "priority"}
)


def read_rules(value: JsonValue, field: str = "rules") -> tuple[UseRule, ...]:
    """Read rules in the form that `UseRule.as_json` gives.

    Raises
    ------
    Invalid
        Naming the member, such as ``rules[0].activity``.
    """
    if not isinstance(value, list):
        raise Invalid("must be a list of rules", field=field)
    if len(value) > MOST_RULES:
        raise Invalid(f"must be at most {MOST_RULES} rules", field=field)
    return tuple(_rule(each, f"{field}[{index}]") for index, each in enumerate(value))


def _rule(value: JsonValue, field: str) -> UseRule:
    if not isinstance(value, dict):
        raise Invalid("must be an object", field=field)
    unknown = sorted(set(value) - _KNOWN)
    if unknown:
        raise Invalid("is not a member of a rule", field=f"{field}.{unknown[0][:40]}")
    activity = value.get("activity")
    known = next((each for each in ACTIVITIES if each == activity), None)
    if known is None:
        raise Invalid(f"must be one of {', '.join(ACTIVITIES)}", field=f"{field}.activity")
    users = value.get("users", [])
    if not isinstance(users, list) or not all(isinstance(each, str) for each in users):
        raise Invalid("must be a list of texts", field=f"{field}.users")
    reason = value.get("reason", "")
    if not isinstance(reason, str) or len(reason) > 200:  # noqa: PLR2004 - a line
        raise Invalid("must be a text of at most 200 characters", field=f"{field}.reason")
    paid = value.get("paid", False)
    if not isinstance(paid, bool):
        raise Invalid("must be true or false", field=f"{field}.paid")
    priority = _number(value.get("priority"), f"{field}.priority")
    spans = read_spans(value.get("when", []), f"{field}.when")
    try:
        return UseRule(
            known,
            spans,
            tuple(str(each) for each in users),
            _number(value.get("max_stay_min"), f"{field}.max_stay_min"),
            _number(value.get("no_return_min"), f"{field}.no_return_min"),
            paid,
            reason,
            NORMAL if priority is None else priority,
        )
    except Invalid as error:
        raise Invalid(error.message, field=f"{field}.{error.field}") from None


def _number(value: JsonValue, field: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid("must be a whole number", field=field)
    return value
