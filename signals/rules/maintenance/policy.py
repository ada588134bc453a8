"""Within what time work is to be done, and which faults raise it by themselves: data, in versions.

The limits are ours, from practice, until an authority states its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from city.errors import Invalid
from signals.rules.live.alarms import Code

MOST_MIN: Final = 366 * 24 * 60


class Kind(StrEnum):
    """What is to be worked on."""

    CONTROLLER = "controller"
    LAMP = "lamp"
    DETECTOR = "detector"
    LINE = "line"
    CLOCK = "clock"
    POWER = "power"
    CABINET = "cabinet"
    OTHER = "other"


class Priority(StrEnum):
    """How soon."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Limits:
    """Within how many minutes: taken, mended since it was raised, looked over since it was done."""

    respond_min: int
    mend_min: int
    check_min: int

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not 1 <= getattr(self, name) <= MOST_MIN:
                raise Invalid(f"must be 1 to {MOST_MIN}", field=name)
        if self.mend_min < self.respond_min:
            raise Invalid("work cannot be done before it is taken", field="mend_min")


@dataclass(frozen=True, slots=True)
class Lasting:
    """An alarm that is open so long raises work."""

    after_min: int
    kind: Kind
    priority: Priority

    def __post_init__(self) -> None:
        if not 1 <= self.after_min <= MOST_MIN:
            raise Invalid(f"must be 1 to {MOST_MIN}", field="after_min")

    @property
    def after(self) -> timedelta:
        """How long the alarm has to be open."""
        return timedelta(minutes=self.after_min)


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits by priority, every one, and what lasts too long by an alarm's code."""

    limits: Mapping[Priority, Limits]
    lasting: Mapping[Code, Lasting]

    def __post_init__(self) -> None:
        missing = [each.value for each in Priority if each not in self.limits]
        if missing:
            raise Invalid(f"has no limits for {', '.join(missing)}", field="limits")


STANDARD: Final = Policy(
    {
        Priority.URGENT: Limits(30, 4 * 60, 24 * 60),
        Priority.HIGH: Limits(2 * 60, 24 * 60, 2 * 24 * 60),
        Priority.NORMAL: Limits(24 * 60, 3 * 24 * 60, 7 * 24 * 60),
        Priority.LOW: Limits(3 * 24 * 60, 14 * 24 * 60, 14 * 24 * 60),
    },
    {
        Code.FLASHING: Lasting(10, Kind.CONTROLLER, Priority.URGENT),
        Code.CONTROLLER_SILENT: Lasting(30, Kind.LINE, Priority.HIGH),
        Code.LAMP_FAULT: Lasting(10, Kind.LAMP, Priority.URGENT),
        Code.DOOR_OPEN: Lasting(60, Kind.CABINET, Priority.HIGH),
        Code.CABINET_FAULT: Lasting(30, Kind.CONTROLLER, Priority.HIGH),
        Code.CLOCK_AHEAD: Lasting(60, Kind.CLOCK, Priority.NORMAL),
        Code.CLOCK_OFF: Lasting(60, Kind.CLOCK, Priority.NORMAL),
        Code.DETECTOR_STUCK: Lasting(24 * 60, Kind.DETECTOR, Priority.NORMAL),
        Code.DETECTOR_CHATTERING: Lasting(24 * 60, Kind.DETECTOR, Priority.NORMAL),
        Code.DETECTOR_SILENT: Lasting(24 * 60, Kind.DETECTOR, Priority.NORMAL),
    },
)
"""In force until somebody sets another."""

BY_CODE: Final[Mapping[Code, tuple[Kind, Priority]]] = {
    Code.SPLIT_FAILURES: (Kind.OTHER, Priority.NORMAL),
    Code.SPILL_BACK: (Kind.OTHER, Priority.NORMAL),
    Code.FLASHING: (Kind.CONTROLLER, Priority.URGENT),
    Code.CONTROLLER_SILENT: (Kind.LINE, Priority.HIGH),
    Code.CLOCK_AHEAD: (Kind.CLOCK, Priority.NORMAL),
    Code.DETECTOR_STUCK: (Kind.DETECTOR, Priority.NORMAL),
    Code.DETECTOR_CHATTERING: (Kind.DETECTOR, Priority.NORMAL),
    Code.DETECTOR_SILENT: (Kind.DETECTOR, Priority.NORMAL),
    Code.LAMP_FAULT: (Kind.LAMP, Priority.URGENT),
    Code.DOOR_OPEN: (Kind.CABINET, Priority.HIGH),
    Code.CLOCK_OFF: (Kind.CLOCK, Priority.NORMAL),
    Code.CABINET_FAULT: (Kind.CONTROLLER, Priority.HIGH),
    Code.PLAN_NOT_TAKEN: (Kind.CONTROLLER, Priority.HIGH),
}
"""What work an alarm asks for where a person raises it in one click."""


def policy_json(policy: Policy) -> dict[str, Any]:
    """Give a policy as it is kept."""
    return {
        "limits": {
            priority.value: {name: getattr(each, name) for name in Limits.__slots__}
            for priority, each in policy.limits.items()
        },
        "lasting": {
            code.value: {
                "after_min": each.after_min,
                "kind": each.kind.value,
                "priority": each.priority.value,
            }
            for code, each in policy.lasting.items()
        },
    }


def policy_from_json(document: Mapping[str, Any]) -> Policy:
    """Read a policy back.

    Raises
    ------
    Invalid
        Where it is none.
    """
    try:
        return Policy(
            {Priority(name): Limits(**each) for name, each in document["limits"].items()},
            {
                Code(code): Lasting(
                    each["after_min"], Kind(each["kind"]), Priority(each["priority"])
                )
                for code, each in document["lasting"].items()
            },
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Invalid("is no policy", field="policy") from None
