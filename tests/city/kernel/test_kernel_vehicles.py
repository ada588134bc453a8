import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Invalid
from city.plate_rules import DIGITS, LETTERS, PROVINCES, RULES, Part
from city.vehicles import (
    Energy,
    ExemptionClass,
    PlateKind,
    PlateNumber,
    VehicleClass,
    kind_of_code,
    normalise_plate,
    parse_plate,
    possible_kinds,
)

ORDINARY_KINDS = ["blue7", "yellow7", "yellow2", "black7", "motorcycle", "temporary"]


def _text(form: tuple[Part, ...]) -> st.SearchStrategy[str]:
    return st.tuples(
        *(
            st.text(st.sampled_from(part.alphabet), min_size=part.length, max_size=part.length)
            for part in form
        )
    ).map("".join)


def _plates_of(kind: PlateKind) -> st.SearchStrategy[PlateNumber]:
    texts = st.sampled_from(RULES[kind].forms).flatmap(_text)
    return texts.map(lambda text: PlateNumber(text, kind))


PLATES = st.sampled_from(PlateKind).flatmap(_plates_of)


# --- kinds and forms


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("京AD12345", PlateKind.NEV_GREEN8),
        ("京AF12345", PlateKind.NEV_GREEN8),
        ("粤BDA1234", PlateKind.NEV_GREEN8),
        ("京A12345D", PlateKind.NEV_LARGE8),
        ("京A12345K", PlateKind.NEV_LARGE8),
        ("京A0006警", PlateKind.POLICE_WHITE),
        ("VA12345", PlateKind.MILITARY_WHITE),
        ("WJ京12345", PlateKind.WJ_WHITE),
        ("WJ12345", PlateKind.WJ_WHITE),
        ("001001使", PlateKind.EMBASSY_BLACK),
        ("使001001", PlateKind.EMBASSY_BLACK),
        ("京00101领", PlateKind.CONSULATE_BLACK),
        ("沪A0023领", PlateKind.CONSULATE_BLACK),
        ("粤Z0001港", PlateKind.HKMO_BLACK),
        ("粤ZAB12澳", PlateKind.HKMO_BLACK),
        ("京A0001学", PlateKind.LEARNER_YELLOW),
        ("京A0001挂", PlateKind.TRAILER_YELLOW),
        ("京X2345应急", PlateKind.EMERGENCY_WHITE),
        ("黑S2345应急", PlateKind.EMERGENCY_WHITE),
        ("京12345应急", PlateKind.EMERGENCY_WHITE),
        ("川0112345", PlateKind.AGRI_GREEN2),
        ("民航A1234", PlateKind.AVIATION_GREEN),
        ("京A12345临", PlateKind.TEMPORARY),
    ],
)
def test_the_kind_is_inferred_where_the_text_allows_one_only(text: str, kind: PlateKind) -> None:
    assert parse_plate(text, None) == PlateNumber(text, kind)


def test_an_ordinary_text_alone_is_no_vehicle_so_the_kind_is_asked_for() -> None:
    with pytest.raises(Invalid, match="several kinds") as caught:
        parse_plate("京A12345", None, field="vehicle.plate")

    assert caught.value.field == "vehicle.plate"
    assert caught.value.details["possible_kinds"] == ORDINARY_KINDS
    assert [kind.value for kind in possible_kinds("京A·12345")] == ORDINARY_KINDS


def test_a_blue_and_a_yellow_plate_of_one_text_are_two_vehicles() -> None:
    blue = parse_plate("京A12345", PlateKind.BLUE7)
    yellow = parse_plate("京A12345", PlateKind.YELLOW7)

    assert blue != yellow
    assert blue.identity == "blue7:京A12345"
    assert yellow.identity == "yellow7:京A12345"


def test_the_front_and_the_rear_plate_of_a_lorry_are_one_vehicle() -> None:
    assert parse_plate("京A12345", PlateKind.YELLOW2).identity == "yellow7:京A12345"


def test_old_plates_issued_under_o_are_plates_still() -> None:
    assert parse_plate("粤O12345", PlateKind.BLUE7).text == "粤O12345"


@pytest.mark.parametrize("letter", "DABCEFGHJK")
def test_all_ten_new_energy_letters_are_accepted(letter: str) -> None:
    assert parse_plate(f"沪A{letter}12345", None).kind is PlateKind.NEV_GREEN8
    assert parse_plate(f"沪A12345{letter}", None).kind is PlateKind.NEV_LARGE8


