"""One path through everything: a sensor's frame becomes a paid bill."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.web.small_site import Site


def test_a_sensors_frame_becomes_a_bay_taken_a_stay_a_bill_and_change(site: Site) -> None:
    heard = site.hear(site.message(occupied=True))
    assert (heard.status_code, heard.get_json()["accepted"][0]["state"]) == (202, "appended")
    site.clock.advance(60)
    site.consume()

    listed = site.get(f"/api/v1/facilities/{site.facility.id}/bays").get_json()["items"]
    assert [bay["state"] for bay in listed] == ["occupied", "unknown", "unknown", "unknown"]
    assert listed[0]["since_at"] == "2026-03-02T01:00:00Z"
    counts = site.get(f"/api/v1/facilities/{site.facility.id}").get_json()["counts"]
    assert counts == {"free": 0, "occupied": 1, "unknown": 3, "total": 4}

    (stay,) = site.get("/api/v1/sessions?state=open", "attendant").get_json()["items"]
    assert (stay["bay_label"], stay["plate"]) == ("A0", None)
    attached = site.post(
        f"/api/v1/sessions/{stay['id']}/vehicle",
        "attendant",
        json={"plate": "京A12345", "kind": "blue7"},
        key="k-1",
    )
    assert attached.status_code == 200
    assert attached.get_json()["plate"]["masked"] is True

    site.clock.advance(60 * 60)
    site.hear(site.message(occupied=False))
    site.clock.advance(20 * 60)
    site.consume()
    site.run_jobs()

    (bill,) = site.get("/api/v1/bills?state=open", "attendant").get_json()["items"]
    assert bill["amount"] == {"minor": 900, "currency": "CNY"}
    assert sum(line["amount"]["minor"] for line in bill["lines"]) == 900
    assert all(line["why"]["zh"] and line["why"]["en"] for line in bill["lines"])
    shown = site.get(f"/api/v1/bills/{bill['id']}", "attendant").get_json()
    assert shown["plate"] == {"text": "京A12345", "kind": "blue7", "masked": False}

    paid = site.post(
        f"/api/v1/bills/{bill['id']}/payments",
        "attendant",
        json={"channel": "cash", "tendered": {"minor": 1000, "currency": "CNY"}},
        key="k-2",
    )
    assert paid.status_code == 201
    assert paid.get_json()["change"] == {"minor": 100, "currency": "CNY"}
    assert site.get(f"/api/v1/bills/{bill['id']}", "attendant").get_json()["state"] == "paid"
