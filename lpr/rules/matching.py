"""Find which of the vehicles that may be here a camera read.

The distance between two texts is the least cost of edits that turn one into the other, where the
mistakes that readers really make are cheap: look-alike characters, and the province character,
which is the hardest to read. Nobody is billed on an ambiguous match.

Source: Levenshtein (1966) with weights; groups of look-alikes as found on entry and exit cameras.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from city.errors import Invalid
from city.plate_rules import PROVINCES, RULES
from city.vehicles import PlateKind, PlateNumber
from lpr.rules.reads import DEFAULT_BANDS, Band, BandLimits, PlateRead

EDIT_COST: Final = 100
"""A character missed, invented or taken for one that does not look like it."""
PROVINCE_COST: Final = 30
"""One province taken for another."""
CONFUSION_COST: Final = 25
"""A character taken for one that looks like it."""
KIND_COST: Final = 100
"""One kind of plate taken for another: by itself enough to make a match doubtful."""

LOOK_ALIKES: Final = ("0DQ", "8B", "2Z", "5S", "4A")

_GROUP: Final[Mapping[str, str]] = {
    character: group for group in LOOK_ALIKES for character in group
}


class Verdict(StrEnum):
    """Whether a read names one of the candidates."""

    MATCH = "match"
    """It names one, and no other comes near."""
    AMBIGUOUS = "ambiguous"
    """It may name one or several: a person decides, nobody is billed."""
    NONE = "none"
    """It names none of them."""


@dataclass(frozen=True, slots=True)
class MatchLimits:
    """Costs that decide a verdict."""

    match_cost: int = 75
    """A match costs at most this: three look-alikes, or a province and one look-alike."""
    ambiguous_cost: int = 150
    """A candidate that costs more is not meant."""
    margin_cost: int = 50
    """How much more the second best has to cost."""

    def __post_init__(self) -> None:
        if not 0 <= self.match_cost <= self.ambiguous_cost or self.margin_cost < 1:
            raise Invalid(
                "must keep 0 <= match_cost <= ambiguous_cost and margin_cost >= 1", field="limits"
            )


DEFAULT_LIMITS: Final = MatchLimits()


@dataclass(frozen=True, slots=True)
class Near:
    """A candidate and what it costs to take the read for it."""

    candidate: PlateNumber
    cost: int


@dataclass(frozen=True, slots=True)
class Match:
    """The verdict on a read, and the candidates that speak for it."""

    verdict: Verdict
    candidate: PlateNumber | None
    """The vehicle that was read; only where the verdict is a match."""
    near: tuple[Near, ...]
    """Candidates that could be meant, cheapest first; for a match the one alone."""


@lru_cache(maxsize=16_384)  # bounded: a read may hold any characters
def substitution_cost(a: str, b: str) -> int:
    """Give the cost of taking one character for another; symmetric, 0 only for the same."""
    if a == b:
        return 0
    if a in PROVINCES and b in PROVINCES:
        return PROVINCE_COST
    if b in _GROUP.get(a, ""):
        return CONFUSION_COST
    return EDIT_COST


def text_cost(a: str, b: str) -> int:
    """Give the least cost of turning one text into another.

    A metric: symmetric, 0 only for equal texts, and a detour is never cheaper. Costs time in
    proportion to the product of the lengths.
    """
    row = [column * EDIT_COST for column in range(len(b) + 1)]
    for line, before in enumerate(a, start=1):
        diagonal, row[0] = row[0], line * EDIT_COST
        for column, after in enumerate(b, start=1):
            cost = min(
                diagonal + substitution_cost(before, after),
                row[column] + EDIT_COST,
                row[column - 1] + EDIT_COST,
            )
            diagonal, row[column] = row[column], cost
    return row[-1]


def read_cost(read: PlateRead, candidate: PlateNumber) -> int:
    """Give the cost of taking a read for a candidate: text and, where it was read, the kind.

    The front and the rear plate of a large vehicle are of one register and cost nothing.
    """
    unread = PlateKind.UNKNOWN in {read.kind, candidate.kind}
    same_kind = unread or _register(read.kind) is _register(candidate.kind)
    return text_cost(read.text, candidate.text) + (0 if same_kind else KIND_COST)


def match_read(
    read: PlateRead,
    candidates: Sequence[PlateNumber],
    limits: MatchLimits = DEFAULT_LIMITS,
    bands: BandLimits = DEFAULT_BANDS,
) -> Match:
    """Find the candidate that a read names.

    Parameters
    ----------
    read : PlateRead
        What the camera read.
    candidates : Sequence of PlateNumber
        The vehicles that it can have been, in any order; two plates of one vehicle count once.
    limits : MatchLimits
    bands : BandLimits

    Returns
    -------
    Match
        ``none`` for a rejected read and where no candidate is near. A match needs one cheap
        candidate with the margin to the next; and a read that was only good enough for review
        has to name it exactly. Everything in between is ambiguous.

    Notes
    -----
    Costs time in proportion to the candidates: some tens of microseconds each.
    """
    if read.band(bands) is Band.REJECT:
        return Match(Verdict.NONE, None, ())
    by_vehicle = {
        candidate.identity: candidate
        for candidate in sorted(candidates, key=lambda candidate: candidate.kind)
    }
    ranked = sorted(
        (Near(candidate, read_cost(read, candidate)) for candidate in by_vehicle.values()),
        key=lambda near: (near.cost, near.candidate.identity),
    )
    if not ranked or ranked[0].cost > limits.ambiguous_cost:
        return Match(Verdict.NONE, None, ())
    best = ranked[0]
    near = tuple(other for other in ranked if other.cost < best.cost + limits.margin_cost)
    allowed_cost = limits.match_cost if read.band(bands) is Band.ACCEPT else 0
    if len(near) > 1 or best.cost > allowed_cost:
        return Match(Verdict.AMBIGUOUS, None, near)
    return Match(Verdict.MATCH, best.candidate, near)


def _register(kind: PlateKind) -> PlateKind:
    return RULES[kind].registered_as or kind
