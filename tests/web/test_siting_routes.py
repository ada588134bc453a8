"""Siting checks over HTTP: each bay with each rule's verdict, what is not surveyed unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.web.small_site import Site


def test_bays_near_a_hydrant_violate_the_law_and_what_nobody_surveyed_is_unknown(
    site: Site,
) -> None:
    path = f"/api/v1/facilities/{site.facility.id}/siting-checks"
    first = site.bays[0].position
    hydrant = first.moved(-20, 0)
    body = {
        "features": [
            {
                "feature": "hydrant",
                "points": [[hydrant.longitude, hydrant.latitude]],
                "name": "H7",
            }
        ],
        "complete": ["bus_stop"],
        "limit": 3,
    }
    answer = site.post(path, "operator", json=body).get_json()
    by_label = {each["bay_label"]: each for each in answer["items"]}
    assert [by_label[name]["verdict"] for name in ("A0", "A1", "A2")] == [
        "violated",
        "violated",
        "unknown",
    ]
    found = {each["rule"]: each for each in by_label["A0"]["findings"]}
    near = found["hydrant_clearance"]
    assert (near["verdict"], near["basis"], near["about"]) == ("violated", "law", "H7")
    assert 9 <= near["short_m"] <= 11
    assert found["bus_stop_clearance"]["verdict"] == "passed"
    assert found["junction_clearance"]["verdict"] == "unknown"
    rest = site.post(path, "operator", json={**body, "cursor": answer["next"]}).get_json()
    assert ([each["bay_label"] for each in rest["items"]], rest["next"]) == (["A3"], None)


def test_a_survey_that_cannot_be_names_its_field(site: Site) -> None:
    path = f"/api/v1/facilities/{site.facility.id}/siting-checks"
    for body, field in (
        ({"features": [{"feature": "tree", "points": [[120, 30]]}]}, "features.0.feature"),
        ({"features": [{"feature": "hydrant", "points": [[120, 95]]}]}, "features.0.points.0.1"),
        (
            {"features": [{"feature": "manhole", "points": [[120, 30]] * 200}] * 11},
            "features",
        ),
        ({"pavement_width_m": 0}, "pavement_width_m"),
    ):
        refused = site.post(path, "operator", json=body)
        assert (refused.status_code, refused.get_json()["errors"][0]["field"]) == (422, field)
    assert site.post(path, "operator-west", json={}).status_code == 403
