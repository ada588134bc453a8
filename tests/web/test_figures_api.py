"""Figures over HTTP: within one's districts, over bounded days, as JSON and as a file."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest

from journeys.count_collections import count_collections
from parking.services import figures
from tests.web.small_site import UNKNOWN_ID, Site

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

DAY = "first_day=2026-03-02&last_day=2026-03-02"


@pytest.fixture(scope="module")
def busy(shared_site: Site) -> Site:
    """Give a site at which a car parked for an hour and has its bill; it is only read."""
    shared_site.stay(61)
    count(shared_site)
    return shared_site


def count(site: Site) -> None:
    figures.keep_counts(site.wiring.database)
    count_collections(site.wiring.database)


def asked(site: Site, more: str = "", who: str = "operator") -> Any:
    answer = site.get(f"/api/v1/figures?{DAY}{more}", who)
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


def test_the_whole_of_a_day(busy: Site) -> None:
    found = asked(busy)["total"]
    assert (found["counts"]["arrivals"], found["counts"]["ended"], found["counts"]["matched"]) == (
        1,
        1,
        1,
    )
    assert found["figures"]["occupancy"] == pytest.approx(3660 / (3660 + 1200), abs=0.01)
    assert found["money"][0]["due"] == {"minor": 900, "currency": "CNY"}
    assert found["money"][0]["collected_share"] == 0


def test_figures_say_up_to_when_they_are_counted(busy: Site) -> None:
    assert asked(busy)["counted_until_at"] == busy.clock.now().isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("by", "lines"),
    [
        ("district", 1),
        ("facility", 1),
        ("day", 1),
        ("hour", 11),
        ("hour-of-day", 11),
        ("hour-of-week", 11),
    ],
)
def test_each_grouping_has_its_lines(busy: Site, by: str, lines: int) -> None:
    items = asked(busy, f"&by={by}")["items"]
    assert len(items) == lines
    assert sum(each["counts"]["arrivals"] for each in items) == 1


def test_facilities_come_in_pages(busy: Site) -> None:
    first = asked(busy, "&by=facility&limit=1")
    second = asked(busy, f"&by=facility&limit=1&cursor={first['next']}")
    assert second["next"] is None
    found = [*first["items"], *second["items"]]
    assert [each["group"]["facility"]["en"] for each in found] == ["Riverside Road"]
    assert first["total"] == second["total"]


def test_bays_of_a_facility(busy: Site) -> None:
    path = f"/api/v1/figures/bays?{DAY}&facility_id={busy.facility.id}"
    items = busy.get(path, "finance").get_json()["items"]
    assert [each["label"] for each in items] == ["A0", "A1", "A2", "A3"]
    assert [each["figures"]["dwell_median_s"] for each in items] == [3660.0, None, None, None]
    assert [len(each["money"]) for each in items] == [1, 0, 0, 0]


def test_areas_have_their_bays_and_their_balance(busy: Site) -> None:
    found = busy.get(f"/api/v1/figures/areas?{DAY}&step_e6=100000", "operator").get_json()
    assert sum(each["bays"] for each in found["items"]) == 5
    assert {each["balance"] for each in found["items"]} <= {"balanced", "unknown", "idle"}


def rows(answer: TestResponse) -> list[dict[str, str]]:
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))


def test_a_file_for_a_spreadsheet(busy: Site) -> None:
    answer = busy.get(f"/api/v1/figures/file?{DAY}&by=facility", "auditor")
    (row,) = rows(answer)
    assert (row["facility"], row["arrivals"], row["due_minor"], row["currency"]) == (
        "RV-1",
        "1",
        "900",
        "CNY",
    )
    assert "figures-facility-2026-03-02" in answer.headers["Content-Disposition"]


def test_nobody_sees_figures_of_another_district(busy: Site) -> None:
    west = "operator-west"
    assert asked(busy, who=west)["total"]["counts"]["arrivals"] == 0
    assert asked(busy, "&by=facility", who=west)["items"] == []
    assert busy.get(f"/api/v1/figures?{DAY}&district=0153", west).status_code == 403
    for path in (
        f"/api/v1/figures?{DAY}&facility_id={busy.facility.id}",
        f"/api/v1/figures/bays?{DAY}&facility_id={busy.facility.id}",
        f"/api/v1/figures/areas?{DAY}&facility_id={busy.facility.id}",
        f"/api/v1/figures/file?{DAY}&facility_id={busy.facility.id}",
        f"/api/v1/bays/{busy.bays[0].id}/days/2026-03-02",
    ):
        assert (path, busy.get(path, west).status_code) == (path, 404)
        assert (path, busy.get(path, "operator").status_code) == (path, 200)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("figures?first_day=2026-03-02&last_day=2026-03-01", "last_day"),
        ("figures?first_day=2026-03-02&last_day=2027-03-03", "last_day"),
        ("figures?first_day=2026-03-02&last_day=2026-03-20&by=hour", "last_day"),
        ("figures?first_day=1234567890&last_day=2026-03-02", "first_day"),
        ("figures?first_day=2026-03-02&last_day=tomorrow", "last_day"),
        ("figures?last_day=2026-03-02", "first_day"),
        (f"figures?{DAY}&by=colour", "by"),
        (f"figures?{DAY}&kind=ship", "kind"),
        (f"figures?{DAY}&cursor=x", "cursor"),
        (f"figures/bays?{DAY}", "facility_id"),
        (f"figures/areas?{DAY}&step_e6=1", "step_e6"),
        ("figures/areas?first_day=2026-01-01&last_day=2026-03-02", "last_day"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_its_field(busy: Site, path: str, field: str) -> None:
    by = "&by=facility" if "cursor" in path else ""
    answer = busy.get(f"/api/v1/{path}{by}", "operator")
    assert answer.status_code == 422, answer.get_json()
    assert [each["field"] for each in answer.get_json()["errors"]] == [field]


def test_a_bays_day_over_http(busy: Site) -> None:
    found = busy.get(f"/api/v1/bays/{busy.bays[0].id}/days/2026-03-02", "auditor").get_json()
    assert [each["state"] for each in found["spells"]] == ["occupied", "free"]
    assert [each["has_vehicle"] for each in found["stays"]] == [True]
    assert [each["amount"]["minor"] for each in found["bills"]] == [900]
    assert [each["leak"] for each in found["findings"]] == ["bill-open"]


def test_a_day_or_bay_that_does_not_exist(busy: Site) -> None:
    answer = busy.get(f"/api/v1/bays/{busy.bays[0].id}/days/2026-02-30", "operator")
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (422, "day")
    assert busy.get(f"/api/v1/bays/{UNKNOWN_ID}/days/2026-03-02", "operator").status_code == 404
