"""Vehicles by their plates: a vehicle is a number *and* a kind of plate.

A blue and a yellow plate can carry the same number, so text alone never names a vehicle. The text
of a plate is personal data: errors and ``repr`` never show more than ``masked`` does.
"""

from dataclasses import dataclass
from itertools import takewhile

from city.errors import Invalid
from city.plate_rules import (
    KIND_OF_CODE,
    RULES,
    Energy,
    ExemptionClass,
    Part,
    PlateColours,
    PlateKind,
    VehicleClass,
)

__all__ = [
    "Energy",
    "ExemptionClass",
    "PlateColours",
    "PlateKind",
    "PlateNumber",
    "VehicleClass",
    "kind_of_code",
    "normalise_plate",
    "parse_plate",
    "possible_kinds",
]

_MAX_INPUT = 40
_FULL_WIDTH = range(0xFF01, 0xFF5F)
_TO_ASCII = {code: code - 0xFEE0 for code in _FULL_WIDTH}
_SEPARATORS = " \t\u3000\u00a0.·•‧∙・･。-‐‑–—_"
_DROPPED = dict.fromkeys(map(ord, _SEPARATORS))
_TO_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
_ORDINAL_OF_TEEN = range(11, 14)


@dataclass(frozen=True, slots=True, repr=False)
class PlateNumber:
    """A valid plate: normalised text and kind.

    Parameters
    ----------
    text : str
        Normalised: upper case, no separators. ``parse_plate`` makes it from what people type.
    kind : PlateKind
        The kind that was seen.

    Raises
    ------
    Invalid
        Where the text is not one of the kind; the message names the rule, never the text.
    """

    text: str
    kind: PlateKind

    def __post_init__(self) -> None:
        reason = _reason(self.text, self.kind)
        if reason is not None:
            raise Invalid(reason, field="plate", kind=self.kind.value)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"PlateNumber({self.masked()}, {self.kind.value})"

    @property
    def identity(self) -> str:
        """Name of the vehicle, unique over all kinds: ``blue7:…``.

        The two-row rear plate of a large vehicle names the same one as its one-row front plate.
        """
        return f"{RULES[self.kind].registered_as or self.kind}:{self.text}"

    @property
    def display(self) -> str:
        """The plate as it is written, with its dot: ``京A·12345``."""
        return self._dotted(self.text, self._form())

    @property
    def vehicle_class(self) -> VehicleClass | None:
        """Class of the vehicle; None where the kind does not say."""
        return RULES[self.kind].vehicle_class

    @property
    def energy(self) -> Energy | None:
        """What drives the vehicle; None where the kind does not say."""
        return RULES[self.kind].energy

    @property
    def exemption(self) -> ExemptionClass | None:
        """Class of exemption that the plate lays claim to; the tariff decides what it gets."""
        return RULES[self.kind].exemption

    @property
    def colours(self) -> PlateColours:
        """Colours for a label."""
        return RULES[self.kind].colours

    @property
    def code(self) -> str:
        """National code of the kind; ``99`` (other) where it has none of its own."""
        return RULES[self.kind].codes[0]

    def masked(self) -> str:
        """Give the plate as those see it who may not see it: ``京A·****5``.

        Shows what many vehicles share (province, issuing letter, marks of the kind) and at most
        one character of the rest: the last one, and only where no mark follows it.
        """
        parts = self._form()
        shown = "".join(
            character if part.shown else "*"
            for part, character in zip(_characters(parts), self.text, strict=True)
        )
        if not parts[-1].shown:
            shown = shown[:-1] + self.text[-1]
        return self._dotted(shown, parts)

    def _form(self) -> tuple[Part, ...]:
        return next(form for form in RULES[self.kind].forms if _mismatch(self.text, form) is None)

    def _dotted(self, text: str, parts: tuple[Part, ...]) -> str:
        head = RULES[self.kind].dot_after
        if head is None:
            head = sum(part.length for part in takewhile(lambda part: part.shown, parts))
        return f"{text[:head]}·{text[head:]}" if head else text


def normalise_plate(text: str) -> str:
    """Bring what people and cameras write into one form.

    Full-width characters become ASCII, letters upper case; blanks, dots and dashes go. Nothing
    else is repaired: a zero typed for an O is somebody's error to see, not ours to guess.
    """
    return text.translate(_TO_ASCII).translate(_DROPPED).translate(_TO_UPPER)


