"""Reads over HTTP: listed masked, reviewed, corrected with what followed, searched on record."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from journeys.review_reads import fits
from tests.web.lane_site import Gates, LaneBox, open_gates

if TYPE_CHECKING:
    from tests.web.small_site import Site

UNSURE = [0.99, 0.99, 0.99, 0.7, 0.99, 0.99, 0.99]


@pytest.fixture
def gates(site: Site) -> Gates:
    return open_gates(site)


def passes(box: LaneBox, plate: str, **members: Any) -> None:
    box.arrives(plate, **members)
    box.drives()


def reads(gates: Gates, who: str = "attendant", **query: Any) -> dict[str, Any]:
    answer = gates.site.get(
        "/api/v1/reads", who, query_string={"facility_id": gates.facility_id, **query}
    )
    assert answer.status_code == 200, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found


def review(gates: Gates, read: dict[str, Any], answer: str, **members: Any) -> Any:
    path = f"/api/v1/reads/{read['id']}/review"
    return gates.site.post(path, "attendant", json={"answer": answer, **members})


def test_an_unsure_read_waits_for_a_person_and_a_correction_puts_the_stay_right(
    gates: Gates,
) -> None:
    passes(gates.entry, "京A12D45", confidences=UNSURE)
    (unsure,) = reads(gates, waiting="true")["items"]
    assert (unsure["band"], unsure["review"], unsure["plate"]["masked"]) == ("review", "due", True)
    wrong = review(gates, unsure, "wrong")
    assert (wrong.status_code, wrong.get_json()["errors"][0]["field"]) == (422, "plate")
    done = review(gates, unsure, "wrong", plate="京A12045", plate_kind="blue7")
    assert done.status_code == 200, done.get_json()
    assert (done.get_json()["stay"], done.get_json()["read"]["answer"]) == ("corrected", "wrong")
    assert review(gates, unsure, "right").status_code == 409
    assert reads(gates)["waiting"] == 0
    # The right plate leaves, and the bill is its own.
    gates.site.clock.advance(61 * 60)
    passes(gates.exit, "京A12045")
    (bill,) = gates.settle()
    assert bill["amount"]["minor"] == 900


def test_an_exit_that_may_be_two_is_matched_by_its_picture_and_billed_only_then(
    gates: Gates,
) -> None:
    passes(gates.entry, "京A12D45")
    gates.site.clock.advance(300)
    passes(gates.entry, "京A12Q45")
    gates.site.clock.advance(61 * 60)
    passes(gates.exit, "京A12045")
    assert gates.settle() == []
    (unclear,) = [each for each in reads(gates, waiting="true")["items"] if each["review"] == "due"]
    done = review(gates, unclear, "wrong", plate="京A12D45", plate_kind="blue7")
    assert done.get_json()["stay"] == "matched"
    (bill,) = gates.settle()
    assert bill["amount"]["minor"] > 0


def test_a_search_is_within_one_facility_and_one_day_with_a_reason_on_record(
    gates: Gates,
) -> None:
    site = gates.site
    for plate in ("京A12345", "京A12945", "沪C99999"):
        passes(gates.entry, plate)
        site.clock.advance(30)
    now = site.clock.now()
    wanted = {
        "facility_id": gates.facility_id,
        "from_at": (now - timedelta(hours=1)).isoformat(),
        "to_at": now.isoformat(),
        "part": "12?45",
        "reason": "a scratched bumper",
    }
    path = "/api/v1/reads/search"
    found = site.post(path, "operator", json=wanted)
    assert found.status_code == 200, found.get_json()
    told = found.get_json()
    assert (len(told["items"]), told["looked_at"], told["all_looked_at"]) == (2, 3, True)
    assert "12345" not in found.get_data(as_text=True)
    for who, status in (("attendant", 403), ("auditor", 403), ("operator-west", 404)):
        assert site.post(path, who, json=wanted).status_code == status
    for change, field in (
        ({"from_at": (now - timedelta(days=2)).isoformat()}, "to_at"),
        ({"part": "1???"}, "part"),
    ):
        refused = site.post(path, "operator", json={**wanted, **change})
        assert (refused.status_code, refused.get_json()["errors"][0]["field"]) == (422, field)
    (record,) = site.get("/api/v1/audit?action=lpr.reads_searched", "auditor").get_json()["items"]
    assert (record["detail"]["reason"], record["detail"]["found"]) == ("a scratched bumper", 2)
    assert "12" not in str(record["detail"].get("part", ""))


def test_cameras_are_told_by_hour_and_how_right_they_are_only_as_far_as_anybody_looked(
    gates: Gates,
) -> None:
    site = gates.site
    passes(gates.entry, "京A12D45", confidences=UNSURE)
    (unsure,) = reads(gates, waiting="true")["items"]
    now = site.clock.now()
    query = {
        "facility_id": gates.facility_id,
        "from_at": (now - timedelta(hours=1)).isoformat(),
        "to_at": (now + timedelta(hours=1)).isoformat(),
    }
    path = "/api/v1/reads/cameras"
    (before,) = site.get(path, "engineer", query_string=query).get_json()["items"]
    assert (before["reads"], before["accepted"], before["accuracy"]) == (1, 0, None)
    review(gates, unsure, "right")
    (after,) = site.get(path, "engineer", query_string=query).get_json()["items"]
    assert (after["right"], after["accuracy"]["share"]) == (1, 1.0)
    assert after["accuracy"]["low"] < 0.5
    late = {**query, "to_at": (now + timedelta(days=2)).isoformat()}
    assert site.get(path, "engineer", query_string=late).status_code == 422


def test_a_whole_plate_is_shown_on_record_to_those_who_need_it(gates: Gates) -> None:
    passes(gates.entry, "京A12345")
    (read,) = reads(gates, "auditor")["items"]
    path = f"/api/v1/reads/{read['id']}/plate"
    assert gates.site.get(path, "attendant").get_json()["plate"]["text"] == "京A12345"
    assert gates.site.get(path, "auditor").status_code == 403
    assert gates.site.get(path, "attendant-west").status_code == 403
    assert (
        gates.site.get(
            "/api/v1/reads", "attendant-west", query_string={"facility_id": gates.facility_id}
        ).status_code
        == 404
    )


@pytest.mark.parametrize(
    ("part", "fitting"),
    [("12345", True), ("京A1", True), ("1?3", True), ("345?", False), ("54321", False)],
)
def test_a_part_fits_anywhere_and_a_mark_stands_for_one_character(
    part: str, *, fitting: bool
) -> None:
    assert fits(part, "京A12345") is fitting