@pytest.mark.parametrize(
    "province", "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
)
def test_all_thirty_one_provinces_are_accepted(province: str) -> None:
    assert parse_plate(f"{province}A12345", PlateKind.BLUE7).text[0] == province


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("A12345", PlateKind.BLUE7, "the 1st character must be a province's character"),
        ("台A12345", PlateKind.BLUE7, "the 1st character must be a province's character"),
        ("京112345", PlateKind.BLUE7, "the 2nd character must be a letter (issuing letter)"),
        ("京I12345", PlateKind.BLUE7, "the 2nd character is I or O, which no issuing letter has"),
        ("京AI2345", PlateKind.BLUE7, "the 3rd character is I or O, which no serial has"),
        ("京A1234O", PlateKind.YELLOW7, "the 7th character is I or O, which no serial has"),
        ("京A1234", PlateKind.BLUE7, "must have 7 characters, has 6"),
        ("京A123456", PlateKind.BLUE7, "must have 7 characters, has 8"),
        (
            "京AL12345",
            PlateKind.NEV_GREEN8,
            "the 3rd character must be one of D A B C E F G H J K (new-energy letter)",
        ),
        ("京ADA234A", PlateKind.NEV_GREEN8, "the 8th character must be a digit (serial)"),
        (
            "京A12345L",
            PlateKind.NEV_LARGE8,
            "the 8th character must be one of D A B C E F G H J K (new-energy letter)",
        ),
        ("京A12345", PlateKind.POLICE_WHITE, "the 7th character must be 警"),
        ("京A12345", PlateKind.LEARNER_YELLOW, "the 7th character must be 学"),
        ("京A12345", PlateKind.TRAILER_YELLOW, "the 7th character must be 挂"),
        ("粤A0001港", PlateKind.HKMO_BLACK, "the 2nd character must be Z"),
        ("沪Z0001澳", PlateKind.HKMO_BLACK, "the 1st character must be 粤"),
        (
            "京Y2345应急",
            PlateKind.EMERGENCY_WHITE,
            "the 2nd character must be one of X S (service letter)",
        ),
        ("WA12345", PlateKind.WJ_WHITE, "the 2nd character must be J"),
        ("WJ台12345", PlateKind.WJ_WHITE, "the 3rd character must be a province's character"),
        ("W112345", PlateKind.MILITARY_WHITE, "the 1st character must be a letter (unit letter)"),
        ("00100使", PlateKind.EMBASSY_BLACK, "must have 7 characters, has 6"),
        ("京A01领", PlateKind.CONSULATE_BLACK, "must have 7 characters, has 5"),
        ("川A112345", PlateKind.AGRI_GREEN2, "the 2nd character must be a digit (area number)"),
        ("民机A1234", PlateKind.AVIATION_GREEN, "the 2nd character must be 航"),
    ],
)
def test_an_invalid_plate_says_which_rule_it_breaks(
    text: str, kind: PlateKind, reason: str
) -> None:
    with pytest.raises(Invalid) as caught:
        parse_plate(text, kind)

    assert reason in caught.value.message


def test_a_text_of_no_kind_says_so_by_the_closest_rule() -> None:
    with pytest.raises(Invalid, match="of no kind: the 3rd character is I or O"):
        parse_plate("京AI2345", None)


@pytest.mark.parametrize("text", ["", " · ", "x" * 41, "京A12345" * 1000])
def test_no_text_and_too_much_text_are_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_plate(text, None)


def test_an_unknown_kind_takes_what_is_legible_and_is_never_inferred() -> None:
    assert parse_plate("ABC123", PlateKind.UNKNOWN).identity == "unknown:ABC123"
    with pytest.raises(Invalid):
        parse_plate("ABC123", None)


# --- normalisation


@pytest.mark.parametrize(
    "typed",
    [
        "京A12345",
        "京a12345",
        "京A·12345",
        "京A 12345",
        "京A.12345",
        "京Ａ１２３４５",
        "京ａ－1 2•3・4-5",
        "\u3000京A12345\u00a0",
    ],
)
def test_width_case_and_separators_do_not_matter(typed: str) -> None:
    assert parse_plate(typed, PlateKind.BLUE7).text == "京A12345"


def test_look_alikes_are_not_repaired_by_normalisation() -> None:
    assert normalise_plate("京AO0I1ß①") == "京AO0I1ß①"


@given(st.text())
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    assert normalise_plate(normalise_plate(text)) == normalise_plate(text)


# --- laws


@given(PLATES)
def test_a_plate_is_read_back_from_its_text(plate: PlateNumber) -> None:
    assert parse_plate(str(plate), plate.kind) == plate
    assert parse_plate(plate.display, plate.kind) == plate
    assert plate.kind is PlateKind.UNKNOWN or plate.kind in possible_kinds(plate.text)


@given(PLATES)
def test_masking_shows_at_most_province_issuing_letter_marks_and_one_more_character(
    plate: PlateNumber,
) -> None:
    masked = plate.masked().replace("·", "")
    assert len(masked) == len(plate.text)
    shown = [index for index, character in enumerate(masked) if character != "*"]
    assert all(masked[index] == plate.text[index] for index in shown)
    serial_shown = [
        index for index in shown if index >= 2 and plate.text[index] in DIGITS + LETTERS
    ]

    # The issuing letter of a plate with two leading marks stands third; nothing else does.
    two_marks = plate.kind is PlateKind.AVIATION_GREEN or plate.text.startswith("临")
    if two_marks and serial_shown[:1] == [2]:
        serial_shown.remove(2)
    assert serial_shown in ([], [len(plate.text) - 1])


