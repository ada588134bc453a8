"""``check``: whether signal plans are safe, rule by rule."""

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import Final

from pydantic import JsonValue

from city.command_line import CommandLine
from city.errors import Invalid
from signals.rules.model.files import read_network, read_plans
from signals.rules.model.junction import SignalNetwork
from signals.rules.model.plans import Programme, shown_only
from signals.rules.safety.case import prepare
from signals.rules.safety.checker import check_plans
from signals.rules.safety.modes import (
    MODE_RULES,
    Mode,
    check_mode_change,
    enter_plan,
    leave_plan,
)
from signals.rules.safety.profiles import PROFILES, Profile, profile_named
from signals.rules.safety.transitions import Method, change_plans, judge_stretch, may_stretch

SUMMARY: Final = "judge signal plans by the safety rules of a region"

_EXAMPLE: Final = """python -m signals check plans.add.xml --network net.xml --profile gb

PLAN: a SUMO file with tlLogic elements (additional file or network), or Greenbay's JSON
(docs/signals.md); NET: a SUMO network or the same JSON. Exit status 0: no violation; 1: some."""

MOST_BYTES: Final = 512 * 1024 * 1024


def run(arguments: Sequence[str]) -> int:
    """Print the report; return 0 where nothing is violated, 1 where something is."""
    line = CommandLine("signals", "check", SUMMARY, _EXAMPLE)
    line.add_argument("plan", metavar="PLAN", help="the plans; - reads stdin")
    line.add_argument("--network", metavar="NET", required=True, help="what the plans are for")
    line.add_argument(
        "--profile", metavar="NAME", default="gb", help=f"one of {', '.join(PROFILES)} (gb)"
    )
    line.add_argument(
        "--changes",
        choices=[method.value for method in Method],
        help="judge the changes between the plans of each junction too, made in this way",
    )
    line.add_argument(
        "--modes",
        action="store_true",
        help="judge the ways from each plan to all red, flashing yellow and off, and back",
    )
    given = line.parse_args(arguments)
    try:
        profile = profile_named(given.profile)
    except Invalid as error:
        line.error(str(error))
    try:
        network, own = read_network(line.read_bytes(given.network, MOST_BYTES))
    except Invalid as error:
        line.error(f"{given.network}: {error}")
    try:
        plans = read_plans(line.read_bytes(given.plan, MOST_BYTES), network)
        report = check_plans(network, plans, profile, own)
        changes = (
            []
            if given.changes is None
            else list(_changes(network, plans, profile, own, Method(given.changes)))
        )
        modes = list(_modes(network, plans, profile, own)) if given.modes else []
    except Invalid as error:
        line.error(f"{given.plan}: {error}")
    answer = {"plan": given.plan, "network": given.network, **report.as_json()}
    if given.changes is not None:
        answer["changes"] = changes
    if given.modes:
        answer["modes"] = modes
    line.answer(answer)
    return 0 if report.safe and all(change["safe"] for change in (*changes, *modes)) else 1


def _changes(
    network: SignalNetwork,
    plans: Sequence[Programme],
    profile: Profile,
    own: Sequence[Programme],
    method: Method,
) -> Iterator[dict[str, JsonValue]]:
    """Judge the change from every plan of a junction to every other."""
    for junction in network.junctions:
        here = [plan for plan in plans if plan.junction == junction.name]
        if len(here) < 2:  # noqa: PLR2004 - a change has two ends
            continue
        case = prepare(
            junction, network, profile, [each for each in own if each.junction == junction.name]
        )
        for old, new in permutations(here, 2):
            change = change_plans(case, old, new, method)
            yield {
                "junction": junction.name,
                "from": old.name,
                "to": new.name,
                "method": method.value,
                "bridge_s": None if change is None else change.bridge_s,
                "in_step_s": None if change is None else round(change.in_step_s, 3),
                "safe": change is not None
                and not judge_stretch(case, new, change.intervals, "change").violations,
            }


def _modes(
    network: SignalNetwork,
    plans: Sequence[Programme],
    profile: Profile,
    own: Sequence[Programme],
) -> Iterator[dict[str, JsonValue]]:
    """Judge the ways from each interval of every plan that may be left to every mode, and back."""
    for plan in plans:
        case = prepare(
            network.junction_of[plan.junction],
            network,
            profile,
            [each for each in own if each.junction == plan.junction],
        )
        intervals = shown_only(plan).intervals
        left = [place for place, each in enumerate(intervals) if may_stretch(each)]
        for mode in (Mode.ALL_RED, Mode.FLASHING_YELLOW, Mode.OFF):
            ways = [leave_plan(case, plan, place, mode) for place in left]
            back = enter_plan(case, plan, mode)
            faults = [
                fault
                for way in (*ways, back)
                if way is not None
                for fault in check_mode_change(case, plan, way)
            ]
            yield {
                "junction": plan.junction,
                "plan": plan.name,
                "mode": mode.value,
                "leaves_at": len(left),
                "safe": bool(left) and None not in (*ways, back) and not faults,
                "faults": list(dict.fromkeys(fault.what for fault in faults)),
                "source": MODE_RULES[profile.name].source,
            }
