"""The kinds of Chinese number plate as one table: form, colours, national codes, meaning.

Sources: a digest of GA 36-2018 for ordinary, new-energy, police, trailer, learner, embassy,
consulate, Hong Kong and Macao plates; the State Council's notice on emergency plates; codes of
the plate kinds as used with GA 24.7 (their text was not at hand: three of four public sources
agree on 51 large and 52 small new energy). The forms of temporary, civil aviation and tractor
plates (NY 345.1) follow public code only, so their rules are wide.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class PlateKind(StrEnum):
    """Kind of a plate as a camera or a person can tell it; the contract's list."""

    BLUE7 = "blue7"
    YELLOW7 = "yellow7"
    YELLOW2 = "yellow2"
    NEV_GREEN8 = "nev_green8"
    NEV_LARGE8 = "nev_large8"
    POLICE_WHITE = "police_white"
    MILITARY_WHITE = "military_white"
    WJ_WHITE = "wj_white"
    EMBASSY_BLACK = "embassy_black"
    CONSULATE_BLACK = "consulate_black"
    HKMO_BLACK = "hkmo_black"
    BLACK7 = "black7"
    LEARNER_YELLOW = "learner_yellow"
    TRAILER_YELLOW = "trailer_yellow"
    EMERGENCY_WHITE = "emergency_white"
    MOTORCYCLE = "motorcycle"
    AGRI_GREEN2 = "agri_green2"
    AVIATION_GREEN = "aviation_green"
    TEMPORARY = "temporary"
    UNKNOWN = "unknown"


class VehicleClass(StrEnum):
    """Class of a vehicle for tariffs and bays."""

    SMALL = "small"
    LARGE = "large"
    MOTORCYCLE = "motorcycle"


class Energy(StrEnum):
    """What drives a vehicle, as far as its plate says it."""

    NEW = "new"
    CONVENTIONAL = "conventional"


class ExemptionClass(StrEnum):
    """Class that a plate lays claim to; which classes park free is the tariff's rule."""

    EMERGENCY = "emergency"
    """Free by the State Council's notice."""
    POLICE = "police"
    MILITARY = "military"
    ARMED_POLICE = "armed_police"
    DIPLOMATIC = "diplomatic"


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a plate's text whose characters come from one set."""

    name: str
    """What it is called in a reason: 'province', 'serial'."""
    alphabet: str
    length: int = 1
    shown: bool = False
    """Whether a masked plate shows it: what does not tell one vehicle from its neighbours."""


@dataclass(frozen=True, slots=True)
class PlateColours:
    """How a plate looks as a label: ``#rrggbb`` each."""

    ground: tuple[str, ...]
    """One colour, or the stops of a gradient from top to bottom."""
    ink: str
    mark: str
    """Colour of the marks that are not in ink: 警, 应急, WJ, the military letters."""


@dataclass(frozen=True, slots=True)
class PlateRule:
    """Everything that the platform knows of a kind."""

    forms: tuple[tuple[Part, ...], ...]
    """Each way in which its text may be built."""
    colours: PlateColours
    codes: tuple[str, ...]
    """National codes of the plate kind; the first is the one to send."""
    vehicle_class: VehicleClass | None = None
    """None where the kind does not say."""
    energy: Energy | None = None
    """None where the kind does not say."""
    exemption: ExemptionClass | None = None
    registered_as: PlateKind | None = None
    """The kind under which the vehicle is registered, where that is another one."""
    dot_after: int | None = None
    """Characters before the dot; None: as many as a masked plate shows at its head."""


PROVINCES: Final = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
DIGITS: Final = "0123456789"
LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
"""All but I and O, which no serial has."""
NEW_ENERGY_LETTERS: Final = "DABCEFGHJK"
"""D A B C E: battery electric; F G H J K: other new energy."""
MARKS: Final = "警学挂领港澳使应急民航临试超"

_SERIAL: Final = DIGITS + LETTERS


def _mark(text: str) -> tuple[Part, ...]:
    return tuple(Part(f"mark {text}", character, shown=True) for character in text)


