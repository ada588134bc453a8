"""A demand rule that is given no occupancy looks at what the figures have counted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from parking.store.figure_tables import figure_hour
from tests.web.test_tariff_drafts import RULE

if TYPE_CHECKING:
    from tests.web.small_site import Site

PATH = "/api/v1/tariffs/riverside/demand-proposals"
BAND = {"schedule": "small", "band": "all"}


def counted(site: Site, hours_ago: int, occupied_s: int, free_s: int) -> None:
    hour_at = site.clock.now() - timedelta(hours=hours_ago)
    nothing: dict[str, Any] = {
        column.name: [] if column.name.endswith(("_bins", "_counts")) else 0
        for column in figure_hour.columns
    }
    with site.wiring.database.unit_of_work() as uow:
        uow.connection.execute(
            insert(figure_hour).values(
                nothing
                | {
                    "facility_id": site.facility.id,
                    "hour_at": hour_at,
                    "district": site.facility.district,
                    "day": hour_at.date(),
                    "service_us": (occupied_s + free_s) * 1_000_000,
                    "occupied_us": occupied_s * 1_000_000,
                    "free_us": free_s * 1_000_000,
                }
            )
        )


def test_occupancy_is_taken_from_the_figures_of_the_rules_days(site: Site) -> None:
    body = {"rule": RULE, "occupancies": [BAND]}
    assert site.post(PATH, "operator", json=body).get_json() == {"version": None, "changes": []}
    counted(site, 5, 3_000, 600)
    counted(site, 6, 2_760, 840)
    counted(site, 24 * 40, 0, 3_600)
    (change,) = site.post(PATH, "operator", json=body).get_json()["changes"]
    assert (change["occupancy_per_mille"], change["after"]["minor"]) == (800, 700)


def test_half_an_occupancy_or_a_band_that_is_none_names_its_field(site: Site) -> None:
    for given, field in (
        ({**BAND, "occupied_s": 5}, "occupied_s"),
        ({**BAND, "band": "dawn"}, "band"),
        ({**BAND, "schedule": "coaches"}, "schedule"),
    ):
        refused = site.post(PATH, "operator", json={"rule": RULE, "occupancies": [given]})
        assert (refused.status_code, refused.get_json()["errors"][0]["field"]) == (422, field)
