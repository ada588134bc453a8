"""Files of places: read feature by feature, imported twice without a difference."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from city.errors import Invalid
from city.identifiers import DistrictCode
from city.people.actors import SYSTEM
from parking.commands import import_places as command
from parking.rules.places.importing.curblr import read_curblr
from parking.rules.places.importing.stated import ImportOptions, ImportPlan
from parking.rules.places.usage import usage
from parking.services import place_import, place_keeping, places
from parking.store import imports, place_history

if TYPE_CHECKING:
    from collections.abc import Iterator

    from city.time import FixedClock
    from city.works.database import Database
    from parking.services.place_import import ImportReport

EAST = DistrictCode("0153")
OPTIONS = ImportOptions("survey", timezone="Europe/Berlin")
DATA = os.environ.get("GREENBAY_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="GREENBAY_DATA is not set")


def feature(properties: dict[str, Any], geometry: dict[str, Any] | None, **more: Any) -> Any:
    return {"type": "Feature", "properties": properties, "geometry": geometry, **more}


def point(x: float, y: float = 48.57) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [x, y]}


def line(*places: tuple[float, float]) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": [list(each) for each in places]}


def collection(*features: Any, **more: Any) -> Any:
    return {"type": "FeatureCollection", "features": list(features), **more}


def plan(value: Any, form: Any = "geojson", **options: Any) -> ImportPlan:
    known = ImportOptions(**{"source": "survey", "timezone": "Europe/Berlin", **options})
    return place_import.read_plan(form, value, known)


def rejections(found: ImportPlan) -> list[tuple[int, str]]:
    return [(each.index, each.field) for each in found.rejected]


KERB = line((7.8050, 48.5730), (7.8058, 48.5730))


def surveyed(fid: int, geometry: Any = KERB, **more: Any) -> Any:
    stated = {
        "fid": fid,
        "Adresse": "Hauptstraße",
        "Ort": "77694 Kehl",
        "Widmung": "öffentlich",
        "Parkrichtung": "Längsparken",
        "Gebühreninformation": "Mo-Sa_9-18h;1,00€/h",
        "Gebührenpflichtig": True,
        "Max. Parkdauer": "120",
        "Ortsbezug": "Straßenraum",
        "Bewirtschaftung": "Parkschein",
        "Kapazität": 8,
    }
    return feature({**stated, **more}, geometry)


def test_a_surveyed_kerb_becomes_a_facility_with_its_bays_along_it() -> None:
    found = plan(collection(surveyed(7)))
    (kerb,) = found.facilities
    assert (kerb.code, kerb.kind, kerb.ownership, kerb.name, kerb.address) == (
        "survey-7",
        "kerb",
        "roadside",
        "Hauptstraße",
        "Hauptstraße, 77694 Kehl",
    )
    assert [bay.label for bay in kerb.bays] == ["1", "2", "3", "4", "5", "6", "7", "8"]
    assert {(bay.located, bay.kind, bay.purpose) for bay in kerb.bays} == {
        ("derived", "standard", "public")
    }
    (rule,) = kerb.bays[0].rules
    assert (rule.max_stay_min, rule.paid, [span.as_json() for span in rule.spans]) == (
        120,
        True,
        [{"days": ["mo", "tu", "we", "th", "fr", "sa"], "times": [["09:00", "18:00"]]}],
    )


@pytest.mark.parametrize(
    ("member", "value", "field"),
    [
        ("Kapazität", None, "Kapazität"),
        ("Kapazität", 0, "Kapazität"),
        ("Kapazität", -3, "Kapazität"),
        ("Kapazität", 2.5, "Kapazität"),
        ("Kapazität", 500, "Kapazität"),
        ("Widmung", "geheim", "Widmung"),
        ("Bewirtschaftung", "Zauberei", "Bewirtschaftung"),
        ("Parkrichtung", "kopfüber", "Parkrichtung"),
        ("Ortsbezug", "Mond", "Ortsbezug"),
        ("Max. Parkdauer", "lange", "Max. Parkdauer"),
    ],
)
def test_a_bad_member_is_named_and_its_neighbour_kept(
    member: str, value: object, field: str
) -> None:
    other = line((7.8050, 48.5740), (7.8058, 48.5740))
    found = plan(collection(surveyed(1, **{member: value}), surveyed(2, other)))
    assert rejections(found) == [(0, field)]
    assert [each.index for each in found.accepted] == [1]


@pytest.mark.parametrize(
    ("member", "value", "kind", "purpose"),
    [
        ("Bewirtschaftung", "Behindertenparkplatz", "disabled", "public"),
        ("Widmung", "E-Ladesäule", "charging", "public"),
        ("Widmung", "behinderten Stellplatz", "disabled", "public"),
        ("Bewirtschaftung", "Halböffentlich", "standard", "reserved"),
        ("Bewirtschaftung", "Bewohnerparken", "standard", "permit"),
        ("Parkrichtung", " Senkrechtparken", "standard", "public"),
    ],
)
def test_kinds_and_purposes_are_told_apart(
    member: str, value: str, kind: str, purpose: str
) -> None:
    (kerb,) = plan(collection(surveyed(1, **{member: value}))).facilities
    assert (kerb.bays[0].kind, kerb.bays[0].purpose) == (kind, purpose)


def test_the_same_kerb_twice_is_counted_once() -> None:
    again = line((7.8057, 48.573001), (7.8051, 48.573001))
    found = plan(collection(surveyed(1), surveyed(2, again)))
    assert rejections(found) == [(1, "geometry")]
    assert "overlaps the kerb of feature 1" in found.rejected[0].reason


def test_a_feature_of_the_same_name_is_refused() -> None:
    other = line((7.8050, 48.5740), (7.8058, 48.5740))
    assert rejections(plan(collection(surveyed(1), surveyed(1, other)))) == [(1, "id")]


@pytest.mark.parametrize(
    ("geometry", "field"),
    [
        (None, "geometry"),
        ({"type": "LineString", "coordinates": [[7.8, 48.5], [7.8, 48.5]]}, "geometry.coordinates"),
        (
            {"type": "LineString", "coordinates": [[7.8, 148.5], [7.9, 48.5]]},
            "geometry.coordinates",
        ),
        ({"type": "LineString", "coordinates": [[7.8, None], [7.9, 48.5]]}, "geometry.coordinates"),
        ({"type": "GeometryCollection", "geometries": []}, "geometry.type"),
        (point(7.8), "geometry.type"),
    ],
)
def test_a_bad_geometry_is_named(geometry: Any, field: str) -> None:
    assert rejections(plan(collection(surveyed(1, geometry)))) == [(0, field)]


def test_web_mercator_is_read_and_another_system_refused() -> None:
    mercator = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}
    metres = line((1008812.9139, 6268087.3125), (1008839.9533, 6268165.9154))
    (kerb,) = plan(collection(surveyed(1, metres), crs=mercator)).facilities
    assert round(kerb.position.latitude, 3) == 48.960
    other = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::31467"}}
    with pytest.raises(Invalid) as refused:
        plan(collection(crs=other))
    assert refused.value.field == "crs"


def spot(uid: str, at: dict[str, Any], **more: Any) -> Any:
    stated = {"uid": uid, "purpose": "CAR", "has_realtime_data": True, "restrictions": []}
    return feature({**stated, **more}, at)


def garage_spot(uid: str, **more: Any) -> Any:
    return spot(uid, point(9.99), name="Parkhaus", type="UNDERGROUND", **more)


def test_spots_of_one_garage_share_its_place_and_are_all_kept() -> None:
    found = plan(
        collection(
            garage_spot("a", restrictions=[{"type": "CHARGING", "hours": "24/7"}]),
            garage_spot("b", restrictions=[{"type": "FAMILY", "hours": "24/7"}]),
            garage_spot("c"),
        )
    )
    (garage,) = found.facilities
    assert (garage.name, garage.kind, garage.ownership) == ("Parkhaus", "garage", "public")
    assert [(bay.label, bay.kind, bay.located) for bay in garage.bays] == [
        ("a", "charging", "facility"),
        ("b", "standard", "facility"),
        ("c", "standard", "facility"),
    ]
    assert garage.bays[1].rules[0].users == ("family",)


def test_two_spots_of_a_street_at_one_place_overlap() -> None:
    on_street = {"type": "ON_STREET"}
    found = plan(
        collection(spot("a", point(9.99), **on_street), spot("b", point(9.99), **on_street))
    )
    assert rejections(found) == [(1, "geometry")]
    assert "overlaps bay a" in found.rejected[0].reason


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"purpose": "BIKE"}, "purpose"),
        ({"type": "SHED"}, "type"),
        ({"restrictions": [{"type": "WIZARD"}]}, "restrictions[0].type"),
        ({"restrictions": [{"type": "TAXI", "hours": "dawn"}]}, "restrictions[0].hours"),
        ({"lat": 12.0, "lon": 9.99}, "lat"),
    ],
)
def test_a_bad_member_of_a_spot_is_named(more: dict[str, Any], field: str) -> None:
    assert rejections(plan(collection(spot("a", point(9.99), **more)))) == [(0, field)]


def test_a_site_states_its_capacity_by_kind() -> None:
    site = {"uid": "S", "purpose": "CAR", "capacity": 10, "type": "CAR_PARK", "max_height": 200}
    hours = {"opening_hours": "Mo-Sa 07:00-22:00"}
    (garage,) = plan(
        collection(feature({**site, **hours, "capacity_disabled": 2}, point(9.99)))
    ).facilities
    kinds = [bay.kind for bay in garage.bays]
    assert (kinds.count("standard"), kinds.count("disabled")) == (8, 2)
    assert (garage.limits.max_height_m, len(garage.opening)) == (2.0, 1)
    too_many = collection(feature({**site, "capacity_disabled": 11}, point(9.99)))
    assert rejections(plan(too_many)) == [(0, "capacity_disabled")]


CSV = """泊位编号,路段名称,泊位类型,用途,经度,纬度,长度,宽度,方位角,部件编码
0101,滨江路,普通,公共,120.10000,30.20000,6,2.4,90,3301060299000001
0102,滨江路,无障碍,公共,120.10010,30.20000,6,2.4,90,3301060299000002
0103,滨江路,普通,月卡,120.10012,30.20000,6,2.4,90,3301060299000003
0104,滨江路,飞船,公共,120.10030,30.20000,6,2.4,90,3301060299000004
0102,滨江路,普通,公共,120.10040,30.20000,6,2.4,90,3301060299000005
0106,滨江路,普通,公共,,30.20000,6,2.4,90,3301060299000006
0107,滨江路,普通,公共,120.10050,30.20000,6,2.4,90,33
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_is_read_row_by_row(encoding: str) -> None:
    found = plan(CSV.encode(encoding), "csv")
    assert [each.index for each in found.accepted] == [0, 1]
    assert rejections(found) == [
        (2, "geometry"),
        (3, "泊位类型"),
        (4, "泊位编号"),
        (5, "经度"),
        (6, "部件编码"),
    ]
    (kerb,) = found.facilities
    assert (kerb.name, [(bay.label, bay.kind) for bay in kerb.bays]) == (
        "滨江路",
        [("0101", "standard"), ("0102", "disabled")],
    )


