"""What a signal group shows and what it grants.

The letters are SUMO's. Flashing green, which SUMO does not have, is written with the letter of the
green that it ends; the SUMO writer keeps the difference beside the states.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class Aspect(StrEnum):
    """What a signal group shows, told apart by the right of way that goes with it."""

    RED = "red"
    RED_YELLOW = "red_yellow"
    YELLOW = "yellow"
    YELLOW_MAJOR = "yellow_major"
    """SUMO's `Y`: yellow of a stream with right of way."""
    GREEN = "green"
    """Protected: nobody else may claim the way."""
    PERMISSIVE = "permissive_green"
    """Green that gives way to the streams with right of way."""
    FLASHING_GREEN = "flashing_green"
    FLASHING_PERMISSIVE = "flashing_permissive_green"
    TURN_ON_RED = "turn_on_red"
    """Red, and a turn is allowed after a stop."""
    FLASHING_YELLOW = "flashing_yellow"
    DARK = "dark"


LETTERS: Final = {
    Aspect.RED: "r",
    Aspect.RED_YELLOW: "u",
    Aspect.YELLOW: "y",
    Aspect.YELLOW_MAJOR: "Y",
    Aspect.GREEN: "G",
    Aspect.PERMISSIVE: "g",
    Aspect.FLASHING_GREEN: "G",
    Aspect.FLASHING_PERMISSIVE: "g",
    Aspect.TURN_ON_RED: "s",
    Aspect.FLASHING_YELLOW: "o",
    Aspect.DARK: "O",
}
"""SUMO's letter of each aspect."""

ASPECTS: Final = {
    letter: aspect
    for aspect, letter in LETTERS.items()
    if aspect not in {Aspect.FLASHING_GREEN, Aspect.FLASHING_PERMISSIVE}
}

CODES: Final = LETTERS | {Aspect.FLASHING_GREEN: "F", Aspect.FLASHING_PERMISSIVE: "f"}
"""A letter of its own for every aspect: SUMO's, and two that it has not."""
OF_CODE: Final = {code: aspect for aspect, code in CODES.items()}
IN_SUMO: Final = str.maketrans({CODES[each]: LETTERS[each] for each in CODES})
"""Brings a text of codes to SUMO's letters."""

PROTECTED: Final = frozenset({Aspect.GREEN, Aspect.FLASHING_GREEN})
GREENS: Final = PROTECTED | {Aspect.PERMISSIVE, Aspect.FLASHING_PERMISSIVE}
"""A green is shown, flashing or not."""
FLASHING: Final = frozenset({Aspect.FLASHING_GREEN, Aspect.FLASHING_PERMISSIVE})
YELLOWS: Final = frozenset({Aspect.YELLOW, Aspect.YELLOW_MAJOR})
REDS: Final = frozenset({Aspect.RED, Aspect.TURN_ON_RED})
OFF: Final = frozenset({Aspect.FLASHING_YELLOW, Aspect.DARK})
"""The group does not order anybody to stop; signs and the rules of the road hold."""
GO: Final = GREENS | OFF | {Aspect.TURN_ON_RED}
"""Somebody may pass the stop line."""

FLASHING_OF: Final = {
    Aspect.GREEN: Aspect.FLASHING_GREEN,
    Aspect.PERMISSIVE: Aspect.FLASHING_PERMISSIVE,
}


def driven(codes: str, walkers: Iterable[int]) -> str:
    """Give SUMO's letters of a text of codes.

    A crossing's flashing green, by which nobody may step off any more, is red there: who is on the
    crossing walks on.

    Parameters
    ----------
    codes : str
    walkers : Iterable of int
        Places of the lamps for people on foot.
    """
    letters = list(codes.translate(IN_SUMO))
    for place in walkers:
        if place < len(codes) and OF_CODE[codes[place]] in FLASHING:
            letters[place] = LETTERS[Aspect.RED]
    return "".join(letters)
