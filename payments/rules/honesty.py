"""Who differs from peers at the same place and hour by more than chance makes them: a signal.

Nothing here is a verdict: what differs has reasons that no number knows. So that honest people are
rarely listed, no limit is fixed ahead: each is held against their peers in the same strata (place
and hour), how far honest people differ among themselves is measured robustly, and of all that
looks unusual at most a stated share is expected to be chance.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from statistics import median
from typing import Final
from uuid import UUID

FALSE_SHARE: Final = 0.1
"""Of the lines of a list at most so many, on average, are chance alone."""
FEWEST_PEOPLE: Final = 4
"""Among fewer nobody can tell who is unusual: there is no line then."""
FEWEST_TRIALS: Final = 20
"""Of one person: less says nothing about them."""
FEWEST_EXPECTED: Final = 0.5
"""Where chance alone would bring less than that, one event is a story, no statistic."""
ORDINARY_SHARE: Final = 0.75
"""At least so many people are taken to be ordinary, whatever the others do."""
ORDINARY_SQUARE: Final = 0.368524
"""Mean square of the nearest three quarters of a standard normal variable: of chi-squared by one
degree of freedom below its upper quartile."""
MOST_EVIDENCE: Final = 40
LARGEST_PRIOR: Final = 1_000.0


class Signal(StrEnum):
    """What may be unlike peers."""

    UNNAMED = "unnamed"
    """Stays that a sensor saw, and nobody named, where and while the person worked."""
    REPLATED = "replated"
    """Plates that were changed after money was paid."""
    EXEMPTED = "exempted"
    """Stays set aside as nothing to be charged."""
    SHORTENED = "shortened"
    """Stays that a person's word ended earlier than the sensor."""
    ESCAPED = "escaped"
    """Vehicles that they say drove off unpaid, also where a supervisor took it back."""
    IDLE = "idle"
    """Hours on shift without an act while vehicles came."""
    CASH_SHARE = "cash-share"
    """How much of what is paid for their stays is paid in cash: unusual either way."""
    UNDONE = "undone"
    """Cash given back soon after it was taken."""
    ROUND = "round"
    """Cash in round sums."""
    SHORTAGE = "shortage"
    """Counts that came out short."""
    TAKINGS = "takings"
    """Money for the hours that sensors saw taken: unusually little."""


BOTH_WAYS: Final = frozenset({Signal.CASH_SHARE})


