"""How well plates are read, counted over a labelled set."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from pydantic import JsonValue

THRESHOLDS: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Judged:
    """A plate that is there, or was read where none is, and what was read for it."""

    label: str
    """Empty where no plate is there."""
    kind: str
    """By the label; of a read of nothing, ``no_plate``."""
    text: str
    """Empty where nothing was read."""
    read_kind: str
    confidence: float
    accepted: bool
    found: bool
    """Whether the detector found it; in a crop, whether anything was read."""

    @property
    def right(self) -> bool:
        """Whether the text is exactly the plate's."""
        return self.label != "" and self.text == self.label


def characters_right(label: str, text: str) -> int:
    """Count the seats that show the same character, from the left."""
    return sum(one == other for one, other in zip_longest(label, text) if one is not None)


def summary(judged: Sequence[Judged]) -> dict[str, JsonValue]:
    """Count exact plates, characters, finds and wrong ones among the accepted.

    Parameters
    ----------
    judged : sequence of Judged
        One a plate, and one a read of nothing.

    Returns
    -------
    dict
        Shares are null where there is nothing to share. ``wrong_among_accepted`` has a row a
        threshold of confidence and counts reads of nothing as wrong.
    """
    plates = [each for each in judged if each.label]
    by_kind: dict[str, list[Judged]] = defaultdict(list)
    for each in plates:
        by_kind[each.kind].append(each)
    kinds: dict[str, JsonValue] = {
        kind: {
            "plates": len(rows),
            "right": sum(each.right for each in rows),
            "exact": _share(sum(each.right for each in rows), len(rows)),
            "kind_right": _share(sum(each.read_kind == kind for each in rows), len(rows)),
        }
        for kind, rows in sorted(by_kind.items())
    }
    accepted = [each for each in judged if each.accepted]
    return {
        "plates": len(plates),
        "right": sum(each.right for each in plates),
        "exact": _share(sum(each.right for each in plates), len(plates)),
        "characters": _share(
            sum(characters_right(each.label, each.text) for each in plates),
            sum(len(each.label) for each in plates),
        ),
        "recall": _share(sum(each.found for each in plates), len(plates)),
        "precision": _share(sum(each.found for each in plates), sum(each.found for each in judged)),
        "accepted": _share(len(accepted), len(judged)),
        "wrong_accepted": _share(sum(not each.right for each in accepted), len(accepted)),
        "kinds": kinds,
        "wrong_among_accepted": [_at(threshold, judged) for threshold in THRESHOLDS],
    }


def _at(threshold: float, judged: Sequence[Judged]) -> JsonValue:
    taken = [each for each in judged if each.text and each.confidence >= threshold]
    wrong = sum(not each.right for each in taken)
    return {
        "confidence": threshold,
        "accepted": _share(len(taken), len(judged)),
        "wrong": wrong,
        "share": _share(wrong, len(taken)),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, _DIGITS) if whole else None