def possible_kinds(text: str) -> tuple[PlateKind, ...]:
    """Give every kind that a text could be of, in the table's order, ``unknown`` never.

    For an ordinary seven-character text that is more than one: ask which, by colour.
    """
    normal = normalise_plate(text[:_MAX_INPUT])
    return tuple(
        kind for kind in RULES if kind is not PlateKind.UNKNOWN and _reason(normal, kind) is None
    )


def parse_plate(text: str, kind: PlateKind | None, field: str = "plate") -> PlateNumber:
    """Read a plate.

    Parameters
    ----------
    text : str
        As typed or read: any width, case and separators.
    kind : PlateKind or None
        The kind, or None to infer it from the text where only one kind is possible.
    field : str
        Name of the field, for the error.

    Raises
    ------
    Invalid
        With the rule that is broken; or, where the text alone does not tell the vehicle, with
        ``possible_kinds`` in its details.
    """
    if len(text) > _MAX_INPUT:
        raise Invalid("is longer than any plate", field=field)
    normal = normalise_plate(text)
    if not normal:
        raise Invalid("is empty", field=field)
    if kind is None:
        kind = _inferred(normal, field)
    reason = _reason(normal, kind)
    if reason is not None:
        raise Invalid(reason, field=field, kind=kind.value)
    return PlateNumber(normal, kind)


def kind_of_code(code: str, field: str = "kind") -> PlateKind:
    """Give the kind of a two-digit national code; Invalid where there is no such code."""
    kind = KIND_OF_CODE.get(code)
    if kind is None:
        raise Invalid("is not a national code of a plate kind", field=field)
    return kind


def _inferred(normal: str, field: str) -> PlateKind:
    kinds = possible_kinds(normal)
    if len(kinds) == 1:
        return kinds[0]
    if kinds:
        raise Invalid(
            "could be of several kinds: say which (the colour tells)",
            field=field,
            possible_kinds=[kind.value for kind in kinds],
        )
    misfits = [
        misfit
        for kind, rule in RULES.items()
        if kind is not PlateKind.UNKNOWN
        for form in rule.forms
        if (misfit := _mismatch(normal, form)) is not None
    ]
    raise Invalid(f"is of no kind: {max(misfits, key=_closeness).reason}", field=field)


def _characters(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Give the part of each character."""
    return tuple(part for part in parts for _ in range(part.length))


def _reason(text: str, kind: PlateKind) -> str | None:
    """Say why a text is not of a kind; None where it is."""
    misfits = []
    for form in RULES[kind].forms:
        misfit = _mismatch(text, form)
        if misfit is None:
            return None
        misfits.append(misfit)
    return max(misfits, key=_closeness).reason


@dataclass(frozen=True, slots=True)
class _Misfit:
    """Where a text leaves a form, and why."""

    followed: int
    same_length: bool
    reason: str


def _closeness(misfit: _Misfit) -> tuple[bool, int]:
    """Rank misfits: people get a character wrong more often than the number of characters."""
    return misfit.same_length, misfit.followed


def _mismatch(text: str, form: tuple[Part, ...]) -> _Misfit | None:
    """Say where a text leaves a form; None where it is of the form."""
    parts = _characters(form)
    followed = next(
        (
            index
            for index, (character, part) in enumerate(zip(text, parts, strict=False))
            if character not in part.alphabet
        ),
        min(len(text), len(parts)),
    )
    reasons = []
    if len(text) != len(parts):
        reasons.append(f"must have {len(parts)} characters, has {len(text)}")
    if followed < min(len(text), len(parts)):
        part = parts[followed]
        where = f"the {_ordinal(followed + 1)} character"
        # A set of letters lacks I and O by rule, and people type them for 1 and 0.
        if text[followed] in "IO" and part.alphabet.endswith(("Z", "O")) and part.alphabet != "Z":
            reasons.append(f"{where} is I or O, which no {part.name} has")
        else:
            reasons.append(f"{where} must be {_named(part)}")
    return _Misfit(followed, len(text) == len(parts), "; ".join(reasons)) if reasons else None


def _named(part: Part) -> str:
    if len(part.alphabet) == 1:
        return part.alphabet
    if part.alphabet.isdigit():
        return f"a digit ({part.name})"
    if len(part.alphabet) <= 10:  # noqa: PLR2004 - short enough to read out
        return f"one of {' '.join(part.alphabet)} ({part.name})"
    if part.name == "province":
        return "a province's character"
    return f"a letter or digit ({part.name})" if "0" in part.alphabet else f"a letter ({part.name})"


def _ordinal(number: int) -> str:
    suffix = (
        "th" if number in _ORDINAL_OF_TEEN else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    )
    return f"{number}{suffix}"