@given(
    st.sampled_from(["blue7", "yellow7", "nev_green8", "nev_large8"])
    .map(PlateKind)
    .flatmap(_plates_of)
)
def test_a_masked_civil_plate_keeps_province_letter_and_last_character_only(
    plate: PlateNumber,
) -> None:
    hidden = "*" * (len(plate.text) - 3)

    assert plate.masked() == f"{plate.text[:2]}·{hidden}{plate.text[-1]}"


@given(PLATES)
def test_neither_repr_nor_a_log_argument_shows_more_than_the_mask(plate: PlateNumber) -> None:
    assert repr(plate) == f"PlateNumber({plate.masked()}, {plate.kind.value})"
    record = logging.LogRecord("x", logging.INFO, "x", 1, "%r", (plate,), None)
    assert plate.text not in record.getMessage()


@given(
    st.text(DIGITS + LETTERS + "IO" + PROVINCES + "警学挂使领港澳应急 ·", max_size=12),
    st.none() | st.sampled_from(PlateKind),
)
def test_whatever_is_typed_gives_a_plate_or_a_reason_that_does_not_repeat_it(
    text: str, kind: PlateKind | None
) -> None:
    try:
        plate = parse_plate(text, kind)
    except Invalid as error:
        refusal = error
    else:
        assert plate.text == normalise_plate(text)
        return
    assert refusal.field == "plate"
    assert len(normalise_plate(text)) < 4 or normalise_plate(text) not in str(refusal)


@given(PLATES, PLATES)
def test_vehicles_are_the_same_only_where_text_and_register_are(
    a: PlateNumber, b: PlateNumber
) -> None:
    same = a.text == b.text and (
        a.kind == b.kind or {a.kind, b.kind} == {PlateKind.YELLOW7, PlateKind.YELLOW2}
    )

    assert (a.identity == b.identity) == same


# --- what a kind means


def test_every_kind_has_one_entry_in_the_table() -> None:
    assert list(RULES) == list(PlateKind)


def test_a_kind_says_class_and_energy_only_where_it_knows() -> None:
    bus = parse_plate("京A12345D", None)
    police = parse_plate("京A0006警", None)

    assert (bus.vehicle_class, bus.energy) == (VehicleClass.LARGE, Energy.NEW)
    assert (police.vehicle_class, police.energy) == (None, None)


def test_exemption_follows_the_kind() -> None:
    claims = {kind.value: rule.exemption for kind, rule in RULES.items() if rule.exemption}

    assert claims == {
        "police_white": ExemptionClass.POLICE,
        "military_white": ExemptionClass.MILITARY,
        "wj_white": ExemptionClass.ARMED_POLICE,
        "embassy_black": ExemptionClass.DIPLOMATIC,
        "consulate_black": ExemptionClass.DIPLOMATIC,
        "emergency_white": ExemptionClass.EMERGENCY,
    }


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("01", "yellow7"),
        ("02", "blue7"),
        ("03", "embassy_black"),
        ("04", "consulate_black"),
        ("06", "black7"),
        ("07", "motorcycle"),
        ("14", "agri_green2"),
        ("15", "trailer_yellow"),
        ("16", "learner_yellow"),
        ("22", "temporary"),
        ("23", "police_white"),
        ("26", "hkmo_black"),
        ("27", "hkmo_black"),
        ("31", "wj_white"),
        ("32", "military_white"),
        ("33", "emergency_white"),
        ("41", "unknown"),
        ("51", "nev_large8"),
        ("52", "nev_green8"),
        ("99", "unknown"),
    ],
)
def test_a_national_code_names_a_kind(code: str, kind: str) -> None:
    assert kind_of_code(code).value == kind


def test_an_unheard_of_national_code_is_refused() -> None:
    with pytest.raises(Invalid):
        kind_of_code("98", field="kind")


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("kind", PlateKind)
def test_a_plates_label_is_legible_in_its_own_colours(kind: PlateKind) -> None:
    colours = RULES[kind].colours
    for ground in colours.ground:
        for ink in (colours.ink, colours.mark):
            darker, lighter = sorted((_luminance(ground), _luminance(ink)))
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_a_plate_is_displayed_with_its_dot() -> None:
    shown = {
        parse_plate(text, kind).display
        for text, kind in [
            ("京A12345", PlateKind.BLUE7),
            ("京A0006警", None),
            ("京X2345应急", None),
            ("WJ京12345", None),
            ("001001使", None),
        ]
    }

    assert shown == {"京A·12345", "京·A0006警", "京·X2345应急", "WJ京·12345", "001001使"}