class EvidenceKind(StrEnum):
    """What a line's evidence opens."""

    STAY = "stay"
    BILL = "bill"
    SHIFT = "shift"
    HOUR = "hour"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing behind a line: what it is, when, and where to look at it."""

    kind: EvidenceKind
    id: UUID
    at: str
    """RFC 3339."""


@dataclass(slots=True)
class Count:
    """How often something happened to one person in one stratum, of how often it could have."""

    events: int = 0
    trials: int = 0
    evidence: list[Evidence] = field(default_factory=list)

    def add(self, *, happened: bool, evidence: Evidence | None = None) -> None:
        """Count one trial; some of what happened is kept to be looked at."""
        self.trials += 1
        if happened:
            self.events += 1
            if evidence is not None and len(self.evidence) < MOST_EVIDENCE:
                self.evidence.append(evidence)


Counts = Mapping[str, Mapping[str, Count]]
"""By stratum, then by person."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A quantity of one person in one stratum: takings an hour of a day, say."""

    person: str
    stratum: str
    value: float
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One person whom one signal shows unlike their peers.

    Attributes
    ----------
    value, usual : float
        Theirs, and what their peers have in the same strata: shares, or takings against the
        stratum's median.
    trials, expected : float
        How much it rests on; events that peers' rates would have brought.
    ratio : float
        Their rate against their peers', drawn towards 1 by as little as the data says (empirical
        Bayes): a few events never make a large one.
    p, q : float
        Chance of as much among honest peers; the same with the number of looks counted in
        (Benjamini and Hochberg, 1995).
    people, strata : int
        Peers with data, themselves counted, and places and hours at which they were compared.
    """

    signal: Signal
    person: str
    value: float
    usual: float
    events: int
    trials: int
    expected: float
    ratio: float
    p: float
    people: int
    strata: int
    evidence: tuple[Evidence, ...]
    q: float = 1.0


@dataclass(slots=True)
class _Held:
    """One person against their peers over all strata."""

    events: float = 0.0
    expected: float = 0.0
    variance: float = 0.0
    trials: int = 0
    strata: int = 0
    evidence: list[Evidence] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    @property
    def z(self) -> float:
        return (self.events - self.expected) / math.sqrt(self.variance)


def of_counts(signal: Signal, counts: Counts) -> list[Line]:
    """Hold each person's counts against their peers'; a line each, unusual or not.

    Notes
    -----
    Given a stratum's totals, a person's events are hypergeometric where all have one rate; sums
    over strata are held against their sum (Mantel and Haenszel, 1959).
    """
    held: dict[str, _Held] = defaultdict(_Held)
    for people in counts.values():
        known = {who: count for who, count in people.items() if count.trials > 0}
        trials = sum(count.trials for count in known.values())
        events = sum(count.events for count in known.values())
        if len(known) < 2 or events in (0, trials):  # noqa: PLR2004 - a peer at least
            continue
        for who, count in known.items():
            mine = held[who]
            rest = trials - count.trials
            mine.events += count.events
            mine.expected += count.trials * events / trials
            mine.variance += (
                count.trials * rest * events * (trials - events) / (trials**2 * (trials - 1))
            )
            mine.trials += count.trials
            mine.strata += 1
            mine.evidence += count.evidence[: MOST_EVIDENCE - len(mine.evidence)]
    return _lines(signal, held)


def of_measures(signal: Signal, measures: Iterable[Measured]) -> list[Line]:
    """Hold each person's quantities against their peers' by rank: low is unusual.

    Notes
    -----
    Ranks within strata, so that no day of a fair makes anybody unusual (van Elteren, 1960).
    """
    strata: dict[str, list[Measured]] = defaultdict(list)
    for each in measures:
        strata[each.stratum].append(each)
    held: dict[str, _Held] = defaultdict(_Held)
    for found in strata.values():
        people = {each.person for each in found}
        n = len(found)
        if len(people) < 2:  # noqa: PLR2004 - a peer at least
            continue
        middle = median(each.value for each in found)
        ranks = _ranks([each.value for each in found])
        for who in people:
            mine = held[who]
            own = [at for at, each in enumerate(found) if each.person == who]
            # How low they stand: 1 for the least, 0 for the most.
            mine.events += sum(1 - (ranks[at] - 0.5) / n for at in own)
            mine.expected += len(own) / 2
            mine.variance += len(own) * (n - len(own)) / (n - 1) * (n**2 - 1) / (12 * n**2)
            mine.trials += len(own)
            mine.strata += 1
            mine.values += [found[at].value / middle for at in own if middle > 0]
            lowest = sorted(own, key=lambda at: found[at].value)
            shown = [found[at].evidence for at in lowest]
            room = MOST_EVIDENCE - len(mine.evidence)
            mine.evidence += [each for each in shown if each is not None][:room]
    return [
        replace(each, value=median(held[each.person].values), usual=1.0)
        for each in _lines(signal, held)
        if held[each.person].values
    ]


def listed(lines: Iterable[Line], false_share: float = FALSE_SHARE) -> list[Line]:
    """Give the lines that are unusual, all looks counted in: the surest and largest first."""
    ranked = sorted(lines, key=lambda line: (line.p, -line.ratio))
    looks = len(ranked)
    shown: list[Line] = []
    least = 1.0
    for place in range(looks, 0, -1):
        line = ranked[place - 1]
        least = min(least, line.p * looks / place)
        shown.append(replace(line, q=least))
    return [line for line in reversed(shown) if line.q <= false_share]


def _lines(signal: Signal, held: Mapping[str, _Held]) -> list[Line]:
    judged = {
        who: each
        for who, each in held.items()
        if each.variance > 0
        and each.trials >= (1 if signal in {Signal.TAKINGS, Signal.SHORTAGE} else FEWEST_TRIALS)
        and each.expected >= FEWEST_EXPECTED
    }
    if len(judged) < FEWEST_PEOPLE:
        return []
    # Where people stand and how far they differ where nothing is wrong, by the middle ones (the
    # empirical null: Efron, 2004): who is unusual moves the peers' rate, and so everybody else.
    middle = median(each.z for each in judged.values())
    away = sorted((each.z - middle) ** 2 for each in judged.values())
    ordinary = away[: math.ceil(len(away) * ORDINARY_SHARE)]
    spread = max(1.0, sum(ordinary) / len(ordinary) / ORDINARY_SQUARE)
    prior = _prior(list(judged.values()))
    found = []
    for who, each in judged.items():
        z = (each.z - middle) / math.sqrt(spread)
        free = len(judged) - 1
        p = _tail(abs(z) if signal in BOTH_WAYS else z, free)
        rest = each.expected
        found.append(
            Line(
                signal,
                who,
                each.events / each.trials,
                rest / each.trials,
                round(each.events),
                each.trials,
                rest,
                (each.events + prior) / (rest + prior),
                min(1.0, 2 * p) if signal in BOTH_WAYS else p,
                len(judged),
                each.strata,
                tuple(each.evidence),
            )
        )
    return found


def _tail(z: float, free: int) -> float:
    """Give the chance that Student's t lies above: SciPy is loaded by the first who asks."""
    from scipy.special import stdtr  # type: ignore[import-untyped] # noqa: PLC0415 - slow to load

    return float(stdtr(free, -z))


def _ranks(values: Sequence[float]) -> list[float]:
    """Give ranks from 1, equal values sharing theirs."""
    ranked = sorted(values)
    first = {value: at for at, value in reversed(list(enumerate(ranked, 1)))}
    last = {value: at for at, value in enumerate(ranked, 1)}
    return [(first[value] + last[value]) / 2 for value in values]


def _prior(people: Sequence[_Held]) -> float:
    """Give how many expected events the peers' rate weighs: few where people truly differ.

    Source: gamma-Poisson model, by moments; the middle half of people alone counts, so that who
    is unusual does not make the unusual usual.
    """
    ranked = sorted(people, key=lambda each: abs(each.z))[: max(2, (len(people) + 1) // 2)]
    excess = sum((each.events - each.expected) ** 2 - each.expected for each in ranked)
    square = sum(each.expected**2 for each in ranked)
    if excess <= 0 or square == 0:
        return LARGEST_PRIOR if not people else max(1.0, median(e.expected for e in people))
    return min(LARGEST_PRIOR, max(1.0, square / excess))


def comparable(fine: Counts, coarse_of: Mapping[str, str]) -> dict[str, dict[str, Count]]:
    """Compare people at one place where there are several, else at places of the same kind.

    `coarse_of` says for each fine stratum to which wider one it belongs.
    """
    result: dict[str, dict[str, Count]] = defaultdict(dict)
    for stratum, people in fine.items():
        known = [count for count in people.values() if count.trials > 0]
        name = stratum if len(known) > 1 else coarse_of.get(stratum, stratum)
        for who, count in people.items():
            mine = result[name].setdefault(who, Count())
            mine.events += count.events
            mine.trials += count.trials
            mine.evidence += count.evidence[: MOST_EVIDENCE - len(mine.evidence)]
    return dict(result)
