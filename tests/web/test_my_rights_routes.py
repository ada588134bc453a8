"""A driver's own reservations and permits over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.web.test_rights_api import issued, put

if TYPE_CHECKING:
    from tests.web.small_site import Site


def own_vehicle(site: Site) -> str:
    """Bind the car in the first bay to the driver; give its id."""
    site.hear(site.message(occupied=True))
    site.clock.advance(60)
    site.consume()
    (session,) = site.get("/api/v1/sessions?state=open", "attendant").get_json()["items"]
    path = f"/api/v1/sessions/{session['id']}"
    site.post(f"{path}/vehicle", "attendant", json={"plate": "京A12345", "kind": "blue7"})
    code = site.post(f"{path}/code", "attendant").get_json()["code"]
    bound = site.post("/api/v1/me/vehicles", "driver", json={"code": code}).get_json()
    found: str = bound["id"]
    return found


def wish(site: Site, vehicle: str, **changes: Any) -> dict[str, Any]:
    first = site.clock.now() + timedelta(hours=1)
    return {
        "vehicle_id": vehicle,
        "facility_id": str(site.facility.id),
        "from_at": first.isoformat(),
        "until_at": (first + timedelta(hours=2)).isoformat(),
        **changes,
    }


def test_a_driver_makes_lists_and_gives_back_a_reservation(site: Site) -> None:
    vehicle = own_vehicle(site)
    made = site.post("/api/v1/me/reservations", "driver", json=wish(site, vehicle), key="m1")
    assert made.status_code == 201
    held = made.get_json()
    assert (held["state"], held["plate"]["masked"], held["vehicle_id"]) == ("held", True, vehicle)
    assert held["facility"]["en"] == "Riverside Road"
    again = site.post("/api/v1/me/reservations", "driver", json=wish(site, vehicle), key="m1")
    assert again.get_json() == held
    for changes, field in (
        ({"bay_id": str(site.bays[3].id)}, "bay_id"),
        ({"until_at": site.clock.now().isoformat()}, "until_at"),
        ({"vehicle_id": str(site.facility.id)}, "vehicle_id"),
    ):
        refused = site.post(
            "/api/v1/me/reservations", "driver", json=wish(site, vehicle, **changes)
        )
        assert refused.status_code in {404, 422}
        assert [each["field"] for each in refused.get_json()["errors"]] == [field]
    (listed,) = site.get("/api/v1/me/reservations", "driver").get_json()["items"]
    assert listed == held
    path = f"/api/v1/me/reservations/{held['id']}/return"
    assert site.post(path, "driver", json={}).get_json()["state"] == "cancelled"
    assert site.post(path, "driver", json={}).status_code == 409


def test_a_driver_sees_permits_of_their_vehicles_and_of_the_others_on_them_nothing(
    site: Site,
) -> None:
    assert site.get("/api/v1/me/permits", "driver").get_json() == {"items": []}
    vehicle = own_vehicle(site)
    permit = issued(site)
    issued(site, label="another")
    put(site, permit, "京A12345", "京B77777")
    (mine,) = site.get("/api/v1/me/permits", "driver").get_json()["items"]
    assert (mine["id"], mine["state"]) == (permit, "valid")
    assert [each["vehicle_id"] for each in mine["vehicles"]] == [vehicle]
    assert [each["name"]["en"] for each in mine["facilities"]] == ["Riverside Road"]
