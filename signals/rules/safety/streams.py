"""Rules on two signal groups at once: conflicting greens, intergreen, all-red, yellow trap."""

from collections.abc import Iterator
from dataclasses import dataclass

from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import (
    GREENS,
    OFF,
    PROTECTED,
    YELLOWS,
    Aspect,
)
from signals.rules.model.junction import Turn
from signals.rules.model.plans import Run
from signals.rules.safety.case import (
    EPS,
    Case,
    Findings,
    Shown,
    is_steady_green,
    yellow_after_s,
)
from signals.rules.safety.clearing import Pair
from signals.rules.safety.profiles import Rule

_GIVES_WAY = frozenset({Aspect.TURN_ON_RED, Aspect.FLASHING_YELLOW})


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a group claims in one interval."""

    going: bool
    clearing: bool
    """Yellow: the last of its green are still passing."""
    protected: bool
    gives_way: bool
    """To everybody, whatever the priorities."""
    off: bool = False
    """Dark or flashing yellow: signs hold."""


def check_conflicts(case: Case, shown: Shown, found: Findings) -> None:
    """Find greens that must not be shown together, and greens against a yellow that still clears.

    Two greens may be shown together where one is permissive and gives way to the other in every
    conflict; a turn on red gives way to everybody.
    """
    claims = [list(_claims(shown, group)) for group in range(len(case.groups))]
    starts_s = shown.programme.starts_s
    for pair in case.pairs:
        if pair.one > pair.other:
            continue
        first_s, total_s, yellow = None, 0.0, True
        for place, interval in enumerate(shown.intervals):
            one, other = claims[pair.one][place], claims[pair.other][place]
            if _compatible(one, other, pair):
                continue
            first_s = starts_s[place] if first_s is None else first_s
            total_s += interval.duration_s
            yellow = yellow and (one.clearing or other.clearing)
        if first_s is None:
            continue
        kind = "merge" if pair.merging else "cross"
        how = "one is green while the other still clears on yellow" if yellow else "both are green"
        if not yellow and pair.settled:
            how = "both are green and neither gives way"
        found.add(
            Rule.CONFLICT,
            (pair.one, pair.other),
            f"{case.groups[pair.one].says} and {case.groups[pair.other].says} {kind}, and {how}",
            at_s=first_s,
            shown=total_s,
            required=0.0,
        )
    _check_inside(case, shown, found)


def _check_inside(case: Case, shown: Shown, found: Findings) -> None:
    """Find movements of one group that conflict with neither giving way."""
    place = {fact.name: index for index, fact in enumerate(case.groups)}
    for conflict in case.junction.conflicts:
        first = case.junction.by_name[conflict.first]
        second = case.junction.by_name[conflict.second]
        inside = first.group == second.group and conflict.kind.value != "close"
        if not inside or conflict.first_yields or conflict.second_yields:
            continue
        group = place[first.group]
        for run in shown.greens[group]:
            found.add(
                Rule.CONFLICT,
                (group,),
                f"{case.groups[group].says}: one group releases {first.name} and {second.name},"
                " which conflict, and neither gives way",
                at_s=run.start_s,
                shown=run.duration_s,
                required=0.0,
            )


def _claims(shown: Shown, group: int) -> Iterator[_Claim]:
    count = len(shown.intervals)
    for place in range(count):
        aspect = shown.aspect(group, place)
        if aspect in YELLOWS:
            before = place
            while shown.aspect(group, before) in YELLOWS and before > place - count:
                if before == 0 and not shown.cyclic:
                    break
                before -= 1
            # A yellow that follows no green lets nobody pass.
            ended = shown.aspect(group, before)
            yield _Claim(False, ended in GREENS, ended in PROTECTED, False)  # noqa: FBT003 - fields in order
        else:
            yield _Claim(
                aspect in GREENS or aspect in OFF or aspect in _GIVES_WAY,
                False,  # noqa: FBT003 - fields in order
                aspect in PROTECTED,
                aspect in _GIVES_WAY,
                aspect in OFF,
            )


def _compatible(one: _Claim, other: _Claim, pair: Pair) -> bool:
    if not (one.going or other.going):
        return True
    if not ((one.going or one.clearing) and (other.going or other.clearing)):
        return True
    if one.gives_way or other.gives_way or (one.off and other.off):
        return True
    return _settled(pair, one_gives=not one.protected, other_gives=not other.protected)


def _settled(pair: Pair, *, one_gives: bool, other_gives: bool) -> bool:
    """Say whether somebody gives way in every conflict, by who is permissive."""
    if one_gives and other_gives:
        return pair.settled
    return (one_gives and pair.yields) or (other_gives and pair.yielded_to)


def check_intergreens(case: Case, shown: Shown, found: Findings) -> None:
    """Find conflicting greens that follow each other too soon.

    For every end of a group's green: the time until the next group claims the way, against the
    yellow and the clearing time of the two (``clearing``), and against the profile's all-red.
    """
    for pair in case.pairs:
        fact = case.groups[pair.one]
        walks = fact.kind is GroupKind.PEDESTRIAN
        if walks and case.profile.flash_counts:
            continue
        for run in shown.greens[pair.one]:
            if shown.whole(run):
                continue
            gap_s = _gap_s(shown, pair, run)
            if gap_s is None:
                continue
            if walks:
                _check_walkers(case, shown, found, pair=pair, run=run, gap_s=gap_s)
            else:
                _check_gap(case, shown, found, pair=pair, run=run, gap_s=gap_s)


def _check_gap(
    case: Case, shown: Shown, found: Findings, *, pair: Pair, run: Run, gap_s: float
) -> None:
    yellow_s = yellow_after_s(shown, pair.one, run)
    says = f"{case.groups[pair.one].says}, then {case.groups[pair.other].says}"
    end_s = (run.start_s + run.duration_s) % shown.programme.cycle_s
    needed_s = yellow_s + pair.clear_s
    if gap_s < needed_s - EPS:
        found.add(
            Rule.INTERGREEN,
            (pair.one, pair.other),
            f"{says}: too soon for the last to have cleared",
            at_s=end_s,
            shown=gap_s,
            required=needed_s,
        )
    if gap_s - yellow_s < case.profile.all_red_s - EPS:
        found.add(
            Rule.ALL_RED,
            (pair.one, pair.other),
            f"{says}: without enough red for both in between",
            at_s=end_s,
            shown=max(gap_s - yellow_s, 0.0),
            required=case.profile.all_red_s,
        )


def _check_walkers(
    case: Case, shown: Shown, found: Findings, *, pair: Pair, run: Run, gap_s: float
) -> None:
    flashing_s, place = 0.0, run.first + run.count - 1
    while place >= run.first and not is_steady_green(shown.aspect(pair.one, place)):
        flashing_s += shown.least_s(place)
        place -= 1
    if flashing_s + gap_s < pair.clear_s - EPS:
        found.add(
            Rule.CLEARANCE,
            (pair.one, pair.other),
            f"{case.groups[pair.one].says}, then {case.groups[pair.other].says}: who entered last"
            " is still on the crossing",
            at_s=(run.start_s + run.duration_s - flashing_s) % shown.programme.cycle_s,
            shown=flashing_s + gap_s,
            required=pair.clear_s,
        )


def _gap_s(shown: Shown, pair: Pair, run: Run) -> float | None:
    """Give the time from the end of a green until the other claims the way.

    None where the first is green again before, or the other had the way already: their greens
    overlap, which the rule on conflicting greens judges.
    """
    last = run.first + run.count - 1
    gives = shown.aspect(pair.one, last) not in PROTECTED
    if _claims_way(shown, pair, last, one_gives=gives):
        return None
    gone_s = 0.0
    count = len(shown.intervals)
    for place in range(last + 1, last + 1 + count):
        if not shown.cyclic and place >= count:
            return None
        if _claims_way(shown, pair, place, one_gives=gives):
            return gone_s
        if shown.aspect(pair.one, place) in GREENS:
            return None
        gone_s += shown.least_s(place)
    return None


def _claims_way(shown: Shown, pair: Pair, place: int, *, one_gives: bool) -> bool:
    aspect = shown.aspect(pair.other, place)
    if aspect in PROTECTED:
        return True
    return aspect in GREENS and not (pair.yielded_to or (one_gives and pair.settled))


def check_yellow_trap(case: Case, shown: Shown, found: Findings) -> None:
    """Find permissive lefts that end with their own through while the opposite one goes on."""
    for pair in case.pairs:
        if not pair.left_yields:
            continue
        fact = case.groups[pair.one]
        beside = [
            index
            for index, other in enumerate(case.groups)
            if Turn.STRAIGHT in other.turns and set(other.roads) & set(fact.roads)
        ]
        for run in shown.greens[pair.one]:
            after = run.first + run.count
            if shown.whole(run) or shown.aspect(pair.one, after - 1) in PROTECTED:
                continue
            goes_on = {
                shown.aspect(pair.other, after - 1),
                shown.aspect(pair.other, after),
            } <= GREENS
            ends = any(
                shown.aspect(other, after - 1) in GREENS
                and shown.aspect(other, after) not in GREENS
                for other in beside
            )
            if goes_on and ends:
                found.add(
                    Rule.YELLOW_TRAP,
                    (pair.one, pair.other),
                    f"{fact.says} sees yellow and takes it that {case.groups[pair.other].says}"
                    " stops too, which stays green",
                    at_s=(run.start_s + run.duration_s) % shown.programme.cycle_s,
                )
