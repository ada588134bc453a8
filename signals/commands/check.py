"""``check``: whether signal plans are safe, rule by rule."""

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import Final

from pydantic import JsonValue

from city.command_line import CommandLine
from city.errors import Invalid
from signals.rules.model.files import read_network, read_plans
from signals.rules.model.junction import SignalNetwork
from signals.rules.model.plans import Programme
from signals.rules.safety.case import prepare
from signals.rules.safety.checker import check_plans
from signals.rules.safety.profiles import PROFILES, Profile, profile_named
from signals.rules.safety.transitions import Method, change_plans, judge_stretch

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
    except Invalid as error:
        line.error(f"{given.plan}: {error}")
    answer = {"plan": given.plan, "network": given.network, **report.as_json()}
    if given.changes is not None:
        answer["changes"] = changes
    line.answer(answer)
    return 0 if report.safe and all(change["safe"] for change in changes) else 1


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
