"""Rules on one signal group: green, yellow, red, order of lamps, people on foot."""

from collections.abc import Callable
from typing import Final

from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import FLASHING, GO, GREENS, OFF, REDS, YELLOWS, Aspect
from signals.rules.model.junction import LEFTS, RIGHTS, Turn
from signals.rules.model.plans import Run, runs
from signals.rules.safety.case import (
    EPS,
    Case,
    Findings,
    GroupFacts,
    Shown,
    is_steady_green,
    yellow_after_s,
)
from signals.rules.safety.profiles import LIT, Lit, Rule

_WAITING_GAP_S: Final = 10.0


def check_groups(case: Case, shown: Shown, found: Findings) -> None:
    """Judge every group by itself; groups without a movement have no rules."""
    for group, fact in enumerate(case.groups):
        if not fact.movements:
            continue
        _check_greens(case, shown, found, group, fact)
        _check_order(case, shown, found, group, fact)
        _check_red(case, shown, found, group, fact)
        _check_turn_on_red(shown, found, group, fact)
        if fact.kind is GroupKind.PEDESTRIAN:
            _check_walkers(case, shown, found, group, fact)
    _check_waiting_areas(case, shown, found)
    _check_steady(case, shown, found)


def least_yellow_s(case: Case, fact: GroupFacts) -> float:
    """Give the yellow that a group needs by its speed."""
    if case.profile.yellow_s is None:
        return case.own_yellow_s
    if fact.kind is GroupKind.BICYCLE:
        return case.profile.bicycle_yellow_s
    return next(
        seconds for speed, seconds in case.profile.yellow_s if fact.speed_kph <= speed + 0.1
    )


def _end_s(shown: Shown, run: Run) -> float:
    return (run.start_s + run.duration_s) % shown.programme.cycle_s


def _check_greens(case: Case, shown: Shown, found: Findings, group: int, fact: GroupFacts) -> None:
    profile = case.profile
    walks = fact.kind is GroupKind.PEDESTRIAN
    for run in shown.greens[group]:
        if shown.whole(run):
            continue
        least_s = profile.least_green_s.get(fact.kind, 0.0)
        if run.least_s < least_s - EPS and not walks and not shown.cut(run):
            found.add(
                Rule.MIN_GREEN,
                (group,),
                f"{fact.says}: green is too short",
                at_s=run.start_s,
                shown=run.least_s,
                required=least_s,
            )
        if profile.most_green_s is not None and run.most_s > profile.most_green_s + EPS:
            found.add(
                Rule.MAX_GREEN,
                (group,),
                f"{fact.says}: green is too long",
                at_s=run.start_s,
                shown=run.most_s,
                required=profile.most_green_s,
            )
        if not walks and not (not shown.cyclic and _at_end(shown, run)):
            _check_yellow(case, shown, found, group, fact=fact, run=run)


def _at_end(shown: Shown, run: Run) -> bool:
    return run.first + run.count >= len(shown.intervals)


def _check_yellow(
    case: Case, shown: Shown, found: Findings, group: int, *, fact: GroupFacts, run: Run
) -> None:
    after = run.first + run.count
    if shown.aspect(group, after) in OFF:
        return
    yellow_s = yellow_after_s(shown, group, run)
    least_s = least_yellow_s(case, fact)
    if yellow_s < least_s - EPS:
        what = "yellow is too short" if yellow_s > 0 else "green ends without a yellow"
        found.add(
            Rule.YELLOW,
            (group,),
            f"{fact.says}: {what}",
            at_s=_end_s(shown, run),
            shown=yellow_s,
            required=least_s,
        )
    most_s = case.profile.most_yellow_s
    if most_s is not None and yellow_s > most_s + EPS:
        found.add(
            Rule.YELLOW,
            (group,),
            f"{fact.says}: yellow is too long",
            at_s=_end_s(shown, run),
            shown=yellow_s,
            required=most_s,
        )


def _check_order(case: Case, shown: Shown, found: Findings, group: int, fact: GroupFacts) -> None:
    allowed = case.profile.orders.get(fact.kind)
    starts_s = shown.programme.starts_s
    noted = False
    count = len(shown.intervals)
    for place in range(0 if shown.cyclic else 1, count):
        before = LIT[shown.aspect(group, place - 1)]
        now = LIT[shown.aspect(group, place)]
        if before is now:
            continue
        if allowed is not None and (before, now) not in allowed:
            found.add(
                Rule.LAMPS,
                (group,),
                f"{fact.says}: {before.value} must not be followed by {now.value}",
                at_s=starts_s[place],
            )
        elif allowed is None and (before, now) == (Lit.YELLOW, Lit.GREEN) and not noted:
            noted = True
            found.note(f"{fact.says}: yellow goes back to green without a red")


def _check_red(case: Case, shown: Shown, found: Findings, group: int, fact: GroupFacts) -> None:
    aspects = {interval.shows[group] for interval in shown.intervals}
    if not aspects & GO:
        if shown.cyclic:
            found.add(Rule.UNSERVED, (group,), f"{fact.says}: never green")
        return
    most_s = case.profile.longest_red_s
    if most_s is None or fact.kind is GroupKind.PEDESTRIAN:
        return
    for run in _stretches(shown, group, lambda aspect: aspect not in GO):
        if run.most_s > most_s + EPS:
            found.add(
                Rule.LONGEST_RED,
                (group,),
                f"{fact.says}: waits too long for its green",
                at_s=run.start_s,
                shown=run.most_s,
                required=most_s,
            )