def test_a_table_with_semicolons_decimal_commas_and_outlines() -> None:
    table = (
        "label;facility;purpose;wkt;length_m\n"
        'A1;P1;permit;"POLYGON((9.99 48.4, 9.9901 48.4, 9.9901 48.40003, 9.99 48.40003,'
        ' 9.99 48.4))";6,5\n'
    )
    (lot,) = plan(table.encode(), "csv", kind="lot").facilities
    assert (lot.kind, lot.bays[0].purpose, lot.bays[0].length_m, lot.bays[0].located) == (
        "lot",
        "permit",
        6.5,
        "surveyed",
    )
    assert lot.bays[0].geometry is not None


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "csv"),
        (b"name,colour\nA,red\n", "csv"),
        (b"\xff\xfe\x00\x00", "csv"),
        (b"{", "geojson"),
        (b'{"type": "Feature"}', "geojson"),
        (b'{"type": "FeatureCollection", "features": {}}', "geojson"),
        (b"[]", "curblr"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_as_a_whole(content: bytes, kind: str) -> None:
    with pytest.raises(Invalid):
        plan(content, kind)


# --- CurbLR --------------------------------------------------------------------------------------

MANIFEST: dict[str, Any] = {
    "timeZone": "America/Los_Angeles",
    "priorityHierarchy": ["no standing", "no parking", "loading", "paid parking", "free parking"],
}


def regulated(start_m: float, end_m: float, category: str, activity: str, **more: Any) -> Any:
    location = {
        "shstRefId": "36860eafa27b8af9b448d46d971f9d63",
        "sideOfStreet": "right",
        "shstLocationStart": start_m,
        "shstLocationEnd": end_m,
    }
    rule = {"activity": activity, "priorityCategory": category, **more.pop("rule", {})}
    east = 1 / 111_320
    geometry = line((start_m * east, 0.0), (end_m * east, 0.0))
    return feature({"location": location, "regulations": [{"rule": rule, **more}]}, geometry)


def curb(*features: Any, **options: Any) -> ImportPlan:
    known = ImportOptions(**{"source": "curb", **options})
    return read_curblr({**collection(*features), "manifest": MANIFEST}, known)


DAYTIME = [{"timesOfDay": [{"from": "08:00", "to": "19:00"}]}]
LOADING = [{"timesOfDay": [{"from": "07:00", "to": "09:00"}]}]


def test_overlapping_regulations_make_stretches_each_with_its_rules() -> None:
    found = curb(
        regulated(0, 60, "paid parking", "parking", timeSpans=DAYTIME),
        regulated(20, 40, "loading", "loading", timeSpans=LOADING),
        regulated(60, 70, "no standing", "no standing"),
    )
    (kerb,) = found.facilities
    assert kerb.timezone == "America/Los_Angeles"
    assert [(zone.code, zone.length_m, len(zone.rules)) for zone in kerb.zones] == [
        ("0.0-20.0", 20.0, 1),
        ("20.0-40.0", 20.0, 2),
        ("40.0-60.0", 20.0, 1),
        ("60.0-70.0", 10.0, 1),
    ]
    assert kerb.bays == ()


def test_no_metre_of_kerb_gets_bays_twice_and_none_where_nobody_may_park() -> None:
    found = curb(
        regulated(0, 60, "paid parking", "parking", timeSpans=DAYTIME),
        regulated(0, 60, "free parking", "parking"),
        regulated(60, 70, "no standing", "no standing"),
        bay_length_m=6.0,
    )
    (kerb,) = found.facilities
    assert len(kerb.bays) == 10
    assert {bay.zone for bay in kerb.bays} == {"0.0-60.0"}


def test_of_two_rules_at_once_the_higher_category_prevails() -> None:
    found = curb(
        regulated(0, 60, "paid parking", "parking", timeSpans=DAYTIME),
        regulated(0, 60, "loading", "loading", timeSpans=LOADING),
    )
    rules = found.facilities[0].zones[0].rules
    local = command_time()
    assert usage(rules, local.replace(hour=8)).allowed is False
    assert usage(rules, local.replace(hour=9)).allowed is True


def command_time() -> Any:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    return datetime(2026, 3, 2, 12, tzinfo=ZoneInfo("America/Los_Angeles"))


def test_rules_that_contradict_each_other_at_one_priority_are_refused() -> None:
    short = {"maxStay": 30}
    found = curb(
        regulated(0, 60, "paid parking", "parking", rule={"maxStay": 120}),
        regulated(30, 90, "paid parking", "parking", rule=short),
        regulated(
            60, 90, "paid parking", "parking", rule=short, userClasses=[{"classes": ["taxi"]}]
        ),
    )
    assert rejections(found) == [(1, "regulations[0].rule.priorityCategory")]


def edited(**changes: Any) -> Any:
    found = regulated(0, 60, "paid parking", "parking")
    for path, value in changes.items():
        *steps, last = path.split("__")
        part = found["properties"]
        for step in steps:
            part = part[int(step)] if step.isdigit() else part[step]
        part[last] = value
    return found


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"regulations": []}, "regulations"),
        ({"regulations__0__rule__activity": "sleeping"}, "regulations[0].rule.activity"),
        (
            {"regulations__0__rule__priorityCategory": "unheard of"},
            "regulations[0].rule.priorityCategory",
        ),
        ({"regulations__0__rule__maxStay": -5}, "regulations[0].rule.maxStay"),
        (
            {"regulations__0__timeSpans": [{"daysOfWeek": {"days": ["xx"]}}]},
            "regulations[0].timeSpans[0].daysOfWeek.days",
        ),
        (
            {"regulations__0__timeSpans": [{"timesOfDay": [{"from": "9", "to": "10:00"}]}]},
            "regulations[0].timeSpans[0].timesOfDay[0]",
        ),
        (
            {"regulations__0__timeSpans": [{"designatedPeriods": [{"name": "x"}]}]},
            "regulations[0].timeSpans[0].designatedPeriods[0]",
        ),
        ({"location__shstLocationEnd": 0}, "location.shstLocationEnd"),
        ({"location__sideOfStreet": "top"}, "location.sideOfStreet"),
        ({"location": None}, "location"),
    ],
)
def test_a_bad_member_of_a_regulation_is_named(changes: dict[str, Any], field: str) -> None:
    found = curb(edited(**changes), regulated(0, 60, "free parking", "parking"))
    assert rejections(found) == [(0, field)]
    assert [each.index for each in found.accepted] == [1]


