"""A tariff that cannot be rated is refused with the field and the rule that it breaks."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Invalid
from parking.rules.tariffs.reading import document_json_schema, read_document

DAY: dict[str, Any] = {
    "id": "day",
    "name": {"zh": "白天", "en": "day"},
    "from": "08:00",
    "to": "20:00",
    "charge": {
        "kind": "steps",
        "rounding": "started",
        "steps": [
            {"until_s": 3600, "unit_s": 1800, "price_minor": 200},
            {"unit_s": 1800, "price_minor": 300},
        ],
    },
}
NIGHT: dict[str, Any] = {
    "id": "night",
    "name": {"zh": "夜间", "en": "night"},
    "from": "20:00",
    "to": "08:00",
    "charge": {"kind": "entry", "price_minor": 500},
}
SOUND: dict[str, Any] = {
    "language": "greenbay-tariff/1",
    "name": {"zh": "试", "en": "trial"},
    "currency": "CNY",
    "timezone": "Asia/Shanghai",
    "schedules": [{"id": "all", "bands": [DAY, NIGHT]}],
}
BAND = "schedules[0].bands[0]"
TIERS = {"kind": "tiers", "tiers": [{"up_to_s": 900, "price_minor": 100}, {"price_minor": 300}]}


def changed(path: str, value: object) -> dict[str, Any]:
    """Give the sound tariff with one member replaced; None removes it."""
    document = copy.deepcopy(SOUND)
    *parents, last = path.replace("[", ".").replace("]", "").split(".")
    place: Any = document
    for name in parents:
        place = place[int(name)] if name.isdigit() else place[name]
    if value is None:
        del place[last]
    else:
        place[int(last) if last.isdigit() else last] = value
    return document


def test_a_sound_tariff_is_read() -> None:
    assert read_document(SOUND).currency == "CNY"


@pytest.mark.parametrize(
    ("path", "value", "field", "rule"),
    [
        ("language", "greenbay-tariff/2", "language", "should be 'greenbay-tariff/1'"),
        ("currency", "XXX", "currency", "not an ISO 4217 currency"),
        ("timezone", "Mars/Base", "timezone", "not an IANA time zone"),
        ("timezone", "../../etc/passwd", "timezone", "not an IANA time zone"),
        ("schedules", [], "schedules", "at least 1 item"),
        (f"{BAND}.form", "07:00", f"{BAND}.form", "not permitted"),
        (f"{BAND}.from", "25:00", f"{BAND}.from", "between 00:00 and 24:00"),
        (f"{BAND}.from", "8:00", f"{BAND}.from", "match pattern"),
        (f"{BAND}.from", "08:30", "schedules[0].bands", "leave 08:00-08:30 of a monday"),
        (f"{BAND}.days", ["workday"], "schedules[0].bands", "of a saturday (weekend) without"),
        (f"{BAND}.days", ["holiday"], f"{BAND}.days[0]", "needs a calendar"),
        (f"{BAND}.days", ["mon"], f"{BAND}.days[0]", "should be 'monday'"),
        (f"{BAND}.id", "night", "schedules[0].bands[1]", "'night' stands twice"),
        (f"{BAND}.charge.steps[0].price_minor", -1, None, "greater than or equal to 0"),
        (f"{BAND}.charge.steps[0].price_minor", 2.5, None, "valid integer"),
        (f"{BAND}.charge.steps[0].unit_s", 0, None, "greater than or equal to 1"),
        (f"{BAND}.charge.steps[0].unit_s", 1000, f"{BAND}.charge.steps[0].until_s", "whole units"),
        (f"{BAND}.charge.steps[0].until_s", None, None, "only the last may be open-ended"),
        (f"{BAND}.charge.steps[1].until_s", 7200, None, "last step must be open-ended"),
        (f"{BAND}.charge.kind", "gift", f"{BAND}.charge", "does not match any of the expected"),
        (f"{BAND}.charge.rounding", "nearest", None, "should be 'started' or 'completed'"),
        (f"{BAND}.cap_minor", 199, None, "below the band's first price of 200"),
        ("schedules[0].caps", [{"per": "day", "minor": 499}], "schedules[0].caps[0].minor", "500"),
        (
            "schedules[0].caps",
            [{"per": "day", "minor": 900}, {"per": "day", "minor": 800}],
            "schedules[0].caps[1]",
            "'day' stands twice",
        ),
        (
            f"{BAND}.charge",
            {"kind": "tiers", "tiers": [{"up_to_s": 9, "price_minor": 5}, {"price_minor": 4}]},
            f"{BAND}.charge.tiers[1].price_minor",
            "must not fall",
        ),
        (
            f"{BAND}.charge",
            {**TIERS, "tiers": [*TIERS["tiers"][:1], *TIERS["tiers"]]},
            f"{BAND}.charge.tiers[1].up_to_s",
            "after the tier before it",
        ),
        (
            "schedules[0].bands[1]",
            {**NIGHT, "from": "09:00", "to": "10:00"},
            "schedules[0].bands",
            "leave 00:00-08:00",
        ),
        (
            "schedules",
            [SOUND["schedules"][0], {**SOUND["schedules"][0], "id": "other"}],
            "schedules[0]",
            "can never apply",
        ),
        (
            "schedules[0].bands",
            [{**DAY, "from": "00:00", "to": "24:00"}, NIGHT],
            "schedules[0].bands[1]",
            "can never apply",
        ),
    ],
)
def test_a_fault_is_named_with_its_field_and_rule(
    path: str, value: object, field: str | None, rule: str
) -> None:
    with pytest.raises(Invalid) as raised:
        read_document(changed(path, value))
    assert raised.value.field == (path if field is None else field)
    assert rule in raised.value.message


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*SOUND, *DAY, *DAY["charge"]]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.sampled_from([*SOUND, f"{BAND}.charge", f"{BAND}.days", f"{BAND}.free"]), JUNK)
def test_arbitrary_json_is_refused_or_read_and_never_breaks(path: str, value: object) -> None:
    field = "something"
    try:
        read_document(changed(path, value) if value is not None else {"language": path})
    except Invalid as error:
        field = error.field or ""
    assert field


def test_the_schema_is_closed_and_names_its_draft() -> None:
    schema: Any = document_json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Band"]["properties"]["from"]["default"] == "00:00"