def _stretches(shown: Shown, group: int, sort: Callable[[Aspect], bool]) -> list[Run]:
    return runs(
        shown.intervals,
        group,
        sort,
        cyclic=shown.cyclic,
        actuated=shown.programme.actuated,
    )


def _check_turn_on_red(shown: Shown, found: Findings, group: int, fact: GroupFacts) -> None:
    if fact.turns <= RIGHTS:
        return
    for run in _stretches(shown, group, lambda aspect: aspect is Aspect.TURN_ON_RED):
        found.add(
            Rule.TURN_ON_RED,
            (group,),
            f"{fact.says}: may pass at red and is no right turn",
            at_s=run.start_s,
        )


def _check_walkers(case: Case, shown: Shown, found: Findings, group: int, fact: GroupFacts) -> None:
    profile = case.profile
    for run in _stretches(shown, group, is_steady_green):
        if shown.whole(run) or shown.cut(run):
            continue
        if run.least_s < profile.least_walk_s - EPS:
            found.add(
                Rule.WALK,
                (group,),
                f"{fact.says}: too short to step off the kerb",
                at_s=run.start_s,
                shown=run.least_s,
                required=profile.least_walk_s,
            )
        if profile.flash_counts:
            _check_flashing(case, shown, found, group, fact=fact, run=run)
    most_s = profile.pedestrian_wait_s
    if fact.refuge and profile.pedestrian_wait_refuge_s is not None:
        most_s = profile.pedestrian_wait_refuge_s
    if most_s is None:
        return
    for run in _stretches(shown, group, lambda aspect: not is_steady_green(aspect)):
        if not shown.whole(run) and run.most_s > most_s + EPS:
            found.add(
                Rule.WAIT,
                (group,),
                f"{fact.says}: people wait too long",
                at_s=run.start_s,
                shown=run.most_s,
                required=most_s,
            )


def _check_flashing(
    case: Case, shown: Shown, found: Findings, group: int, *, fact: GroupFacts, run: Run
) -> None:
    place, flashing_s = run.first + run.count, 0.0
    for step in range(len(shown.intervals)):
        if shown.aspect(group, place + step) not in FLASHING:
            break
        flashing_s += shown.least_s(place + step)
    needed_s = fact.crossing_m / case.profile.walking_mps
    if flashing_s < needed_s - EPS:
        found.add(
            Rule.CLEARANCE,
            (group,),
            f"{fact.says}: the flashing green is too short for {fact.crossing_m:.1f} m",
            at_s=_end_s(shown, run),
            shown=flashing_s,
            required=needed_s,
        )


def _check_waiting_areas(case: Case, shown: Shown, found: Findings) -> None:
    """Judge that a waiting area's turn follows the straight green that lets cars fill it."""
    for group, fact in enumerate(case.groups):
        lanes = [case.network.lanes.get(m.from_lane) for m in fact.movements]
        marked = any(lane is not None and lane.waiting_area is Turn.LEFT for lane in lanes)
        if not marked or not fact.turns & LEFTS:
            continue
        beside = [
            index
            for index, other in enumerate(case.groups)
            if Turn.STRAIGHT in other.turns and set(other.roads) & set(fact.roads)
        ]
        for run in shown.greens[group]:
            if shown.whole(run) or not beside or group in beside:
                continue
            if not any(_just_green(shown, other, run.first) for other in beside):
                found.add(
                    Rule.WAITING_AREA,
                    (group,),
                    f"{fact.says}: its green does not follow the straight one, which fills the"
                    " waiting area",
                    at_s=run.start_s,
                )


def _just_green(shown: Shown, group: int, place: int) -> bool:
    """Whether a group is green as an interval begins, or was within ten seconds before."""
    if shown.aspect(group, place) in GREENS:
        return True
    gone_s = 0.0
    for step in range(1, len(shown.intervals)):
        if shown.aspect(group, place - step) in GREENS:
            return True
        gone_s += shown.least_s(place - step)
        if gone_s > _WAITING_GAP_S:
            return False
    return False


def _check_steady(case: Case, shown: Shown, found: Findings) -> None:
    """Judge that a plan which lights some signals leaves none dark or flashing yellow."""
    released = [index for index, fact in enumerate(case.groups) if fact.movements]
    lit = any(
        interval.shows[group] in GREENS | REDS | YELLOWS
        for interval in shown.intervals
        for group in released
    )
    if not lit:
        found.note("every signal is dark or flashes: signs and the rules of the road hold")
        return
    for group in released:
        off = [p for p, interval in enumerate(shown.intervals) if interval.shows[group] in OFF]
        arrow = case.profile.orders.get(case.groups[group].kind, frozenset())
        for place in off:
            aspect = shown.aspect(group, place)
            if (
                aspect is Aspect.DARK
                and (Lit.DARK, Lit.YELLOW) in arrow
                and len(off) < len(shown.intervals)
            ):
                # An arrow may go dark within its sequence; the order of lamps judges that.
                continue
            found.add(
                Rule.STEADY,
                (group,),
                f"{case.groups[group].says}: {LIT[aspect].value} beside signals that are lit",
                at_s=shown.programme.starts_s[place],
            )
            break
