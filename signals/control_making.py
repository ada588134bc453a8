"""Controllers of a whole network that choose while they run, made from its plans and demand."""

from signals.problem import Problem
from signals.rules.control.approaches import Upstream, approaches_of
from signals.rules.control.peers import PROLONGED_M, Peer, PeerSignal, Rule
from signals.rules.control.stages import stage_set
from signals.rules.plans.junction_maker import JunctionMaker


def make_peer(problem: Problem, rule: Rule, every_s: float) -> Peer:
    """Make the guarded max-pressure or longest queue of a network.

    Parameters
    ----------
    problem : Problem
    rule : str
    every_s : float
        It chooses so long after a stage's green began, and as often again.

    Notes
    -----
    A signal with fewer than two stages in its own plan keeps that plan.
    """
    upstream = Upstream(problem.roads)
    signals = []
    for junction in problem.network.junctions:
        case = problem.case_of(junction.name)
        own = [each for each in problem.own if each.junction == junction.name]
        maker = JunctionMaker(case, (), own, 1.0)
        stages = maker.in_force[0] if maker.in_force else ()
        if len(stages) > 1:
            found = stage_set(case, (maker,), stages, judged=False)
            signals.append(PeerSignal(found, approaches_of(junction, upstream, PROLONGED_M)))
    return Peer(rule, every_s, tuple(signals))