_PROVINCE: Final = Part("province", PROVINCES, shown=True)
# O is no longer issued, but plates that carry it (粤O and the like) are still on the street.
_ISSUER: Final = Part("issuing letter", LETTERS + "O", shown=True)
_SEATED: Final = (_PROVINCE, _ISSUER)


def _serial(length: int) -> Part:
    return Part("serial", _SERIAL, length)


def _digits(length: int, name: str = "serial") -> Part:
    return Part(name, DIGITS, length)


_ORDINARY: Final = (*_SEATED, _serial(5))

_BLACK: Final = PlateColours(("#111418",), "#ffffff", "#ffffff")
_BLUE: Final = PlateColours(("#0a3d91",), "#ffffff", "#ffffff")
_GREEN: Final = PlateColours(("#0b6b3a",), "#ffffff", "#ffffff")
_GREY: Final = PlateColours(("#e3e7e4",), "#16201c", "#16201c")
_PALE_BLUE: Final = PlateColours(("#dcecf8",), "#16201c", "#16201c")
_WHITE: Final = PlateColours(("#ffffff",), "#111418", "#b3261e")
_YELLOW: Final = PlateColours(("#f2b705",), "#111418", "#111418")
_YELLOW_GREEN: Final = PlateColours(("#f2b705", "#6cc690"), "#111418", "#111418")
_GREEN_GRADIENT: Final = PlateColours(("#f4fbf6", "#6cc690"), "#111418", "#111418")

