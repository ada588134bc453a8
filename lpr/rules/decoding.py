"""From what the recogniser says of every seat to a plate that can exist.

The most probable text is searched among the forms of every kind (``city.plate_rules``), seats and
kind together: a letter never stands where only digits do, and a text of eight characters is never
a blue plate's. What the format forbids costs confidence and is not hidden: each character keeps
the probability that the net gave it.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from city.plate_rules import RULES, PlateKind
from lpr.rules.alphabet import BLANK, CHARACTERS, CLASSES, KIND_CLASS_OF, SEATS
from lpr.rules.reads import PlateRead

if TYPE_CHECKING:
    from collections.abc import Mapping

Floats = NDArray[np.float32]

_NO_PLATE_FROM: Final = 0.5
"""Probability of ``unknown`` from which there is no plate."""
_LEAST_SCORE: Final = 1e-9
_TWO_ROW_ONLY: Final = frozenset({PlateKind.YELLOW2, PlateKind.AGRI_GREEN2, PlateKind.MOTORCYCLE})
_EITHER: Final = frozenset(
    {
        PlateKind.TRAILER_YELLOW,
        PlateKind.MILITARY_WHITE,
        PlateKind.WJ_WHITE,
        PlateKind.TEMPORARY,
    }
)


@dataclass(frozen=True, slots=True)
class _Forms:
    allowed: NDArray[np.bool_]
    """Forms x seats x classes."""
    kinds: tuple[PlateKind, ...]
    lengths: NDArray[np.int64]
    kind_classes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Temperatures:
    """What logits are divided by before they become probabilities; fitted on held-out reads."""

    seats: float = 1.0
    kinds: float = 1.0


PLAIN: Final = Temperatures()


def kinds_with(rows: int) -> frozenset[PlateKind]:
    """Give the kinds whose plates may have so many rows."""
    if rows == 1:
        return frozenset(RULES) - _TWO_ROW_ONLY - {PlateKind.UNKNOWN}
    return _TWO_ROW_ONLY | _EITHER


@lru_cache(maxsize=2)
def _forms_with(rows: int) -> _Forms:
    class_of: Mapping[str, int] = {character: 1 + at for at, character in enumerate(CHARACTERS)}
    allowed, kinds, lengths = [], [], []
    for kind in RULES:
        if kind not in kinds_with(rows):
            continue
        for form in RULES[kind].forms:
            seats = np.zeros((SEATS, CLASSES), np.bool_)
            seat = 0
            for part in form:
                classes = [class_of[character] for character in part.alphabet]
                seats[seat : seat + part.length, classes] = True
                seat += part.length
            seats[seat:, BLANK] = True
            allowed.append(seats)
            kinds.append(kind)
            lengths.append(seat)
    return _Forms(
        np.stack(allowed),
        tuple(kinds),
        np.array(lengths),
        np.array([KIND_CLASS_OF[kind] for kind in kinds]),
    )


def decode(
    seats: Floats, kinds: Floats, rows: int, temperatures: Temperatures = PLAIN
) -> PlateRead | None:
    """Give the most probable plate, or None where the picture shows none.

    Parameters
    ----------
    seats : array of seats x classes
        Logits.
    kinds : array of kinds
        Logits.
    rows : int
        1 or 2, as the strip was laid out.
    temperatures : Temperatures

    Returns
    -------
    PlateRead or None
        Its confidences are the net's own for each character; doubt about where the text ends
        counts with the last one.

    Notes
    -----
    The cost is that of the some 40 forms times seats times classes: about 0.1 ms.
    """
    kind_chance = _chances(kinds / temperatures.kinds)
    if kind_chance[KIND_CLASS_OF[PlateKind.UNKNOWN]] > _NO_PLATE_FROM:
        return None
    chance = _chances(seats / temperatures.seats)
    forms = _forms_with(rows)
    logs = np.log(np.maximum(chance, _LEAST_SCORE))
    masked = np.where(forms.allowed, logs[None], -np.inf)
    best = masked.argmax(axis=2)
    scores = masked.max(axis=2).sum(axis=1)
    scores += np.log(np.maximum(kind_chance[forms.kind_classes], _LEAST_SCORE))
    chosen = int(scores.argmax())
    length = int(forms.lengths[chosen])
    classes = best[chosen]
    sure = chance[np.arange(SEATS), classes]
    confidences = [float(value) for value in sure[:length]]
    confidences[-1] = min([confidences[-1], *(float(value) for value in sure[length:])])
    text = "".join(CHARACTERS[int(value) - 1] for value in classes[:length])
    return PlateRead(text, forms.kinds[chosen], tuple(min(1.0, value) for value in confidences))


def averaged(looks: list[Floats]) -> Floats:
    """Average what several looks at the same seats or kind say, as logarithms of probability.

    The geometric mean: what one look rules out stays out.

    Parameters
    ----------
    looks : list of arrays of equal shape
        Logits, the classes last.
    """
    logs = [np.log(np.maximum(_chances(each), _LEAST_SCORE)) for each in looks]
    return np.asarray(np.mean(logs, axis=0), np.float32)


def _chances(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), np.float32)