def test_older_names_of_the_format_are_read() -> None:
    found = edited(
        regulations__0__timeSpans=[
            {
                "daysOfWeek": {"days": ["Tu"], "occurrences_in_month": ["2nd", "last"]},
                "timesOfDay": [{"from": "11:00", "until": "13:00"}],
                "effectiveDates": [{"from": "04-01", "until": "11-30"}],
                "designatedPeriods": [{"name": "snow emergency", "apply": "except_during"}],
            }
        ]
    )
    (rule,) = curb(found).facilities[0].zones[0].rules
    assert [span.as_json() for span in rule.spans] == [
        {
            "days": ["tu"],
            "occurrences": [2, -1],
            "times": [["11:00", "13:00"]],
            "dates": [["04-01", "11-30"]],
            "except_during": ["snow emergency"],
        }
    ]


# --- into the registry ---------------------------------------------------------------------------


def run_import(database: Database, found: ImportPlan, source: str = "survey") -> ImportReport:
    with database.unit_of_work() as uow:
        operator = place_keeping.operator_of_code(uow, SYSTEM, "city")
        return place_import.import_places(
            uow,
            SYSTEM,
            found,
            ImportOptions(source, timezone="Europe/Berlin"),
            place_import.ImportTarget(EAST, operator.id),
        )


