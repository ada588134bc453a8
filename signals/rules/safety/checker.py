"""The safety checker: every plan of a network against a region's rules.

Nothing here knows how a plan was made. Cost grows with the conflicting pairs of a junction times
the intervals of its plans; a junction is made ready once for all of its plans.
"""

from collections.abc import Sequence

from city.errors import Invalid
from signals.rules.model.aspects import GREENS
from signals.rules.model.junction import SignalNetwork
from signals.rules.model.plans import Programme
from signals.rules.safety.case import EPS, Case, Findings, prepare, see
from signals.rules.safety.lamps_of_group import check_groups
from signals.rules.safety.profiles import Profile, Rule
from signals.rules.safety.report import Note, SafetyReport, Violation
from signals.rules.safety.ring_sums import check_rings
from signals.rules.safety.streams import check_conflicts, check_intergreens, check_yellow_trap


def check_plans(
    network: SignalNetwork,
    programmes: Sequence[Programme],
    profile: Profile,
    own: Sequence[Programme] = (),
) -> SafetyReport:
    """Judge plans.

    Parameters
    ----------
    network : SignalNetwork
        What the plans are for.
    programmes : Sequence of Programme
        Any number, several of one junction included.
    profile : Profile
    own : Sequence of Programme
        The network's own plans, whose yellow the profile `as-is` keeps.

    Returns
    -------
    SafetyReport
        Violations in the order of the plans. Junctions without a plan are told of in a note.

    Raises
    ------
    Invalid
        On no plan at all, or one of a junction that the network lacks.
    """
    if not programmes:
        raise Invalid("holds no plan")
    cases: dict[str, Case] = {}
    violations: list[Violation] = []
    notes: list[Note] = []
    for programme in programmes:
        junction = network.junction_of.get(programme.junction)
        if junction is None:
            raise Invalid(f"the network has no signal {programme.junction}")
        if junction.name not in cases:
            own_here = [each for each in own if each.junction == junction.name]
            cases[junction.name] = prepare(junction, network, profile, own_here)
        found = check_programme(cases[junction.name], programme)
        violations.extend(found.violations)
        notes.extend(found.notes)
    notes.extend(
        Note(junction.name, "", "no plan given; not judged")
        for junction in network.junctions
        if junction.name not in cases
    )
    return SafetyReport(profile, len(programmes), tuple(violations), tuple(dict.fromkeys(notes)))


def check_programme(case: Case, programme: Programme) -> Findings:
    """Judge one plan of one junction.

    Raises
    ------
    Invalid
        Where the plan's signal groups are not the junction's.
    """
    names = tuple(group.name for group in case.junction.groups)
    if programme.groups[: len(names)] != names:
        raise Invalid(f"has other signal groups than {case.junction.name}", field="plans")
    found = Findings(case, programme.name)
    shown = see(programme, len(names))
    check_conflicts(case, shown, found)
    if programme.control.upper() == "NEMA":
        # Its phases run in rings, side by side: what follows what is not in the file.
        found.note("NEMA control: every phase judged by itself, not what lies between them")
        return found
    check_intergreens(case, shown, found)
    check_yellow_trap(case, shown, found)
    check_groups(case, shown, found)
    _check_cycle(case, programme, found)
    check_rings(case, programme, found)
    for one, other in case.close:
        if one != other and any(
            {interval.shows[one], interval.shows[other]} <= GREENS for interval in shown.intervals
        ):
            found.note(
                f"{case.groups[one].says} and {case.groups[other].says} pass close to each other"
            )
    if len(programme.groups) > len(names):
        found.note(f"{len(programme.groups) - len(names)} lamps belong to no link; not judged")
    if any(dict(interval.extra).get("next") for interval in programme.intervals):
        found.note("phases name their next ones; judged in the order given")
    return found


def _check_cycle(case: Case, programme: Programme, found: Findings) -> None:
    bounds = case.profile.cycle_s
    cycle_s = programme.cycle_s
    if bounds is not None and not bounds[0] - EPS <= cycle_s <= bounds[1] + EPS:
        low = cycle_s < bounds[0]
        found.add(
            Rule.CYCLE,
            (),
            f"the cycle is too {'short' if low else 'long'}",
            shown=cycle_s,
            required=bounds[0] if low else bounds[1],
        )
    if not 0 <= programme.offset_s < cycle_s:
        found.add(
            Rule.OFFSET,
            (),
            "the offset lies outside the cycle",
            shown=programme.offset_s,
            required=0.0 if programme.offset_s < 0 else cycle_s,
        )