RULES: Final[Mapping[PlateKind, PlateRule]] = {
    PlateKind.BLUE7: PlateRule(
        forms=(_ORDINARY,),
        colours=_BLUE,
        codes=("02",),
        vehicle_class=VehicleClass.SMALL,
        energy=Energy.CONVENTIONAL,
    ),
    PlateKind.YELLOW7: PlateRule(
        forms=(_ORDINARY,),
        colours=_YELLOW,
        codes=("01",),
        vehicle_class=VehicleClass.LARGE,
        energy=Energy.CONVENTIONAL,
    ),
    # The two-row rear plate of the vehicle whose front plate is yellow7: one vehicle, and a
    # stay may well begin with a read of the one and end with a read of the other.
    PlateKind.YELLOW2: PlateRule(
        forms=(_ORDINARY,),
        colours=_YELLOW,
        codes=("01",),
        vehicle_class=VehicleClass.LARGE,
        energy=Energy.CONVENTIONAL,
        registered_as=PlateKind.YELLOW7,
    ),
    PlateKind.NEV_GREEN8: PlateRule(
        forms=(
            (
                *_SEATED,
                Part("new-energy letter", NEW_ENERGY_LETTERS),
                _serial(1),
                _digits(4),
            ),
        ),
        colours=_GREEN_GRADIENT,
        codes=("52",),
        vehicle_class=VehicleClass.SMALL,
        energy=Energy.NEW,
    ),
    PlateKind.NEV_LARGE8: PlateRule(
        forms=((*_SEATED, _digits(5), Part("new-energy letter", NEW_ENERGY_LETTERS)),),
        colours=_YELLOW_GREEN,
        codes=("51",),
        vehicle_class=VehicleClass.LARGE,
        energy=Energy.NEW,
    ),
    PlateKind.POLICE_WHITE: PlateRule(
        forms=((*_SEATED, _serial(4), *_mark("警")),),
        colours=_WHITE,
        codes=("23", "24"),
        exemption=ExemptionClass.POLICE,
        dot_after=1,
    ),
    PlateKind.MILITARY_WHITE: PlateRule(
        forms=(
            (
                Part("unit letter", LETTERS.replace("W", ""), shown=True),
                Part("unit letter", LETTERS, shown=True),
                _serial(5),
            ),
        ),
        colours=_WHITE,
        codes=("32",),
        exemption=ExemptionClass.MILITARY,
    ),
    # Headquarters' plates carry no province.
    PlateKind.WJ_WHITE: PlateRule(
        forms=(
            (*_mark("WJ"), _PROVINCE, _serial(5)),
            (*_mark("WJ"), _serial(5)),
        ),
        colours=_WHITE,
        codes=("31",),
        exemption=ExemptionClass.ARMED_POLICE,
    ),
    # 使 leads on the older ones and ends the newer ones.
    PlateKind.EMBASSY_BLACK: PlateRule(
        forms=((_serial(6), *_mark("使")), (*_mark("使"), _serial(6))),
        colours=_BLACK,
        codes=("03", "09"),
        exemption=ExemptionClass.DIPLOMATIC,
    ),
    PlateKind.CONSULATE_BLACK: PlateRule(
        forms=(
            (_PROVINCE, _digits(3, "country number"), _serial(2), *_mark("领")),
            (_PROVINCE, _digits(3, "country number"), _serial(3), *_mark("领")),
            (*_SEATED, _serial(4), *_mark("领")),
        ),
        colours=_BLACK,
        codes=("04", "10"),
        exemption=ExemptionClass.DIPLOMATIC,
    ),
    PlateKind.HKMO_BLACK: PlateRule(
        forms=tuple(
            (
                Part("province 粤", "粤", shown=True),
                Part("issuing letter Z", "Z", shown=True),
                _serial(4),
                *_mark(mark),
            )
            for mark in "港澳"
        ),
        colours=_BLACK,
        codes=("26", "27"),
    ),
    PlateKind.BLACK7: PlateRule(forms=(_ORDINARY,), colours=_BLACK, codes=("06", "05")),
    PlateKind.LEARNER_YELLOW: PlateRule(
        forms=((*_SEATED, _serial(4), *_mark("学")),),
        colours=_YELLOW,
        codes=("16",),
    ),
    PlateKind.TRAILER_YELLOW: PlateRule(
        forms=((*_SEATED, _serial(4), *_mark("挂")),),
        colours=_YELLOW,
        codes=("15",),
        vehicle_class=VehicleClass.LARGE,
    ),
    # X: fire and rescue, S: forest fire; the ministry's own carry five digits.
    PlateKind.EMERGENCY_WHITE: PlateRule(
        forms=(
            (_PROVINCE, Part("service letter", "XS", shown=True), _serial(4), *_mark("应急")),
            (_PROVINCE, _digits(5), *_mark("应急")),
        ),
        colours=_WHITE,
        codes=("33",),
        exemption=ExemptionClass.EMERGENCY,
        dot_after=1,
    ),
    PlateKind.MOTORCYCLE: PlateRule(
        forms=(_ORDINARY,),
        colours=_YELLOW,
        codes=("07", "08", "11", "12", "17", "19", "21"),
        vehicle_class=VehicleClass.MOTORCYCLE,
    ),
    PlateKind.AGRI_GREEN2: PlateRule(
        forms=((_PROVINCE, _digits(2, "area number"), _serial(5)),),
        colours=_GREEN,
        codes=("14", "25"),
        vehicle_class=VehicleClass.LARGE,
    ),
    PlateKind.AVIATION_GREEN: PlateRule(
        forms=((*_mark("民航"), Part("letter", LETTERS, shown=True), _serial(4)),),
        colours=_GREEN,
        codes=("99",),
    ),
    PlateKind.TEMPORARY: PlateRule(
        forms=(
            _ORDINARY,
            *(
                (*_SEATED, _serial(length), *_mark(mark))
                for mark in "临试超"
                for length in (4, 5, 6)
            ),
            (*_mark("临"), _PROVINCE, _serial(5)),
            (*_mark("临"), *_SEATED, _serial(5)),
        ),
        colours=_PALE_BLUE,
        codes=("22", "20", "18"),
    ),
    # A plate of which nobody knows the kind, a foreign one among them: kept, never inferred.
    PlateKind.UNKNOWN: PlateRule(
        forms=tuple(
            (Part("text", _SERIAL + "IO" + PROVINCES + MARKS, length),) for length in range(4, 11)
        ),
        colours=_GREY,
        codes=("99", "13", "41", "42", "43"),
    ),
}

KIND_OF_CODE: Final[Mapping[str, PlateKind]] = {
    **{code: kind for kind, rule in RULES.items() for code in rule.codes},
    "01": PlateKind.YELLOW7,
}
"""National code to kind. Low-speed vehicles (13) share yellow's look but not its register, and
41 to 43 are no, false and borrowed plates: all of them are of unknown kind."""
