"""How two plans of the same signals differ, one fact at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

from signals.rules.life.parts import Stage, stages_of
from signals.rules.model.plans import Programme

_TINY_S = 1e-6


class What(StrEnum):
    """What a difference is about."""

    ADDED = "added"
    REMOVED = "removed"
    CYCLE = "cycle"
    OFFSET = "offset"
    CONTROL = "control"
    GREEN = "green"
    CHANGE = "change"
    """What lies between two stages."""
    STAGES = "stages"
    """Other stages, or in another order."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact that two plans do not share; seconds, or words of the plan."""

    signal: str
    what: What
    stage: int | None
    """Number of the stage, from 1."""
    before: float | str | None
    after: float | str | None

    def as_json(self) -> dict[str, JsonValue]:
        """Give its document."""
        return {
            "signal": self.signal,
            "what": self.what.value,
            "stage": self.stage,
            "before": self.before,
            "after": self.after,
        }


def differences(
    before: Mapping[str, Programme], after: Mapping[str, Programme]
) -> tuple[Difference, ...]:
    """Compare plans by signal, in the order of what comes after."""
    found: list[Difference] = []
    for name in dict.fromkeys([*after, *before]):
        old, new = before.get(name), after.get(name)
        if old is None and new is not None:
            found.append(Difference(name, What.ADDED, None, None, new.name))
        elif new is None and old is not None:
            found.append(Difference(name, What.REMOVED, None, old.name, None))
        elif old is not None and new is not None:
            found.extend(_of_one(name, old, new))
    return tuple(found)


def _of_one(name: str, old: Programme, new: Programme) -> Iterator[Difference]:
    if old.control != new.control:
        yield Difference(name, What.CONTROL, None, old.control, new.control)
    if _differ(old.cycle_s, new.cycle_s):
        yield Difference(name, What.CYCLE, None, old.cycle_s, new.cycle_s)
    if _differ(old.offset_s, new.offset_s):
        yield Difference(name, What.OFFSET, None, old.offset_s, new.offset_s)
    was, will = stages_of(old), stages_of(new)
    if [frozenset(each.groups) for each in was] != [frozenset(each.groups) for each in will]:
        yield Difference(name, What.STAGES, None, _words(was), _words(will))
        return
    for number, (first, second) in enumerate(zip(was, will, strict=True), 1):
        if _differ(first.green_s, second.green_s):
            yield Difference(name, What.GREEN, number, first.green_s, second.green_s)
        if _differ(first.change_s, second.change_s):
            yield Difference(name, What.CHANGE, number, first.change_s, second.change_s)


def _differ(one_s: float, other_s: float) -> bool:
    return abs(one_s - other_s) > _TINY_S


def _words(stages: tuple[Stage, ...]) -> str:
    return " | ".join("+".join(stage.groups) for stage in stages)