def test_the_same_file_again_changes_nothing(database: Database) -> None:
    file = collection(surveyed(1), surveyed(2, line((7.805, 48.574), (7.8058, 48.574))))
    first = run_import(database, plan(file))
    assert (first.facilities, first.bays) == (
        {"added": 2, "changed": 0, "unchanged": 0},
        {"added": 16, "changed": 0, "retired": 0},
    )
    backwards = collection(*reversed(file["features"]))
    again = run_import(database, plan(backwards))
    assert (again.facilities, again.bays) == (
        {"added": 0, "changed": 0, "unchanged": 2},
        {"added": 0, "changed": 0, "retired": 0},
    )
    with database.read() as connection:
        assert places.count_facilities(connection) == 2


def test_a_changed_feature_changes_its_place_and_keeps_what_it_was(
    database: Database, clock: FixedClock
) -> None:
    run_import(database, plan(collection(surveyed(1))))
    clock.advance(3600)
    shorter = surveyed(1, Kapazität=7, Bewirtschaftung="Bewohnerparken")
    report = run_import(database, plan(collection(shorter)))
    assert (report.facilities["changed"], report.bays) == (
        1,
        {"added": 0, "changed": 7, "retired": 1},
    )
    with database.read() as connection:
        ((home, _),) = imports.imported(connection, "survey").values()
        bays = places.bays(connection, facility_id=home).items
        assert {bay.purpose for bay in bays} == {"permit"}
        history = place_history.versions(connection, "bay", bays[0].id)
        assert [each.state.purpose for each in history] == ["permit", "public"]  # type: ignore[union-attr] # a bay's
    back = run_import(database, plan(collection(surveyed(1))))
    assert back.bays == {"added": 0, "changed": 8, "retired": 0}


