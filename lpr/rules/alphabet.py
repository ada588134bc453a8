"""What the recogniser can say: the classes of a seat, and the kinds of a plate."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from city.plate_rules import DIGITS, LETTERS, MARKS, PROVINCES, PlateKind

SEATS: Final = 9
"""Characters of the longest plate that is read."""
BLANK: Final = 0
"""The class of a seat that has no character."""
CHARACTERS: Final = DIGITS + LETTERS + "O" + PROVINCES + MARKS
"""Class ``1 + n`` is the n-th of these; no plate carries an I."""
CLASSES: Final = 1 + len(CHARACTERS)
KINDS: Final = tuple(PlateKind)
"""Kinds in the order of the kind head; ``unknown`` stands for what is no plate."""

_CLASS_OF: Final = {character: 1 + at for at, character in enumerate(CHARACTERS)}
KIND_CLASS_OF: Final = {kind: at for at, kind in enumerate(KINDS)}


def classes_of(text: str) -> NDArray[np.int64]:
    """Give the class of each seat of a text; the seats after its end are blank.

    Raises
    ------
    KeyError
        On a character that no plate carries.
    """
    classes = np.full(SEATS, BLANK, np.int64)
    classes[: len(text)] = [_CLASS_OF[character] for character in text]
    return classes
