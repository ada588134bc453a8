"""Plausible texts of every kind of plate, drawn from the kinds' own forms.

What stands here decides what the synthesiser shows and the recogniser learns, so every form that
``city.plate_rules`` knows is drawn, rare ones as often as common ones; only the share of letters
in a serial follows the street, where most serials are digits with none, one or two letters.
"""

from typing import Final

import numpy as np

from city.plate_rules import DIGITS, LETTERS, RULES, Part, PlateKind

DRAWN_KINDS: Final = tuple(kind for kind in RULES if kind is not PlateKind.UNKNOWN)
"""Kinds that have a look of their own."""

_LETTER_SHARE: Final = (0.35, 0.30, 0.25, 0.07, 0.03)
"""Share of serials with 0, 1, 2, 3 and 4 letters; beyond what is issued so that none is strange."""
_EVEN_SHARE: Final = 0.25
"""Share of serials whose characters are drawn evenly, so that every letter is seen anywhere."""


def draw_text(kind: PlateKind, random: np.random.Generator) -> str:
    """Draw a text that a plate of the kind can carry.

    Parameters
    ----------
    kind : PlateKind
        Any but ``unknown``.
    random : numpy.random.Generator
        Its state decides the text.
    """
    forms = RULES[kind].forms
    form = forms[int(random.integers(len(forms)))]
    return "".join(_draw_part(part, random) for part in form)


def _draw_part(part: Part, random: np.random.Generator) -> str:
    if part.alphabet == DIGITS + LETTERS and random.random() > _EVEN_SHARE:
        letters = int(random.choice(len(_LETTER_SHARE), p=_LETTER_SHARE))
        seats = set(random.permutation(part.length)[:letters].tolist())
        return "".join(
            _draw_one(LETTERS if seat in seats else DIGITS, random) for seat in range(part.length)
        )
    return "".join(_draw_one(part.alphabet, random) for _ in range(part.length))


def _draw_one(alphabet: str, random: np.random.Generator) -> str:
    return alphabet[int(random.integers(len(alphabet)))]