def test_a_kerb_that_another_source_brought_is_refused(database: Database) -> None:
    run_import(database, plan(collection(surveyed(1))))
    found = plan(collection(surveyed(9)), source="other")
    report = run_import(database, found, "other")
    assert [(each.index, each.field) for each in report.rejected] == [(0, "geometry")]
    assert "overlaps the kerb of facility survey-1" in report.rejected[0].reason
    assert report.facilities["added"] == 0


def test_a_bay_on_the_ground_of_a_registered_one_is_refused(database: Database) -> None:
    run_import(database, plan(CSV.encode(), "csv"))
    shifted = CSV.replace("3301060299", "3301060298").replace("01", "91", 0)
    found = plan(shifted.encode(), "csv", source="other")
    report = run_import(database, found, "other")
    assert [each.index for each in report.rejected if "overlaps bay" in each.reason] == [0, 1, 2]


def test_a_dry_run_says_what_would_be_done_and_does_nothing(database: Database) -> None:
    with database.unit_of_work() as uow:
        operator = place_keeping.operator_of_code(uow, SYSTEM, "city")
        report = place_import.import_places(
            uow,
            SYSTEM,
            plan(collection(surveyed(1))),
            OPTIONS,
            place_import.ImportTarget(EAST, operator.id),
            dry_run=True,
        )
    assert report.bays["added"] == 8
    with database.read() as connection:
        assert places.count_facilities(connection) == 0


