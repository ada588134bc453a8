"""The demo's kerb camera before the real application: reads, votes, and frames that are sealed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from city.identifiers import BayId, FacilityId
from city.vehicles import PlateKind, parse_plate
from journeys.read_bay import join_waiting
from tests.web.conftest import site, wiring
from tests.web.test_watch_to_gate import served
from web.demo.bays import DemoBay, DemoFacility
from web.demo.kerb_camera import NAME, register_camera, watched
from web.demo.kerb_film import KerbFilm, watch_kerb
from web.demo.names import Name
from web.demo.prepare import plan_city

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.web.small_site import Site
    from web.demo.kerb_film import Shot

__all__ = ["site", "wiring"]

PLATE = parse_plate("皖R12345", PlateKind.BLUE7)
PARKED = parse_plate("皖R67890", PlateKind.BLUE7)


def test_the_camera_looks_at_three_public_bays_of_a_kerb() -> None:
    home, bays = watched(plan_city().facilities)
    assert home.kind == "kerb"
    assert [(each.purpose, each in home.bays) for each in bays] == [("public", True)] * 3


def kerb(site: Site) -> DemoFacility:
    """Give the site's kerb as the demo knows its own."""
    place = site.facility
    bays = tuple(
        DemoBay(BayId(each.id), each.label, "standard", each.position, 0.0) for each in site.bays
    )
    name = Name(place.name_zh, place.name_en)
    home = FacilityId(place.id)
    return DemoFacility(
        home, place.code, "kerb", name, place.district, place.position, "", 1.0, bays
    )


def votes(site: Site) -> int:
    """Count what network servers have sent."""
    return sum(int(site.wiring.live.xlen(each)) for each in site.wiring.live.keys("*uplinks*"))


def test_a_car_that_comes_and_goes_is_read_voted_on_and_kept_with_its_stay(
    site: Site, tmp_path: Path
) -> None:
    began_at = site.clock.now()
    home, bays = watched([kerb(site)])
    here, beside = bays[0].bay_id, bays[1].bay_id
    for _ in range(2):
        with site.wiring.database.unit_of_work() as uow:
            token = register_camera(uow, home, bays)
    (tmp_path / "token").write_text(token, "ascii")
    site.hear(site.message(occupied=True, at=began_at + timedelta(seconds=14)))
    site.clock.advance(300)
    site.consume()
    film = KerbFilm([each.bay_id for each in bays], began_at, {beside: PARKED})

    def shots() -> Iterator[Shot]:
        yield film.still(began_at)
        yield from film.arrives(here, PLATE, began_at + timedelta(seconds=4))
        yield from film.leaves(here, began_at + timedelta(seconds=90))

    before, failures = votes(site), list[str]()
    with served(site) as origin:
        address = f"{origin}/api/v1/bays"
        watch_kerb(film, shots(), address, tmp_path / "token", NAME, failures.append)
    assert failures == []
    assert votes(site) - before == 3
    with site.wiring.database.unit_of_work() as uow:
        # The camera was quicker than the magnet.
        assert join_waiting(uow) == 1
    (stay,) = site.get("/api/v1/sessions", "operator").get_json()["items"]
    kept = site.get(f"/api/v1/sessions/{stay['id']}/photos", "operator").get_json()["items"]
    assert [each["moment"] for each in kept] == ["entering", "parked", "leaving"]
