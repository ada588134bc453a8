"""Lists of plates as people send them: the good ones taken, the bad ones named with the rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from city.errors import Invalid
from city.vehicles import PlateKind, PlateNumber, parse_plate

MOST_PLATES: Final = 500
"""Plates in one request; a longer list is sent in parts."""


@dataclass(frozen=True, slots=True)
class WrittenPlate:
    """A plate as it was written; the kind as its name, or None to infer it from the text."""

    text: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class ReadPlate:
    """An item of a list that is a plate."""

    index: int
    plate: PlateNumber


@dataclass(frozen=True, slots=True)
class RejectedPlate:
    """An item of a list that is none, or one too many; never the text itself."""

    index: int
    field: str
    reason: str


def read_plates(
    written: Sequence[WrittenPlate],
) -> tuple[tuple[ReadPlate, ...], tuple[RejectedPlate, ...]]:
    """Read a list of plates.

    Returns
    -------
    tuple of ReadPlate, tuple of RejectedPlate
        By their places in the list. A vehicle that stands there twice is taken once.

    Raises
    ------
    Invalid
        On a list that is longer than ``MOST_PLATES``.
    """
    if len(written) > MOST_PLATES:
        raise Invalid(f"must be at most {MOST_PLATES}", field="plates")
    good: list[ReadPlate] = []
    bad: list[RejectedPlate] = []
    first: dict[str, int] = {}
    for index, each in enumerate(written):
        try:
            plate = _read(each)
        except Invalid as error:
            bad.append(RejectedPlate(index, error.field or "plate", error.message))
            continue
        before = first.setdefault(plate.identity, index)
        if before == index:
            good.append(ReadPlate(index, plate))
        else:
            bad.append(RejectedPlate(index, "plate", f"stands in the list already, at {before}"))
    return tuple(good), tuple(bad)


def _read(written: WrittenPlate) -> PlateNumber:
    kind = None
    if written.kind is not None:
        if written.kind not in set(PlateKind):
            raise Invalid("is not a kind of plate", field="kind")
        kind = PlateKind(written.kind)
        if kind is PlateKind.UNKNOWN:
            raise Invalid("must be known: a right belongs to one vehicle", field="kind")
    return parse_plate(written.text, kind)