def test_the_command_reports_each_feature(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "Kehl survey.geojson"
    file.write_text(json.dumps(collection(surveyed(1), surveyed(2, None))), encoding="utf-8")
    assert command.run([str(file), "--check"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["source"], report["features"], report["bays"]) == (
        "kehl-survey",
        2,
        {"planned": 8},
    )
    assert report["rejected"] == [
        {
            "index": 1,
            "ref": "2",
            "field": "geometry",
            "reason": "must be an object: a place without a place cannot be found",
        }
    ]


@pytest.mark.parametrize("arguments", [["nowhere.geojson"], ["--format", "shape", "x"]])
def test_the_command_refuses_bad_arguments_in_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        command.run([*arguments, "--check"])
    assert left.value.code == 2
    assert capsys.readouterr().err.strip()


def with_nuls(value: Any) -> Iterator[Any]:
    """Give a document once for each of its texts, with a NUL at that text's end."""
    if isinstance(value, str):
        yield value + "\x00"
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from ({**value, name: changed} for changed in with_nuls(each))
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from (
                [*value[:place], changed, *value[place + 1 :]] for changed in with_nuls(each)
            )


@pytest.mark.parametrize(
    ("document", "form"),
    [
        (collection(surveyed(7)), "geojson"),
        (collection(garage_spot("one")), "geojson"),
        (
            collection(feature({"label": "A1", "name": "Market", "address": "x"}, point(7.8))),
            "geojson",
        ),
        (
            {**collection(regulated(0, 60, "paid parking", "parking")), "manifest": MANIFEST},
            "curblr",
        ),
    ],
)
def test_a_nul_in_any_text_reaches_no_place(document: Any, form: Any) -> None:
    for changed in with_nuls(document):
        try:
            found = plan(changed, form)
        except Invalid:
            continue
        assert r"\x00" not in repr(found.facilities)


# --- the cities' own files -----------------------------------------------------------------------


@needs_data
@pytest.mark.parametrize(
    ("name", "kind", "accepted", "rejected", "bays"),
    [
        ("park_raum_check_kehl.geojson", "geojson", 233, 2, 2_051),
        ("ulm_sensors.geojson", "geojson", 143, 0, 143),
        ("downtown_portland.curblr.json", "curblr", 415, 1, 0),
    ],
)
def test_the_files_of_kehl_ulm_and_portland(
    database: Database, name: str, kind: Any, accepted: int, rejected: int, bays: int
) -> None:
    content = (Path(DATA or "") / "bays" / name).read_bytes()
    found = plan(content, kind)
    report = run_import(database, found)
    assert (len(report.accepted), len(report.rejected), report.bays["added"]) == (
        accepted,
        rejected,
        bays,
    )
    again = run_import(database, plan(content, kind))
    assert again.facilities == {
        "added": 0,
        "changed": 0,
        "unchanged": report.facilities["added"],
    }
