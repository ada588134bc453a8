"""Plans tried without being kept: what the checker says, what the model foretells, which bands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection

from city.errors import Invalid
from signals.rules.life.bands import Stop, street
from signals.rules.life.outlook import Outlook, outlook
from signals.rules.life.parts import plans_of
from signals.rules.life.waiting import Street, street_waits
from signals.rules.model.plans import Programme
from signals.rules.safety.checker import check_programme
from signals.rules.safety.profiles import Profile
from signals.rules.safety.report import SafetyReport
from signals.services import networks
from signals.store import networks as store

MOST_STOPS: Final = 40


@dataclass(frozen=True, slots=True)
class Trial:
    """What some plans would do; outlooks are empty where nobody told who drives there."""

    report: SafetyReport
    outlooks: tuple[Outlook, ...]
    before: tuple[Outlook, ...]
    """Of the plans in force at the same signals."""


def read_plans(
    connection: Connection, network_id: UUID, document: JsonValue
) -> dict[str, Programme]:
    """Read the plans of a document for a network, by signal."""
    plans = document.get("plans") if isinstance(document, dict) else None
    names = {
        str(plan.get("junction"))
        for plan in (plans if isinstance(plans, list) else ())
        if isinstance(plan, dict)
    }
    there = names & set(store.signal_names(connection, network_id))
    found = plans_of(document, networks.parts(connection, network_id, sorted(there)))
    return {plan.junction: plan for plan in found}


def assess(
    connection: Connection,
    network_id: UUID,
    plans: Mapping[str, Programme],
    profile: Profile,
) -> Trial:
    """Judge and foretell plans by signal."""
    names = list(plans)
    cases = networks.cases(connection, network_id, names, profile)
    findings = [check_programme(cases[name], plans[name]) for name in names]
    report = SafetyReport(
        profile,
        len(names),
        tuple(each for found in findings for each in found.violations),
        tuple(dict.fromkeys(note for found in findings for note in found.notes)),
    )
    known = networks.demand(connection, network_id)
    if known is None:
        return Trial(report, (), ())
    running = networks.running(connection, network_id, names)
    return Trial(
        report,
        tuple(outlook(cases[name], plans[name], known[1]) for name in names),
        tuple(
            outlook(cases[name], running[name][1], known[1]) for name in names if name in running
        ),
    )


def drawn(
    connection: Connection,
    network_id: UUID,
    name: str,
    stages: Sequence[tuple[frozenset[str], float]],
    *,
    profile: Profile,
    offset_s: float,
) -> Programme:
    """Give the plan of stages as somebody drew them: who is green together, and for how long.

    What lies between them is worked out, as for plans that are made here; nothing is judged.

    Raises
    ------
    NotFound
        Where there is no such signal.
    Invalid
        On fewer than two stages, an unknown group, or a green too short for its flashing end.
    """
    from signals.rules.plans.junction_maker import JunctionMaker  # noqa: PLC0415 - loads SciPy

    case = networks.cases(connection, network_id, [name], profile)[name]
    running = networks.running(connection, network_id, [name])
    own = [running[name][1]] if name in running else []
    maker = JunctionMaker(case, (), own, 1.0)
    made = maker.programme([groups for groups, _ in stages], [green_s for _, green_s in stages])
    return replace(made, offset_s=offset_s % made.cycle_s)


def outlooks(connection: Connection, network_id: UUID, profile: Profile) -> dict[str, Outlook]:
    """Foretell every signal of a network under what it runs; empty where nobody told who drives."""
    known = networks.demand(connection, network_id)
    if known is None:
        return {}
    running = networks.running(connection, network_id)
    cases = networks.cases(connection, network_id, list(running), profile)
    return {name: outlook(cases[name], plan, known[1]) for name, (_, plan) in running.items()}


def street_of(
    connection: Connection,
    network_id: UUID,
    names: Sequence[str],
    plans: Mapping[str, Programme],
) -> tuple[Stop, ...]:
    """Give a street through signals under the plans in force, some of them replaced.

    Raises
    ------
    Invalid
        On too few or too many signals, one twice, or one without a plan.
    """
    if not 2 <= len(names) <= MOST_STOPS:  # noqa: PLR2004 - there is nothing between fewer
        raise Invalid(f"must name 2 to {MOST_STOPS} signals", field="street.signals")
    if len(set(names)) < len(names):
        raise Invalid("must not name a signal twice", field="street.signals")
    parts = networks.parts(connection, network_id, names)
    missing = [name for name in names if name not in plans]
    running = networks.running(connection, network_id, missing) if missing else {}
    shown = dict(plans) | {name: plan for name, (_, plan) in running.items()}
    for name in names:
        if name not in shown:
            raise Invalid(f"{name} runs no plan", field="street.signals")
    return street(parts, shown, names)


def waits_of(
    connection: Connection,
    network_id: UUID,
    stops: Sequence[Stop],
    speeds_mps: tuple[float, float],
) -> Street | None:
    """Foretell what waits along a street; None where nobody told who drives there."""
    known = networks.demand(connection, network_id)
    if known is None:
        return None
    parts = networks.parts(connection, network_id, [stop.signal for stop in stops])
    return street_waits(parts, stops, known[1], speeds_mps)
